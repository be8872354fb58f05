//! The service as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::Folder;

pub(crate) const NAMED: &str =
    r#"{"name":"Medical Cardiology EN","language":"en","base_model":"medical"}"#;

/// A server process, killed with the test.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// The lines that it printed before it listened.
    pub(crate) said: Vec<String>,
    err: Option<BufReader<ChildStderr>>,
}

impl Serving {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let listen = ["--listen", "127.0.0.1:0"];
        Serving::started(&mut folder.command(&[arguments, &listen].concat()))
    }

    /// Starts a server by a command that is made.
    pub(crate) fn started(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            assert!(err.read_line(&mut line).unwrap() > 0, "ended after {said:?}");
            match line.strip_prefix("listening on http://") {
                Some(address) => {
                    let address = address.trim().to_owned();
                    return Serving { child, address, said, err: Some(err) };
                }
                None => said.push(line),
            }
        }
    }

    /// Sends a request, and returns the status and the body of its answer.
    pub(crate) fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", &*authorization), ("Content-Type", "application/json")];
        let (status, _, body) = ask(&self.address, method, path, &headers, body);
        (status, body)
    }

    pub(crate) fn create(&self, key: &str) -> (u16, String) {
        self.ask("POST", "/api/v3/custom_models", key, NAMED)
    }

    /// Returns the address at which it serves its metrics, if it prints one.
    pub(crate) fn metrics(&self) -> Option<&str> {
        let address = self.said.iter().find_map(|line| line.strip_prefix("metrics on http://"))?;
        address.trim_end().strip_suffix("/metrics")
    }

    /// Nobody reads any more what it says.
    pub(crate) fn stop_listening(&mut self) {
        self.err = None;
    }

    /// Tells it to end.
    pub(crate) fn tell_to_end(&self) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    /// Its exit code and the rest of what it said, when it has ended.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let _bounded = bounded(&self.child);
        let mut said = String::new();
        if let Some(mut err) = self.err.take() {
            err.read_to_string(&mut said).unwrap();
        }
        (self.child.wait().unwrap().code(), said)
    }

    /// Tells it to end; its exit code and the rest of what it said.
    pub(crate) fn terminate(self) -> (Option<i32>, String) {
        self.tell_to_end();
        self.ended()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills a process that does not end, unless what is returned is dropped before: a test that would hang
/// fails instead. Nothing rests on how long that is.
pub(crate) fn bounded(child: &Child) -> mpsc::Sender<()> {
    let (held, dropped) = mpsc::channel();
    let id = child.id().to_string();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-9", &id]).status().unwrap();
        }
    });
    held
}

/// Sends a request, and returns the status, the head and the body of its answer.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").unwrap();
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

/// Registers an organisation and makes a key for it.
pub(crate) fn key_of(folder: &Folder, organisation: &str) -> String {
    let added = folder.run(&["org", "add", organisation, "--plan", "Gold"]);
    assert_eq!(added.code, 0, "{}", added.err);
    let scopes = ["--scope", "custom_models:write", "custom_models:read"];
    let made = folder.run(&[&["key", "create", "--org", organisation], &scopes[..]].concat());
    assert_eq!((made.code, &*made.err), (0, ""));
    let key = made.out.lines().next_back().unwrap();
    assert_eq!(made.out.trim_end(), key, "alone");
    key.to_owned()
}
