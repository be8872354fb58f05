//! Waiting for the outcome of a submitted write, by blocking a thread or by polling a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::write::Completion;

/// The outcome of a submitted write: a future, or a value to block for.
///
/// Works with any async runtime. Dropping it does not cancel the write.
pub(crate) struct Pending<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Send + 'static> Pending<T> {
    /// Submits a write with the completion that this value waits for.
    pub(crate) fn new(submit: impl FnOnce(Completion<T>)) -> Self {
        let shared = Arc::new(Shared::new());
        let promise = Promise { shared: Arc::clone(&shared), is_kept: false };
        submit(Box::new(move |answer| promise.keep(answer)));
        Pending { shared }
    }

    /// Blocks the thread until the outcome is there.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        let mut state = self.shared.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // The host's waker is cloned before the lock is taken, and dropped after it is released.
        let waker = context.waker().clone();
        let mut state = self.shared.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        let earlier = state.waker.replace(waker);
        drop(state);
        drop(earlier);
        Poll::Pending
    }
}

struct Shared<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

impl<T> Shared<T> {
    fn new() -> Self {
        let state = State { answer: None, waker: None };
        Shared { state: Mutex::new(state), ready: Condvar::new() }
    }

    /// Locks the state. Nothing under the lock can panic, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State<T> {
    answer: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

/// The sender of the outcome. Dropped without one, it reports [`StoreErrorKind::OutcomeUnknown`].
struct Promise<T> {
    shared: Arc<Shared<T>>,
    is_kept: bool,
}

impl<T> Promise<T> {
    fn keep(mut self, answer: Result<T, StoreError>) {
        self.is_kept = true;
        self.settle(answer);
    }

    fn settle(&self, answer: Result<T, StoreError>) {
        let mut state = self.shared.lock();
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        self.shared.ready.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.settle(Err(StoreErrorKind::OutcomeUnknown.into()));
        }
    }
}
