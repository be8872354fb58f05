//! Waiting for a store's answer: a thread blocks, a future yields, and both wait on the same thing.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Completion, ModelStore, Outcome, StoreError, StoreErrorKind, Write};

type Answer = Result<Outcome, StoreError>;

/// The answer to a submitted write, which is or will be there.
///
/// Needs no particular runtime to be polled. Dropping it does not take the write back.
pub(crate) struct Pending {
    shared: Arc<Shared>,
}

impl Pending {
    /// Submits a write.
    pub(crate) fn submit(store: &(impl ModelStore + ?Sized), write: Write) -> Self {
        let shared = Arc::new(Shared::default());
        let promise = Promise { shared: Arc::clone(&shared), is_kept: false };
        let done: Completion = Box::new(move |answer| promise.keep(answer));
        store.submit(write, done);
        Pending { shared }
    }

    /// Blocks the thread until the answer is there.
    pub(crate) fn wait(self) -> Answer {
        let mut state = self.shared.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Pending {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
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

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ready: Condvar,
}

impl Shared {
    /// Nothing that can panic runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// The store's end. If the store drops it without an answer, nobody knows what became of the write,
/// and that is the answer.
struct Promise {
    shared: Arc<Shared>,
    is_kept: bool,
}

impl Promise {
    fn keep(mut self, answer: Answer) {
        self.is_kept = true;
        self.settle(answer);
    }

    fn settle(&self, answer: Answer) {
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

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.is_kept {
            self.settle(Err(StoreErrorKind::OutcomeUnknown.into()));
        }
    }
}
