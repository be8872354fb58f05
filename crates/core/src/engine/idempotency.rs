//! Requests that may be repeated: what was answered is answered again (IDEM-1).

use crate::engine::refusal::Refusal;
use crate::model::ContentDigest;
use crate::store::IdempotencyRecord;

/// The result of a request that may be repeated (IDEM-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotent<T> {
    /// The request was executed now.
    Executed(T),
    /// The request was executed before, and this was the answer.
    Replayed(IdempotencyRecord),
}

impl IdempotencyRecord {
    /// The answer, for a request that was sent under the same key (IDEM-1).
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] if that asks something else.
    pub fn for_request(self, asked: ContentDigest) -> Result<Self, Refusal> {
        if self.request == asked { Ok(self) } else { Err(Refusal::IdempotencyKeyReused) }
    }
}
