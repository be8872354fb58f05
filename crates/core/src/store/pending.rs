//! Waiting for a store's answer: a thread blocks, a future yields, and both wait on the same thing.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::write::Completion;

/// The answer to a submitted write, which is or will be there.
///
/// Needs no particular runtime to be polled. Dropping it does not take the write back.
pub(crate) struct Pending<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Send + 'static> Pending<T> {
    /// Has a write submitted, with the completion that is handed in.
    pub(crate) fn new(submit: impl FnOnce(Completion<T>)) -> Self {
        let shared = Arc::new(Shared::new());
        let promise = Promise { shared: Arc::clone(&shared), is_kept: false };
        submit(Box::new(move |answer| promise.keep(answer)));
        Pending { shared }
    }

    /// Blocks the thread until the answer is there.
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
        // A waker is a host's code: it is cloned before the lock is taken, and dropped after.
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

    /// Nothing that can panic runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State<T> {
    answer: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

/// The store's end. If the store drops it without an answer, nobody knows what became of the write,
/// and that is the answer.
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
