//! Errors of a store.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The kind of a store error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The queue is full, or another process holds a lock on the store. Nothing was written; the caller may
    /// retry.
    Busy,
    /// The change was made completely or not at all, and the store cannot tell which.
    OutcomeUnknown,
    /// The store was closed.
    Closed,
    /// The path or database holds something other than this kind of store.
    NotOurs,
    /// The store was written by a newer version of this software.
    Newer,
    /// The store has an older layout and was opened without permission to migrate it
    /// ([`OpenMode::Current`](crate::store::OpenMode::Current)).
    Older,
    /// There is no store at this path, and none may be created (PLACE-1).
    Missing,
    /// The folder of training data belongs to another store (PLACE-2). Nothing was written or removed.
    ForeignData,
    /// The store was opened for reading only. Nothing was written.
    ReadOnly,
    /// The store keeps no rate-limit windows
    /// ([`AccessStore::keeps_windows`](crate::store::AccessStore::keeps_windows)). Nothing was written.
    NoWindows,
    /// Another process has the store open, and stores of this kind have one process at a time.
    Locked,
    /// The stored records differ from anything that this software writes.
    Damaged,
    /// There is no space left. The store works again once there is.
    Full,
    /// Every id up to 2^53 − 1 is used (MODEL-1).
    IdsExhausted,
    /// The store cannot be reached or accessed: a missing folder, a missing permission, a server that does
    /// not respond. This may pass.
    Unavailable,
    /// Any other failure below the store: an I/O error, an error of the database.
    Failed,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreErrorKind::Busy => "the store is busy",
            StoreErrorKind::OutcomeUnknown => "it is unknown whether the change was made",
            StoreErrorKind::Closed => "the store is closed",
            StoreErrorKind::NotOurs => "not a store of custom models",
            StoreErrorKind::Newer => "the store was written by a newer version",
            StoreErrorKind::Older => "the store has an older layout",
            StoreErrorKind::Missing => "there is no store",
            StoreErrorKind::ForeignData => "the training data belongs to another store",
            StoreErrorKind::ReadOnly => "the store was opened for reading alone",
            StoreErrorKind::NoWindows => "the store keeps no windows of request limits",
            StoreErrorKind::Locked => "another process has the store open",
            StoreErrorKind::Damaged => "the store is damaged",
            StoreErrorKind::Full => "no space is left for the store",
            StoreErrorKind::IdsExhausted => "every id is given away",
            StoreErrorKind::Unavailable => "the store is unavailable",
            StoreErrorKind::Failed => "the store failed",
        })
    }
}

/// A store error: its kind, and its cause.
///
/// `Display` shows the kind alone; the cause is the `source`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Creates an error with its cause, an error or a text.
    pub fn new(kind: StoreErrorKind, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StoreError { kind, source: Some(cause.into().into()) }
    }

    /// The error for an outcome that breaks the contract of the store.
    pub(crate) fn unexpected(outcome: &impl fmt::Debug) -> Self {
        let cause = format!("an answer that the change cannot have: {outcome:?}");
        StoreError::new(StoreErrorKind::Damaged, cause)
    }

    /// Returns the kind of the error.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

/// Compares the kinds alone, since most causes cannot be compared.
impl PartialEq for StoreError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for StoreError {}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        StoreError { kind, source: None }
    }
}
