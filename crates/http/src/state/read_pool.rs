//! A pool of threads that read the store for asynchronous code.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use custom_models_core::store::StoreErrorKind;
use tokio::sync::oneshot;

use crate::rejection::Rejection;
use crate::telemetry::panics::cause_of;

/// A read that sends its own result.
type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads, which end when this is dropped. Under load a thread goes from one read to the next
/// without sleeping and being woken, which costs more than most reads do.
pub(crate) struct ReadPool {
    jobs: Sender<Job>,
}

impl ReadPool {
    /// Starts the threads. If some cannot be started, the pool has fewer.
    pub(crate) fn start(threads: usize) -> Self {
        let (jobs, queue) = unbounded();
        for number in 0..threads.max(1) {
            if let Err(cause) = start(number, queue.clone()) {
                tracing::error!(cause = ?cause.to_string(), "a thread that reads was not started");
            }
        }
        ReadPool { jobs }
    }

    /// Queues a read and waits for its result. If the future is dropped before a thread takes the read, it is skipped.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Rejection> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (sender, result) = oneshot::channel();
        let span = tracing::Span::current();
        let job = move || {
            if !sender.is_closed() {
                let read = AssertUnwindSafe(|| span.in_scope(read));
                let result = panic::catch_unwind(read)
                    .unwrap_or_else(|panic| Err(Rejection::internal(cause_of(&*panic))));
                // The caller may have stopped waiting.
                let _ = sender.send(result);
            }
        };
        // Without a thread the job is dropped, and its sender with it.
        let _ = self.jobs.send(Box::new(job));
        result.await.map_err(|_| StoreErrorKind::Busy)?
    }
}

fn start(number: usize, queue: Receiver<Job>) -> io::Result<()> {
    let run = move || queue.iter().for_each(|job| job());
    thread::Builder::new().name(format!("reader-{number}")).spawn(run).map(drop)
}

#[cfg(test)]
mod tests;
