//! Results of rate-limited requests, which are admitted in the write that they make (RATE-3).

use crate::access::RateLimitStatus;
use crate::engine::forms::WriteOperation;
use crate::engine::idempotency::Idempotent;
use crate::engine::refusal::{Refusal, unexpected};
use crate::store::{IdempotencyRecord, Outcome, Write};

/// The result of a rate-limited request.
///
/// Not `#[non_exhaustive]`: a host has to take each case into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited<T> {
    /// The request is admitted and counts.
    Admitted {
        /// The status of its window, including the request; `None` if the operation has no window.
        rate_limit: Option<RateLimitStatus>,
        /// The result of the change.
        result: Result<T, Refusal>,
    },
    /// The request was executed before, and does not count again (IDEM-1).
    Replayed(IdempotencyRecord),
    /// The window of the request is full (RATE-1). It does not count, and nothing was changed.
    Full {
        /// The status of the window.
        rate_limit: RateLimitStatus,
        /// The whole seconds until a request is admitted if no other is sent (RATE-5).
        retry_after: u64,
    },
}

impl<T> Limited<T> {
    /// Returns the result of a request that was made without an admission.
    ///
    /// # Errors
    ///
    /// The refusal of the change. A full window is an error of the store here.
    pub fn without_window(self) -> Result<Idempotent<T>, Refusal> {
        match self {
            Limited::Admitted { result, .. } => result.map(Idempotent::Executed),
            Limited::Replayed(kept) => Ok(Idempotent::Replayed(kept)),
            Limited::Full { rate_limit, retry_after } => {
                Err(unexpected(&Outcome::WindowFull { rate_limit, retry_after }))
            }
        }
    }
}

/// The operation of a write with an admission or an idempotency record. `interpret` turns the outcome of the change
/// alone into its result.
pub(crate) fn limited<T: 'static>(
    write: Write,
    interpret: impl FnOnce(Outcome) -> Result<T, Refusal> + Send + 'static,
) -> WriteOperation<Limited<T>> {
    let asked = write.idempotency.as_ref().map(|answer| answer.request);
    WriteOperation::new(write, move |outcome| {
        Ok(match (outcome, asked) {
            (Outcome::Repeated(kept), Some(asked)) => Limited::Replayed(kept.for_request(asked)?),
            (Outcome::WindowFull { rate_limit, retry_after }, _) => {
                Limited::Full { rate_limit, retry_after }
            }
            (Outcome::Admitted { rate_limit, outcome }, _) => {
                Limited::Admitted { rate_limit: Some(rate_limit), result: interpret(*outcome) }
            }
            (outcome, _) => Limited::Admitted { rate_limit: None, result: interpret(outcome) },
        })
    })
}
