//! Threads that start at the same time.

use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ScopedJoinHandle, Thread};

use crate::case::text_of;
use crate::verdict::{Checked, Stop};

/// Runs `work` in this many threads, each with its number, and returns their results in the order of their
/// numbers. All start together.
pub(crate) fn in_threads<T: Send>(
    threads: u64,
    work: impl Fn(u64) -> Checked<T> + Sync,
) -> Checked<Vec<T>> {
    let barrier = Barrier::new(usize::try_from(threads).unwrap_or(usize::MAX));
    let (barrier, work) = (&barrier, &work);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|number| {
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        running.into_iter().map(joined).collect()
    })
}

/// A waker that unparks the thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until a future is done.
pub(crate) fn wait_for<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Joins a thread, and returns its result.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, Checked<T>>) -> Checked<T> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => Err(Stop::failed(format!("panic: {}", text_of(&*panic)))),
    }
}
