//! What an error of SQLite means for the caller of a store.

use custom_models_core::{StoreError, StoreErrorKind};
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

/// A row that holds what this crate cannot have written.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, what.into())
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
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::QueryReturnedNoRows
        | Error::Utf8Error(..) => StoreErrorKind::Damaged,
        _ => StoreErrorKind::Failed,
    }
}
