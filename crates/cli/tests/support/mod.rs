//! Running the binary in a folder of its own.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests; no test file uses all of it"
)]

pub(crate) mod serving;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use custom_models_core::time::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// The body of a 404.
pub(crate) const NOT_FOUND: &str = "{\"error\":\"Not Found\",\"message\":\"Custom model not found\",\"error_code\":\"MODEL_NOT_FOUND\"}\n";

/// The body of a 402 on the Gold plan.
pub(crate) const GOLD_IS_FULL: &str = "{\"error\":\"Quota Exceeded\",\"message\":\"Custom model limit reached for your plan\",\"error_code\":\"MODEL_LIMIT_EXCEEDED\",\"details\":{\"current_models\":5,\"plan_limit\":5,\"plan\":\"Gold\"}}\n";

/// The body of a 400 with these details.
pub(crate) fn invalid(details: &str) -> String {
    format!(
        "{{\"error\":\"Validation Error\",\"message\":\"Invalid field values\",\"details\":{details}}}\n"
    )
}

/// A folder to run the binary in, gone with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the names of the files in the folder, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_custom-models"));
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Has a shell run a line in which the binary is called as it is when it is installed.
    pub(crate) fn pasted(&self, line: &str) -> Ended {
        let program = Path::new(env!("CARGO_BIN_EXE_custom-models"));
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.path()).env("PATH", path).stdin(Stdio::null());
        shell.output().unwrap().into()
    }

    /// Runs the binary to its end, with something on standard input.
    pub(crate) fn run_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Ended {
        let mut child = self.spawn_waiting(arguments);
        feed(&mut child, input);
        child.wait_with_output().unwrap().into()
    }

    /// Starts the binary with a standard input that [`feed`] writes and closes.
    pub(crate) fn spawn_waiting<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Creates a model and answers with its JSON.
    pub(crate) fn create(&self, arguments: &[&str]) -> Value {
        let create = ["create", "--name", "n", "--language", "en"];
        let ended = self.run(&[&create[..], arguments].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        serde_json::from_str(&ended.out).unwrap()
    }
}

/// Writes the standard input of a child and closes it. A child that stops reading is fine.
pub(crate) fn feed(child: &mut Child, input: &[u8]) {
    let mut stdin = child.stdin.take().unwrap();
    if let Err(error) = stdin.write_all(input) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}

/// A stream that takes nothing more, for a process to write to, and its other end, which keeps it open.
#[cfg(unix)]
pub(crate) fn full() -> (Stdio, std::os::unix::net::UnixStream) {
    let (mut stream, unread) = std::os::unix::net::UnixStream::pair().unwrap();
    stream.set_nonblocking(true).unwrap();
    for piece in [&[b'x'; 4096][..], b"x"] {
        while stream.write(piece).is_ok() {}
    }
    stream.set_nonblocking(false).unwrap();
    (std::os::fd::OwnedFd::from(stream).into(), unread)
}

/// The exit code of a run, and its output.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Done, with this on standard output and nothing else.
    pub(crate) fn is_done(&self, out: &str) {
        let ended = (self.code, self.out.as_str(), self.err.as_str());
        assert_eq!(ended, (0, out, ""));
    }

    /// Refused, with this on standard error and nothing else.
    pub(crate) fn is_refused(&self, err: &str) {
        let ended = (self.code, self.out.as_str(), self.err.as_str());
        assert_eq!(ended, (1, "", err));
    }

    /// Wrong usage, and standard error says this.
    pub(crate) fn is_wrong_usage(&self, says: &str) {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{self:?}");
        assert!(self.err.starts_with("error: "), "{}", self.err);
        assert!(self.err.contains(says), "{}", self.err);
    }

    /// The store failed, and the one line on standard error begins and ends like this.
    pub(crate) fn store_failed(&self, begins: &str, ends: &str) {
        assert_eq!((self.code, self.out.as_str()), (3, ""), "{self:?}");
        let line = self.err.strip_suffix('\n').unwrap();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(
            line.starts_with(begins) && line.ends_with(ends),
            "`{line}` should be `{begins}…{ends}`"
        );
    }

    /// The moment at which the model on standard output was created; it has the form of the wire.
    pub(crate) fn created_at(&self) -> String {
        let model: Value = serde_json::from_str(&self.out).unwrap();
        let moment: Timestamp = model["created_at"].as_str().unwrap().parse().unwrap();
        moment.to_string()
    }
}
