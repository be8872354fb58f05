//! The program that trains: a child with its own process group, what it says, and how it ends.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use custom_models_core::{Progress, TrainingMetrics};
use serde::Deserialize;

/// The longest line that is looked at; what is longer is passed over.
const LONGEST_LINE: u64 = 64 << 10;

/// How much of what a program writes to standard error is kept: its end.
const TAIL: usize = 4 << 10;

/// What a program says of its training, a line of JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// `{"progress": 42}`
    Progress(Progress),
    /// `{"metrics": {"word_error_rate": 0.1}}`
    Metrics(TrainingMetrics),
}

/// A program that runs. Dropped, it is killed with all that it started.
pub(crate) struct Program {
    child: Child,
    words: Receiver<Word>,
    tail: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts a command line in a shell, with variables and something to read.
    pub(crate) fn start(
        command: &str,
        variables: &[(&str, String)],
        input: String,
    ) -> io::Result<Self> {
        let mut shell = shell(command);
        shell.envs(variables.iter().map(|(name, value)| (*name, value)));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        thread::spawn(move || {
            // A program need not read what it is told.
            stdin.map(|mut stdin| stdin.write_all(input.as_bytes()))
        });
        let (sender, words) = channel();
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(lines) {
                // What is no word is for people.
                if let Ok(word) = serde_json::from_slice(&line)
                    && sender.send(word).is_err()
                {
                    return;
                }
            }
        });
        let tail = thread::spawn(move || stderr.map(tail_of).unwrap_or_default());
        Ok(Program { child, words, tail: Some(tail) })
    }

    /// Waits so long for a word; `None` if none came.
    pub(crate) fn word(&self, patience: Duration) -> Option<Word> {
        match self.words.recv_timeout(patience) {
            Ok(word) => Some(word),
            Err(RecvTimeoutError::Timeout) => None,
            // It says nothing more, but may still run.
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(patience);
                None
            }
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// What it said that was not listened to yet. Asked when it has ended; what it started and left
    /// behind ends as well.
    pub(crate) fn last_words(&mut self) -> Vec<Word> {
        self.kill();
        self.words.iter().collect()
    }

    /// The end of what it wrote to standard error.
    pub(crate) fn tail(&mut self) -> String {
        self.tail.take().and_then(|tail| tail.join().ok()).unwrap_or_default()
    }

    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // A group of which nobody is left cannot be told.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

/// The lines of an output, without memory for one that never ends.
fn lines(output: impl Read) -> impl Iterator<Item = Vec<u8>> {
    let mut output = BufReader::new(output);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            line.clear();
            output.skip_until(b'\n').ok()?;
        }
        Some(line)
    })
}

fn tail_of(mut output: impl Read) -> String {
    let (mut tail, mut part) = (VecDeque::new(), [0; TAIL]);
    while let Ok(count @ 1..) = output.read(&mut part) {
        tail.extend(part.iter().take(count));
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }
    let bytes: Vec<u8> = tail.into();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_takes_no_memory_and_the_next_one_counts() {
        let endless = io::repeat(b'x').take(10 * LONGEST_LINE);
        let output = endless.chain(&b"\nshort\nlast"[..]);
        let all: Vec<_> = lines(output).collect();
        assert_eq!(all, [&b""[..], b"short\n", b"last"]);
    }

    #[test]
    fn of_standard_error_the_end_is_kept() {
        let output = io::repeat(b'x').take(100_000).chain(&b" the reason\n"[..]);
        let tail = tail_of(output);
        assert!(tail.ends_with("x the reason") && tail.len() < TAIL, "{}", tail.len());
    }
}
