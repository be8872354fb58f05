//! Retries with a random, exponential backoff.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The most retries of a transaction. Of two that conflict, one succeeds; ten retries are for many.
const MAX_RETRIES: u32 = 10;

/// The longest first wait. The bound doubles with each retry.
const FIRST_WAIT: Duration = Duration::from_millis(2);

/// The number of failed attempts.
#[derive(Default)]
pub(crate) struct Backoff {
    failed: u32,
}

impl Backoff {
    /// Waits for a random time, so that conflicting transactions do not meet again. Returns false
    /// if there is no retry left.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.failed >= MAX_RETRIES {
            return false;
        }
        let longest = FIRST_WAIT.saturating_mul(1 << self.failed);
        self.failed += 1;
        tokio::time::sleep(longest.mul_f64(random())).await;
        true
    }
}

/// A random number from 0 to 1. The seed of hash maps is random enough.
fn random() -> f64 {
    const STEPS: u64 = 1000;
    let step = u32::try_from(RandomState::new().hash_one(()) % STEPS).unwrap_or(0);
    f64::from(step) / 1000.0
}
