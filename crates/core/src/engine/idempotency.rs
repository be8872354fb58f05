//! Results of requests that may be repeated (IDEM-1).

use crate::engine::refusal::Refusal;
use crate::model::ContentDigest;
use crate::store::IdempotencyRecord;

/// The result of a request that may be repeated (IDEM-1).
///
/// Not `#[non_exhaustive]`: a host has to take each case into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotent<T> {
    /// The request was executed now.
    Executed(T),
    /// The request was executed before, and this is its record.
    Replayed(IdempotencyRecord),
}

impl IdempotencyRecord {
    /// Returns the record if its request has this digest (IDEM-1).
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] if the digests differ.
    pub fn for_request(self, asked: ContentDigest) -> Result<Self, Refusal> {
        if self.request == asked { Ok(self) } else { Err(Refusal::IdempotencyKeyReused) }
    }
}
