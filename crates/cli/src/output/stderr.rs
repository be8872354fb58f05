//! Standard error of commands that run for long: a thread of its own writes it, so that nobody who logs or
//! says something waits for whoever reads.
//!
//! `tracing-appender` has such a writer. It does not count the lines that could not be written, and its end
//! prints to standard output when the queue is full.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::output::escape::Escaped;

/// The most lines that wait to be written. One more is lost.
const WAITING: usize = 4096;

/// The time that a process waits at its end for what it said last to be written.
const LAST: Duration = Duration::from_secs(1);

static STANDARD_ERROR: OnceLock<StderrQueue> = OnceLock::new();

/// Standard error. The thread is started with the first call.
pub(crate) fn standard_error() -> &'static StderrQueue {
    STANDARD_ERROR.get_or_init(|| StderrQueue::start(io::stderr()))
}

/// Says a line to whoever looks at the terminal, if anybody does.
pub(crate) fn say(line: &str) {
    standard_error().push(format!("{}\n", Escaped(line)).as_bytes());
}

/// Writes a line on standard error. Where nothing was said before, whoever reads is waited for.
pub(crate) fn print(line: &str) {
    let line = format!("{}\n", Escaped(line));
    match STANDARD_ERROR.get() {
        Some(queue) => queue.push(line.as_bytes()),
        // Nobody is left to tell.
        None => drop(io::stderr().lock().write_all(line.as_bytes())),
    }
}

/// Has a panic say a line like any other. Of its text only what stands in the code is shown.
pub(crate) fn say_panics() {
    let said = |panic: &PanicHookInfo<'_>| {
        let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("panicked at {location}: {text}"));
        flush_if_last();
    };
    panic::set_hook(Box::new(said));
}

/// Waits a moment for what was said before a panic of the main thread, with which the process ends.
pub(crate) fn flush_if_last() {
    if thread::current().name() == Some("main")
        && let Some(queue) = STANDARD_ERROR.get()
    {
        queue.flush_within(LAST);
    }
}

/// Runs `print` on standard error, at the end of a process.
///
/// A command that has said something before waits a moment for it to be written, and no longer.
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

/// A stream that a thread of its own writes. Lines that cannot wait, or cannot be written, are lost and counted.
pub(crate) struct StderrQueue {
    messages: Sender<Message>,
    losses: Arc<Losses>,
}

enum Message {
    Line(Vec<u8>),
    /// Everything before it was written. The sender is dropped then.
    Flush(Sender<()>),
}

#[derive(Default)]
struct Losses {
    lost: AtomicU64,
    /// Tells of lost lines, by their number since the start.
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

    /// Has the writing go on with `tell` after lines were lost.
    #[cfg(feature = "serve")]
    pub(crate) fn tell_losses(&self, tell: fn(u64)) {
        // Whoever said so first goes on telling.
        let _ = self.losses.tell.set(tell);
    }

    /// The number of lines that were lost since the start.
    #[cfg(feature = "serve")]
    pub(crate) fn lost(&self) -> u64 {
        self.losses.lost.load(Ordering::Relaxed)
    }

    /// Has a line written, if there is room for it. Does not wait.
    fn push(&self, line: &[u8]) {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.losses.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written that was pushed before, and no longer than this.
    fn flush_within(&self, span: Duration) {
        let deadline = Instant::now() + span;
        let (done, written) = bounded(0);
        if self.messages.send_deadline(Message::Flush(done), deadline).is_ok() {
            // Nothing is ever sent: it is the end of the sender that counts.
            let _ = written.recv_deadline(deadline);
        }
    }
}

/// Takes each write for a line.
impl Write for &StderrQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines until nobody can push any more.
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
                // What it has told is behind the message.
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

/// Writes lines, and tells of those that were lost when the queue is empty, and under load that does not end
/// once in a queue's length.
struct Writer<'a, W> {
    out: W,
    losses: &'a Losses,
    /// The number of lost lines that was told last.
    told: u64,
    /// Lines that were written since.
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
