//! The program that trains: a child process in its own process group, its output and its exit.

mod lines;
mod message;
mod output;
mod pipes;
mod tail;

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use custom_models_core::model::Progress;

use lines::Lines;
use output::SharedOutput;
pub(crate) use output::TrainerOutput;

/// A running program. Dropping it kills its process group.
pub(crate) struct Trainer {
    child: Child,
    is_reaped: bool,
    output: Arc<SharedOutput>,
    /// Tells the threads to stop waiting.
    has_ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Trainer {
    /// Starts a command line in a shell, with environment variables and standard input.
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
        let mut trainer = Trainer {
            child,
            is_reaped: false,
            output: Arc::default(),
            has_ended: Arc::default(),
            threads: Vec::new(),
        };
        if let Some(stdin) = stdin {
            // The program may ignore its standard input.
            trainer.spawn(move |_, has_ended| pipes::feed(stdin, input.as_bytes(), has_ended))?;
        }
        if let Some(stdout) = stdout {
            trainer.spawn(move |output, has_ended| {
                let (mut lines, mut note) =
                    (Lines::default(), |line: lines::Line<'_>| output.note(line));
                pipes::drain(stdout, has_ended, |part| lines.push(part, &mut note));
                lines.finish(&mut note);
            })?;
        }
        if let Some(stderr) = stderr {
            trainer.spawn(move |output, has_ended| {
                pipes::drain(stderr, has_ended, |part| output.note_error(part));
            })?;
        }
        Ok(trainer)
    }

    /// Starts a thread for a pipe.
    fn spawn(
        &mut self,
        work: impl FnOnce(&SharedOutput, &AtomicBool) + Send + 'static,
    ) -> io::Result<()> {
        let (output, has_ended) = (Arc::clone(&self.output), Arc::clone(&self.has_ended));
        let work = move || work(&output, &has_ended);
        self.threads.push(thread::Builder::new().name("pipe".to_owned()).spawn(work)?);
        Ok(())
    }

    /// Waits until the progress is beyond `known`, at most `patience`. Returns the progress.
    pub(crate) fn progress_beyond(&self, known: Progress, patience: Duration) -> Progress {
        self.output.progress_beyond(known, patience)
    }

    /// Returns the exit status and all output if the program has ended.
    ///
    /// Kills the processes that it left behind in its process group. Does not wait for a process that left the
    /// group, even if that holds the pipes.
    pub(crate) fn ended(&mut self) -> io::Result<Option<(ExitStatus, TrainerOutput)>> {
        let Some(status) = self.child.try_wait()? else { return Ok(None) };
        self.kill();
        self.is_reaped = true;
        self.has_ended.store(true, Ordering::Release);
        self.join();
        Ok(Some((status, self.output.take())))
    }

    /// Joins the threads, which read what is left in the pipes and do not wait for more.
    #[cfg(unix)]
    fn join(&mut self) {
        // The panic hook reports a thread that panicked.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }

    /// Joins the threads, but waits at most a second: a process that the program left behind may block them.
    #[cfg(not(unix))]
    fn join(&mut self) {
        const MOMENT: Duration = Duration::from_secs(1);
        let begun = std::time::Instant::now();
        while self.threads.iter().any(|thread| !thread.is_finished()) && begun.elapsed() < MOMENT {
            thread::sleep(Duration::from_millis(10));
        }
        self.threads.clear();
    }

    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // Fails if no process of the group is left.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        let _ = self.child.kill();
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.kill();
            let _ = self.child.wait();
        }
        self.has_ended.store(true, Ordering::Release);
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

#[cfg(test)]
#[cfg(unix)]
mod tests;
