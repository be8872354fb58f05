//! The deletion of old records.

use crate::time::{Timestamp, UnixMillis};

/// The bounds of a purge of old events and idempotency records.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Deletes events that happened before this time, up to the first one of their organisation that did not.
    /// `None` keeps all events.
    pub events_before: Option<Timestamp>,
    /// Deletes idempotency records of this time or before.
    pub idempotency_until: UnixMillis,
    /// The most rows of each kind to delete, so that other writes do not wait long.
    pub limit: u32,
}

/// The numbers of rows that a purge deleted.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// The number of deleted events.
    pub events: u64,
    /// The number of deleted idempotency records.
    pub answers: u64,
}
