//! A value that one thread sends and another one waits for, by blocking or by polling.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Returns the two ends.
pub(super) fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State { value: Value::Awaited, waker: None }),
        ready: Condvar::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// The end that sends. Dropped without a value, it sends that there is none.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// The end that waits: a future of the value, or a value to block for. `None` if there will be none.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
}

struct State<T> {
    value: Value<T>,
    waker: Option<Waker>,
}

enum Value<T> {
    Awaited,
    Sent(T),
    None,
}

impl<T> Shared<T> {
    /// Locks the state. Nothing under the lock can panic, so a poisoned lock is still consistent.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    pub(super) fn send(self, value: T) {
        self.settle(Value::Sent(value));
    }

    /// Returns true if nobody waits any more.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn settle(&self, value: Value<T>) {
        let mut state = self.0.lock();
        if !matches!(state.value, Value::Awaited) {
            return;
        }
        state.value = value;
        let waker = state.waker.take();
        drop(state);
        self.0.ready.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.settle(Value::None);
    }
}

impl<T> Receiver<T> {
    /// Blocks the thread until the value is there.
    pub(super) fn wait(self) -> Option<T> {
        let mut state = self.0.lock();
        loop {
            match std::mem::replace(&mut state.value, Value::None) {
                Value::Sent(value) => return Some(value),
                Value::None => return None,
                Value::Awaited => state.value = Value::Awaited,
            }
            state = self.0.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        // The host's waker is cloned before the lock is taken, and dropped after it is released.
        let waker = context.waker().clone();
        let mut state = self.0.lock();
        match std::mem::replace(&mut state.value, Value::None) {
            Value::Sent(value) => return Poll::Ready(Some(value)),
            Value::None => return Poll::Ready(None),
            Value::Awaited => state.value = Value::Awaited,
        }
        let earlier = state.waker.replace(waker);
        drop(state);
        drop(earlier);
        Poll::Pending
    }
}
