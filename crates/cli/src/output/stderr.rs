//! Standard error of commands that run for long. A thread writes it, so that logging never waits for a reader.
//!
//! `tracing-appender` has such a writer, but does not count lines that could not be written, and prints to standard
//! output when it is dropped with a full queue.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::output::escape::Escaped;

/// The capacity of the queue. Further lines are lost.
const WAITING: usize = 4096;

/// The time that a process waits at its end for the queue.
const LAST: Duration = Duration::from_secs(1);

static STANDARD_ERROR: OnceLock<StderrQueue> = OnceLock::new();

/// The queue of standard error. The first call starts the thread.
pub(crate) fn standard_error() -> &'static StderrQueue {
    STANDARD_ERROR.get_or_init(|| StderrQueue::start(io::stderr()))
}

/// Writes a line to standard error through the queue.
pub(crate) fn say(line: &str) {
    standard_error().push(format!("{}\n", Escaped(line)).as_bytes());
}

/// Writes a line to standard error: through the queue if it is in use, else directly.
pub(crate) fn print(line: &str) {
    let line = format!("{}\n", Escaped(line));
    match STANDARD_ERROR.get() {
        Some(queue) => queue.push(line.as_bytes()),
        // There is no other place to report this.
        None => drop(io::stderr().lock().write_all(line.as_bytes())),
    }
}

/// Sends panics through the queue. Shows the text of a panic only if it is a constant of the code.
pub(crate) fn say_panics() {
    let said = |panic: &PanicHookInfo<'_>| {
        let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("panicked at {location}: {text}"));
        flush_if_last();
    };
    panic::set_hook(Box::new(said));
}

/// Flushes the queue in a panic of the main thread, which ends the process.
pub(crate) fn flush_if_last() {
    if thread::current().name() == Some("main")
        && let Some(queue) = STANDARD_ERROR.get()
    {
        queue.flush_within(LAST);
    }
}

/// Runs `print` on standard error, at the end of a process. Waits at most [`LAST`] for the queue, if it is in use.
pub(crate) fn finish<T>(print: impl FnOnce(&mut dyn Write) -> T) -> T {
    match STANDARD_ERROR.get() {
        None => print(&mut io::stderr().lock()),
        Some(mut queue) => {
            let printed = print(&mut queue);
            queue.flush_within(LAST);
            printed
        }
    }
}

/// A stream that a thread writes. Lines that do not fit or cannot be written are lost and counted.
pub(crate) struct StderrQueue {
    messages: Sender<Message>,
    losses: Arc<Losses>,
}

enum Message {
    Line(Vec<u8>),
    /// A request to drop the sender when everything before it is written.
    Flush(Sender<()>),
}

#[derive(Default)]
struct Losses {
    lost: AtomicU64,
    /// Reports lost lines, by their number since the start.
    tell: OnceLock<fn(u64)>,
}

impl StderrQueue {
    fn start(out: impl Write + Send + 'static) -> Self {
        let (messages, waiting) = bounded(WAITING);
        let losses = Arc::new(Losses::default());
        let counted = Arc::clone(&losses);
        let write = move || write(out, &waiting, &counted);
        // Without the thread every line is lost, and counted.
        let _ = thread::Builder::new().name("stderr".to_owned()).spawn(write);
        StderrQueue { messages, losses }
    }

    /// Sets the function that reports lost lines.
    #[cfg(feature = "serve")]
    pub(crate) fn tell_losses(&self, tell: fn(u64)) {
        // The first function stays.
        let _ = self.losses.tell.set(tell);
    }

    /// The number of lines that were lost since the start.
    #[cfg(feature = "serve")]
    pub(crate) fn lost(&self) -> u64 {
        self.losses.lost.load(Ordering::Relaxed)
    }

    /// Adds a line if the queue has room. Does not wait.
    fn push(&self, line: &[u8]) {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.losses.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written that was pushed before, at most `span`.
    fn flush_within(&self, span: Duration) {
        let deadline = Instant::now() + span;
        let (done, written) = bounded(0);
        if self.messages.send_deadline(Message::Flush(done), deadline).is_ok() {
            // The sender never sends: dropping it is the signal.
            let _ = written.recv_deadline(deadline);
        }
    }
}

/// Each write is one line.
impl Write for &StderrQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines until every sender is gone.
fn write(out: impl Write, waiting: &Receiver<Message>, losses: &Losses) {
    let mut writer = Writer { out, losses, told: 0, since: 0 };
    for message in waiting {
        match message {
            Message::Line(line) => {
                let is_written = writer.write(&line);
                if is_written && (waiting.is_empty() || writer.since >= WAITING) {
                    writer.tell();
                }
            }
            Message::Flush(done) => {
                writer.tell();
                // The report is in the queue after this message.
                waiting.try_iter().for_each(|message| {
                    if let Message::Line(line) = message {
                        writer.write(&line);
                    }
                });
                drop(done);
            }
        }
    }
}

/// Writes lines, and reports lost ones when the queue is empty, or after [`WAITING`] lines under constant load.
struct Writer<'a, W> {
    out: W,
    losses: &'a Losses,
    /// The last reported number of lost lines.
    told: u64,
    /// The number of lines written since that report.
    since: usize,
}

impl<W: Write> Writer<'_, W> {
    fn write(&mut self, line: &[u8]) -> bool {
        let is_written = self.out.write_all(line).and_then(|()| self.out.flush()).is_ok();
        if is_written {
            self.since += 1;
        } else {
            self.losses.lost.fetch_add(1, Ordering::Relaxed);
        }
        is_written
    }

    fn tell(&mut self) {
        let lost = self.losses.lost.load(Ordering::Relaxed);
        if lost > self.told {
            (self.told, self.since) = (lost, 0);
            if let Some(tell) = self.losses.tell.get() {
                tell(lost);
            }
        }
    }
}

#[cfg(test)]
mod tests;
