//! The faults of a store.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The reason why a store could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Too much is waiting, or another process keeps the store locked. Nothing was written; trying
    /// again is right.
    Busy,
    /// The change was made, whole, or was not made, and the store cannot tell which.
    OutcomeUnknown,
    /// The store was closed.
    Closed,
    /// The given place holds something else than this kind of store.
    NotOurs,
    /// The store was written by a newer version than this one.
    Newer,
    /// The store has an older layout, and may not be migrated ([`OpenMode::Current`](crate::store::OpenMode::Current)).
    Older,
    /// There is no store at the given place, and none may be made (PLACE-1).
    Missing,
    /// The folder of training data has the mark of another store (PLACE-2). Nothing was written or removed.
    ForeignData,
    /// The store was opened for reading alone. Nothing was written.
    ReadOnly,
    /// The store keeps no windows of request limits ([`AccessStore::keeps_windows`](crate::store::AccessStore::keeps_windows)).
    /// Nothing was written.
    NoWindows,
    /// Another process has the store open, and this kind of store cannot be shared.
    Locked,
    /// The stored records cannot be those that were written.
    Damaged,
    /// There is no space left. The store works again when there is.
    Full,
    /// Every id up to 2^53 − 1 is given away (MODEL-1).
    IdsExhausted,
    /// The place where the store lives cannot be reached or may not be used: a missing folder, a
    /// missing permission, a server that does not answer. It may heal.
    Unavailable,
    /// Anything else that went wrong below the store: an I/O error, a fault of the database.
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

/// A storage fault: what it means for the caller, and its cause.
///
/// `Display` shows the meaning alone; the cause is the `source`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// A fault with its cause, an error or a text.
    pub fn new(kind: StoreErrorKind, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StoreError { kind, source: Some(cause.into().into()) }
    }

    /// The kind of the fault, which says what it means for the caller.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        StoreError { kind, source: None }
    }
}
