//! The load as a separate process, which can be killed at any time.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{BoxError, Line};

/// The time without a line after which a load counts as hung. Far longer than the slowest disk needs, so only
/// a failing test waits for it.
const HUNG_AFTER: Duration = Duration::from_secs(120);

/// More acknowledgements than fit into a pipe of 64 KiB.
const PIPE_HOLDS: usize = 5000;

/// A running load. Dropping it kills it.
pub struct LoadProcess {
    child: Child,
    said: Receiver<String>,
    /// Reads the pipe all the time, so that the load never waits for the test.
    reader: Option<JoinHandle<()>>,
    errors: tempfile::NamedTempFile,
    lines: Vec<Line>,
    has_spoken: bool,
}

impl LoadProcess {
    /// Starts the command of a load.
    pub fn start(mut command: Command) -> Result<Self, BoxError> {
        let errors = tempfile::NamedTempFile::new()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(errors.path())?)
            .spawn()?;
        let pipe = child.stdout.take().ok_or("the load has no pipe")?;
        let (sender, said) = channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(LoadProcess {
            child,
            said,
            reader: Some(reader),
            errors,
            lines: Vec::new(),
            has_spoken: false,
        })
    }

    /// Waits until this many changes are acknowledged. A load that fails or ends earlier is an error.
    pub fn await_acknowledgements(&mut self, count: usize) -> Result<(), BoxError> {
        let mut acknowledged = 0;
        while acknowledged < count {
            let line = self.next()?;
            if let Line::Failed(cause) = &line {
                return Err(self.explain(cause).into());
            }
            acknowledged += usize::from(line.is_acknowledgement());
            self.lines.push(line);
        }
        Ok(())
    }

    /// Returns the lines since the last call.
    pub fn take_lines(&mut self) -> Result<Vec<Line>, BoxError> {
        let mut lines = std::mem::take(&mut self.lines);
        for line in self.said.try_iter() {
            lines.push(line.parse()?);
        }
        Ok(lines)
    }

    /// Waits for this many errors, which must come when the disk is gone. Earlier acknowledgements may still
    /// be in the pipe; later ones are a failure.
    pub fn await_faults(&mut self, count: usize) -> Result<(), BoxError> {
        let (mut faults, mut acknowledged) = (0, 0);
        while faults < count {
            let line = match self.next() {
                // The store could not even be opened.
                Err(_) if !self.has_spoken && self.is_silent() => return Ok(()),
                line => line?,
            };
            faults += usize::from(matches!(line, Line::Failed(_)));
            acknowledged += usize::from(line.is_acknowledgement());
            if acknowledged > PIPE_HOLDS {
                return Err("changes are acknowledged although the disk is gone".into());
            }
            self.lines.push(line);
        }
        Ok(())
    }

    /// Returns true if the load has closed its output, which it does when it ends. The process may take a
    /// while longer to exit.
    fn is_silent(&self) -> bool {
        matches!(self.said.try_recv(), Err(TryRecvError::Disconnected))
    }

    fn next(&mut self) -> Result<Line, BoxError> {
        let line = self.said.recv_timeout(HUNG_AFTER);
        let line = line.map_err(|cause| self.explain(&cause.to_string()))?;
        self.has_spoken = true;
        line.parse()
    }

    /// Kills the process, and returns all lines that it wrote.
    pub fn kill(mut self) -> Result<Vec<Line>, BoxError> {
        self.end()?;
        self.rest()
    }

    /// Waits until the process ends by itself, and returns all lines that it wrote.
    pub fn finish(mut self) -> Result<Vec<Line>, BoxError> {
        let status = self.child.wait()?;
        if !status.success() {
            return Err(self.explain(&status.to_string()).into());
        }
        self.rest()
    }

    fn rest(&mut self) -> Result<Vec<Line>, BoxError> {
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| "the reader of the pipe panicked")?;
        }
        self.take_lines()
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn explain(&self, cause: &str) -> String {
        let errors = std::fs::read_to_string(self.errors.path()).unwrap_or_default();
        format!("the load failed: {cause}; it wrote: {}", errors.trim())
    }
}

impl Drop for LoadProcess {
    fn drop(&mut self) {
        // After `kill` and `finish` there is nothing left to end.
        let _ = self.end();
    }
}

/// Runs a system command to its end; an error has the output of the command.
pub(crate) fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Result<(), BoxError> {
    let arguments: Vec<S> = arguments.into_iter().collect();
    let shown: Vec<_> = arguments.iter().map(|part| part.as_ref().to_string_lossy()).collect();
    let command = format!("{program} {}", shown.join(" "));
    let output = Command::new(program)
        .args(&arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| format!("`{command}` cannot be run: {cause}"))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{command}` failed ({}): {}", output.status, said.trim()).into())
    }
}
