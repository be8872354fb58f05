//! Threads that read the store for code that must not block.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use custom_models_core::StoreErrorKind;
use tokio::sync::oneshot;

use crate::observe::cause_of;
use crate::rejection::Rejection;

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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::time::Duration;

    use custom_models_core::Refusal;

    use super::*;

    #[tokio::test]
    async fn a_read_that_panics_is_answered_and_the_thread_reads_on() {
        let readers = Readers::start(1);
        let broken: Result<(), _> = readers.read(|| panic!("stands in the code")).await;
        assert!(matches!(broken, Err(Rejection::Engine(Refusal::Internal { .. }))), "{broken:?}");
        assert_eq!(readers.read(|| Ok(1)).await.unwrap(), 1);
    }

    /// Every read waits for another that is made at the same time.
    #[tokio::test]
    async fn as_many_reads_are_made_at_a_time_as_there_are_threads_and_no_more() {
        let readers = Readers::start(2);
        let (both, now) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let reads = (0..100).map(|_| {
            let (both, now) = (Arc::clone(&both), Arc::clone(&now));
            readers.read(move || {
                let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
                both.wait();
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(at_once)
            })
        });
        let at_once = futures_util::future::try_join_all(reads).await.unwrap();
        assert_eq!(at_once.iter().max(), Some(&2));
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_is_not_made_when_its_turn_comes() {
        let readers = Readers::start(1);
        let (begun, has_begun) = channel();
        let (end, may_end) = channel::<()>();
        let first = readers.read(move || {
            begun.send(()).unwrap();
            may_end.recv().unwrap();
            Ok(())
        });
        let mut first = std::pin::pin!(first);
        let at_once = Duration::ZERO;
        assert!(tokio::time::timeout(at_once, &mut first).await.is_err());
        has_begun.recv().unwrap();
        let (made, is_made) = channel();
        let second = readers.read(move || {
            made.send(()).unwrap();
            Ok(())
        });
        assert!(tokio::time::timeout(at_once, second).await.is_err());
        end.send(()).unwrap();
        first.await.unwrap();
        readers.read(|| Ok(())).await.unwrap();
        assert!(is_made.try_recv().is_err());
    }
}
