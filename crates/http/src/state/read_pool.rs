//! Threads that read the store for code that must not block.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use custom_models_core::StoreErrorKind;
use tokio::sync::oneshot;

use crate::rejection::Rejection;
use crate::telemetry::panics::cause_of;

/// A read, with the way back of its answer.
type Read = Box<dyn FnOnce() + Send>;

/// So many threads, which end when this is dropped. Under load a thread goes from one read to the next
/// without falling asleep and being woken, which costs more than most reads do.
pub(crate) struct Readers {
    reads: Sender<Read>,
}

impl Readers {
    /// Starts the threads. With those that cannot be started the others do without.
    pub(crate) fn start(threads: usize) -> Self {
        let (reads, queue) = unbounded();
        for number in 0..threads.max(1) {
            if let Err(cause) = start(number, queue.clone()) {
                tracing::error!(cause = ?cause.to_string(), "a thread that reads was not started");
            }
        }
        Readers { reads }
    }

    /// Reads in turn. Dropped before its turn, it is not made.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Rejection> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (sender, answer) = oneshot::channel();
        let span = tracing::Span::current();
        let in_turn = move || {
            if !sender.is_closed() {
                let read = AssertUnwindSafe(|| span.in_scope(read));
                let answer = panic::catch_unwind(read)
                    .unwrap_or_else(|panic| Err(Rejection::internal(cause_of(&*panic))));
                // Nobody may be waiting any more.
                let _ = sender.send(answer);
            }
        };
        // Where no thread reads, the way back goes with the read.
        let _ = self.reads.send(Box::new(in_turn));
        answer.await.map_err(|_| StoreErrorKind::Busy)?
    }
}

fn start(number: usize, queue: Receiver<Read>) -> io::Result<()> {
    let read = move || queue.iter().for_each(|read| read());
    thread::Builder::new().name(format!("reader-{number}")).spawn(read).map(drop)
}

#[cfg(test)]
mod tests;
