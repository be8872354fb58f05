//! An S3 server for the tests alone.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// A server as a separate process, which ends with its input.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    process: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Server {
    /// Starts the server from a script, with a Python that has moto.
    pub(crate) fn start(python: &Path, script: &Path) -> Self {
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            command.spawn().unwrap_or_else(|why| panic!("{}: {why}", python.display()));
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse();
        let port =
            port.unwrap_or_else(|_| panic!("moto does not serve S3 with {}", python.display()));
        Server { port, process, pipes: Mutex::new((input, output)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends a command to the server, and returns the fields of its response.
    pub(crate) fn told(&self, command: &[&str]) -> Vec<String> {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{}", command.join("\t")).unwrap();
        let mut answer = String::new();
        pipes.1.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the server ended at {command:?}");
        let answer = answer.trim_end_matches('\n');
        answer.split('\t').filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
