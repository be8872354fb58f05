//! A pool of threads that read a store for asynchronous code.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::oneshot::{Receiver, oneshot};

/// A read that sends its own result.
type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads that read a store for asynchronous code. Needs no runtime.
///
/// The router has one, and so does every [`Engine`](crate::Engine) whose asynchronous reads are used. Clones are
/// cheap and share the threads. When the last clone is dropped, the threads make the queued reads and end.
///
/// ```
/// use std::sync::Arc;
/// use custom_models_core::MemoryStore;
/// use custom_models_core::store::{AccessStore, ReadPool};
///
/// let (pool, store) = (ReadPool::start(2), Arc::new(MemoryStore::new()));
/// let read = pool.read(move || store.registrations());
/// assert_eq!(pollster::block_on(read)?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ReadPool {
    handle: Arc<Handle>,
}

/// The queue as the owners of the pool have it. The threads end after this.
struct Handle {
    queue: Arc<Queue>,
    threads: usize,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The number of threads that wait for a job.
    idle: usize,
    is_closed: bool,
}

impl ReadPool {
    /// Returns the number of threads that suits a machine: twice the number of processors, and at least 4, so that one
    /// slow read leaves threads for the others.
    pub fn default_threads() -> usize {
        thread::available_parallelism().map_or(4, |it| (2 * it.get()).max(4))
    }

    /// Starts the threads, at least one. If some cannot be started, the pool has fewer.
    pub fn start(threads: usize) -> Self {
        let queue = Arc::<Queue>::default();
        let start = |number: &usize| {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("reader-{number}"));
            thread.spawn(move || queue.run()).is_ok()
        };
        let threads = (0..threads.max(1)).filter(start).count();
        ReadPool { handle: Arc::new(Handle { queue, threads }) }
    }

    /// Returns the number of threads that were started.
    pub fn threads(&self) -> usize {
        self.handle.threads
    }

    /// Queues a read for a thread of the pool. A read whose future is dropped before a thread takes it is skipped.
    ///
    /// # Errors
    ///
    /// The future gives the error of the read; [`StoreErrorKind::Failed`] if it panics; and
    /// [`StoreErrorKind::Busy`] if no thread could be started.
    pub fn read<T, E>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> PendingRead<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, result) = oneshot();
        let job = move || {
            if !sender.is_abandoned() {
                let result = panic::catch_unwind(AssertUnwindSafe(read));
                sender.send(result.unwrap_or_else(|panic| Err(panicked(&*panic).into())));
            }
        };
        if self.threads() > 0 {
            self.handle.queue.push(Box::new(job));
        }
        PendingRead(result)
    }
}

impl fmt::Debug for ReadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPool").field("threads", &self.threads()).finish_non_exhaustive()
    }
}

/// Starts [`ReadPool::default_threads`] threads.
impl Default for ReadPool {
    fn default() -> Self {
        ReadPool::start(ReadPool::default_threads())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.filled.notify_all();
    }
}

impl Queue {
    fn push(&self, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        let is_awaited = state.idle > 0;
        drop(state);
        if is_awaited {
            self.filled.notify_one();
        }
    }

    /// Makes the queued reads until the queue is closed and empty. Under load a thread goes from one read to the next
    /// without sleeping and being woken, which costs more than most reads do.
    fn run(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Locks the state. Nothing that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool of an engine or a gate, which its clones share. It is started when it is used first.
#[derive(Clone, Default)]
pub(crate) struct Readers(Arc<OnceLock<ReadPool>>);

impl Readers {
    pub(crate) fn get(&self) -> &ReadPool {
        self.0.get_or_init(ReadPool::default)
    }
}

impl From<ReadPool> for Readers {
    fn from(pool: ReadPool) -> Self {
        Readers(Arc::new(pool.into()))
    }
}

/// The result of a read on a thread of a [`ReadPool`], as a future for any async runtime.
#[must_use = "a read whose future is dropped may be skipped: await it for the result"]
pub struct PendingRead<T, E>(Receiver<Result<T, E>>);

impl<T, E: From<StoreError>> Future for PendingRead<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let busy = || Err(StoreError::from(StoreErrorKind::Busy).into());
        Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or_else(busy))
    }
}

impl<T, E> fmt::Debug for PendingRead<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRead").finish_non_exhaustive()
    }
}

/// Returns the error of a read that panicked. It shows the message if that is a literal in the code: one that was
/// formatted may repeat what a client sent. The panic hook logs the location.
fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let cause = match panic.downcast_ref::<&'static str>() {
        Some(text) => format!("a read panicked: {text}"),
        None => "a read panicked".to_owned(),
    };
    StoreError::new(StoreErrorKind::Failed, cause)
}

#[cfg(test)]
mod tests;
