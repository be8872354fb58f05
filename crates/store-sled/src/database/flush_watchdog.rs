//! A watchdog that wakes a hanging flush of sled.
//!
//! When one of sled's threads fails to write, it records the error without waking a flush that
//! waits for it (`exit_reservation` in its `logger.rs`). A second flush finds the error and wakes
//! the first. So while a flush takes very long, the watchdog starts another from time to time.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A watchdog over calls that may hang.
pub(crate) struct FlushWatchdog {
    calls: Arc<Calls>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Calls {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    /// Odd while a call lasts.
    number: u64,
    is_stopped: bool,
}

impl FlushWatchdog {
    /// Starts the watchdog. It calls `wake` once a call has lasted between one and two times
    /// `patience`, and then again after waits that double each time. `wake` must not block.
    pub(crate) fn start(patience: Duration, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        let calls = Arc::new(Calls::default());
        let watched = Arc::clone(&calls);
        let thread = thread::Builder::new()
            .name("sled-watchdog".to_owned())
            .spawn(move || watched.wake(patience, wake))?;
        Ok(FlushWatchdog { calls, thread: Some(thread) })
    }

    /// Makes a call under the watchdog. It must not panic.
    pub(crate) fn watch<T>(&self, call: impl FnOnce() -> T) -> T {
        self.calls.lock().number += 1;
        let result = call();
        self.calls.lock().number += 1;
        result
    }
}

impl Drop for FlushWatchdog {
    fn drop(&mut self) {
        self.calls.lock().is_stopped = true;
        self.calls.stopped.notify_one();
        if let Some(thread) = self.thread.take() {
            // Once joined, the thread holds no handle any more.
            let _ = thread.join();
        }
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, patience: Duration, wake: impl Fn()) {
        let mut wait = patience;
        let mut state = self.lock();
        while !state.is_stopped {
            let number = state.number;
            let waited = self.stopped.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.number == number && number % 2 == 1 {
                wake();
                wait = wait.saturating_mul(2);
            } else {
                wait = patience;
            }
        }
    }
}

#[cfg(test)]
mod tests;
