//! Many threads that begin at the same moment.

use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};

use crate::case::text_of;
use crate::verdict::{Checked, Stop};

/// Runs `work` in so many threads, each with its number, and collects what they bring back in the
/// order of their numbers. They begin together.
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

/// Waits for a thread and what it brings back.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, Checked<T>>) -> Checked<T> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => Err(Stop::failed(format!("panic: {}", text_of(&*panic)))),
    }
}
