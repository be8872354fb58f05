//! The meaning of SQLite's errors for the caller of a store.

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::ffi;
use rusqlite::{Error, ErrorCode};

/// An error before or outside of a commit: nothing was made durable.
pub(crate) fn fault(error: Error) -> StoreError {
    StoreError::new(kind(&error), error)
}

/// An error of a commit. What SQLite could not even begin to write was not committed; after any
/// other failure the frames may be on the disk, and a recovery may find them.
pub(crate) fn commit_fault(error: Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DiskFull) => kind(&error),
        _ => StoreErrorKind::OutcomeUnknown,
    };
    StoreError::new(kind, error)
}

/// Why a write has no outcome, and whose trouble that is.
pub(crate) enum Trouble {
    /// That of this write: nothing was written for it.
    OfOne(StoreError),
    /// That of its whole group.
    OfAll(StoreError),
}

impl Trouble {
    /// The fault, whosever it is.
    pub(crate) fn into_fault(self) -> StoreError {
        let (Trouble::OfOne(fault) | Trouble::OfAll(fault)) = self;
        fault
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::OfOne(error)
    }
}

/// A row against the rules is the trouble of whoever asked for it. INVARIANT: a write reads all that
/// it needs before it writes anything, and only what is read is judged.
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        if is_judgement(&error) {
            Trouble::OfOne(fault(error))
        } else {
            Trouble::OfAll(fault(error))
        }
    }
}

/// A row that holds what this crate cannot have written.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, what.into())
}

/// The error of a value that does not serialise. Never in practice: every value that is written does.
pub(crate) fn unwritable(error: serde_json::Error) -> Error {
    Error::ToSqlConversionFailure(error.into())
}

fn kind(error: &Error) -> StoreErrorKind {
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => StoreErrorKind::Busy,
            ErrorCode::DiskFull => StoreErrorKind::Full,
            ErrorCode::NotADatabase => StoreErrorKind::NotOurs,
            ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation => StoreErrorKind::Damaged,
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
                StoreErrorKind::Unavailable
            }
            // The index of the write-ahead log could not grow.
            _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreErrorKind::Full,
            _ => StoreErrorKind::Failed,
        },
        Error::QueryReturnedNoRows => StoreErrorKind::Damaged,
        _ if is_judgement(error) => StoreErrorKind::Damaged,
        _ => StoreErrorKind::Failed,
    }
}

/// Returns true if the error is about the contents of a row.
fn is_judgement(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}
