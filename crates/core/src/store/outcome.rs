//! The outcome of a write.

use crate::access::RateLimitStatus;
use crate::model::{CustomModel, DataPair, EditRefusal};
use crate::store::idempotency::IdempotencyRecord;

/// The outcome of a write that a store could judge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The model was created.
    Created(CustomModel),
    /// The edit was made.
    Changed {
        /// The model after the edit.
        model: Box<CustomModel>,
        /// The data pair that was removed (DATA-6).
        removed: Option<Box<DataPair>>,
    },
    /// The model was deleted.
    Deleted,
    /// Not created: the organisation has `current` models, at or above its limit (QUOTA-3).
    LimitReached {
        /// The number of models that the organisation has.
        current: u64,
    },
    /// Not made: the organisation has no model with this id.
    NotFound,
    /// Not made: the state or the revision of the model does not allow it.
    Refused(EditRefusal),
    /// Not made: the request was executed before, and this is its record (IDEM-1). The repeat does not count
    /// in its window.
    Repeated(IdempotencyRecord),
    /// The request is admitted and counts (RATE-3).
    Admitted {
        /// The status of its window, including the request.
        rate_limit: RateLimitStatus,
        /// The outcome of its change, made or not. Never [`Outcome::Repeated`], [`Outcome::Admitted`] or
        /// [`Outcome::WindowFull`].
        outcome: Box<Outcome>,
    },
    /// Not made: the window of the request is full, and it does not count (RATE-1).
    WindowFull {
        /// The status of the window.
        rate_limit: RateLimitStatus,
        /// The whole seconds, by the clock that judged, until a request is admitted if no other is sent
        /// (RATE-5).
        retry_after: u64,
    },
}
