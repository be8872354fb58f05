//! Trying again, a bounded number of times.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The most times that a transaction is begun anew. Two that stand in each other's way let one through;
/// ten turns are for many.
const MOST: u32 = 10;

/// The longest first wait; each is up to twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(2);

/// The number of failed attempts.
#[derive(Default)]
pub(crate) struct Backoff {
    failed: u32,
}

impl Backoff {
    /// Waits for a random while, so that those who met do not meet again; whether there is another
    /// attempt.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.failed >= MOST {
            return false;
        }
        let longest = FIRST_WAIT.saturating_mul(1 << self.failed);
        self.failed += 1;
        tokio::time::sleep(longest.mul_f64(random())).await;
        true
    }
}

/// From 0 to 1. What hash maps are seeded with is random enough.
fn random() -> f64 {
    const STEPS: u64 = 1000;
    let step = u32::try_from(RandomState::new().hash_one(()) % STEPS).unwrap_or(0);
    f64::from(step) / 1000.0
}
