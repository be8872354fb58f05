//! The policy by which requests are sent again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::error::Error;

/// A timer of the host's: returns a future that is ready after so long.
pub type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The wait after the first failure without `Retry-After`. It doubles with each one.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The policy of retries: which requests are sent again, how often, and after what wait.
///
/// - A 429 and a 503 were not admitted, so every request is sent again, after the `Retry-After` of the response. A 503
///   that does not know whether the change was made, or that is not of this API, is treated as a lost connection.
/// - After a lost connection a request is sent again if that changes nothing twice: a read, a heartbeat, and a create, a
///   run or an upload with its idempotency key. An update, a delete, a cancel, a claim and the report at the end of a
///   training are not.
/// - A request that found no connection is always sent again. One whose response did not come in time never is: the caller
///   has waited already.
///
/// A wait that is longer than the longest one ends the retries at once, with the refusal.
#[derive(Clone)]
pub struct RetryPolicy {
    max_retries: u32,
    max_wait: Duration,
    sleep: Arc<Sleep>,
}

impl Default for RetryPolicy {
    /// 4 retries, with waits of 30 seconds at most.
    fn default() -> Self {
        RetryPolicy {
            max_retries: 4,
            max_wait: Duration::from_secs(30),
            sleep: Arc::new(|wait| Box::pin(tokio::time::sleep(wait))),
        }
    }
}

impl RetryPolicy {
    /// Returns the policy that sends every request once.
    pub fn none() -> Self {
        RetryPolicy::default().with_max_retries(0)
    }

    /// Sets how often a request is sent again.
    #[must_use]
    pub fn with_max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// Sets the longest wait between two attempts.
    #[must_use]
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// Replaces tokio's timer, for tests and simulated clocks.
    #[must_use]
    pub fn with_sleep<F>(mut self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sleep = Arc::new(move |wait| Box::pin(sleep(wait)));
        self
    }

    pub(crate) async fn sleep(&self, wait: Duration) {
        (self.sleep)(wait).await;
    }

    /// Returns the wait before the next attempt; `None` if there is none. `retries` have been made, and `is_repeatable`
    /// says that the service does nothing twice.
    pub(crate) fn wait(
        &self,
        error: &Error,
        retries: u32,
        is_repeatable: bool,
    ) -> Option<Duration> {
        if retries >= self.max_retries || !may_repeat(error, is_repeatable) {
            return None;
        }
        let asked = match error {
            Error::Refused(refused) => refused.retry_after,
            Error::Unexpected(response) => response.retry_after,
            _ => None,
        };
        asked.map_or_else(|| Some(self.backoff(retries)), Some).filter(|it| *it <= self.max_wait)
    }

    /// Returns a doubling wait, of which a half is random, so that many clients do not return at the same time.
    fn backoff(&self, retries: u32) -> Duration {
        let full = FIRST_WAIT.saturating_mul(1_u32.checked_shl(retries).unwrap_or(u32::MAX));
        let half = full.min(self.max_wait) / 2;
        let [.., random] = Uuid::new_v4().into_bytes();
        half + half.mul_f64(f64::from(random) / 255.0)
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_retries", &self.max_retries)
            .field("max_wait", &self.max_wait)
            .finish_non_exhaustive()
    }
}

/// Returns true if a request may be sent again after this error.
fn may_repeat(error: &Error, is_repeatable: bool) -> bool {
    match error {
        Error::Refused(refused) => match refused.status {
            429 => true,
            503 => is_repeatable || refused.code() != Some("OUTCOME_UNKNOWN"),
            _ => false,
        },
        Error::Unexpected(response) => is_repeatable && matches!(response.status, 429 | 503),
        Error::Transport(fault) => fault.is_connect() || (is_repeatable && !fault.is_timeout()),
        Error::File { .. } | Error::Inexpressible(_) => false,
    }
}
