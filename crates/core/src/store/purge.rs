//! The deletion of old records.

use crate::time::{Timestamp, UnixMillis};

/// The bounds of a purge of old events and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Events that happened before this, up to the first of their organisation that did not; `None`
    /// keeps all.
    pub events_before: Option<Timestamp>,
    /// Kept answers of before this or at it.
    pub idempotency_until: UnixMillis,
    /// The most rows of each kind that are deleted, so that other writes need not wait for long.
    pub limit: u32,
}

/// The numbers of rows that a purge deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Kept answers.
    pub answers: u64,
}
