//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::Engine;
use custom_models_core::store::ModelStore;
use custom_models_core::time::UnixMillis;

/// The initial time of a [`Clock`], in milliseconds since 1970.
const START: i64 = 1_736_935_200_000;

/// A clock that the test advances. Clones share the time.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Clock::at(START)
    }

    /// Creates a clock at this many milliseconds since 1970.
    pub(crate) fn at(millis: i64) -> Self {
        Clock(Arc::new(AtomicI64::new(millis)))
    }

    pub(crate) fn engine(&self, store: impl ModelStore + 'static) -> Engine {
        let clock = self.clone();
        Engine::new(Arc::new(store), move || clock.time())
    }

    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis::from_unix_millis(self.0.load(Ordering::SeqCst))
    }

    /// Advances the clock by this many milliseconds, or sets it back.
    pub(crate) fn go(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn time(&self) -> SystemTime {
        let millis = u64::try_from(self.now().unix_millis()).unwrap();
        UNIX_EPOCH + Duration::from_millis(millis)
    }
}
