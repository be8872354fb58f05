//! SQLite's errors, as errors of a store.

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::ffi;
use rusqlite::{Error, ErrorCode};

/// Converts an error that happened before or outside a commit: nothing became durable.
pub(crate) fn store_error(error: Error) -> StoreError {
    StoreError::new(kind(&error), error)
}

/// Converts an error of a commit. A commit that failed as busy or with a full disk wrote nothing.
/// After any other error the frames may be on the disk, and recovery may find them.
pub(crate) fn commit_error(error: Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DiskFull) => kind(&error),
        _ => StoreErrorKind::OutcomeUnknown,
    };
    StoreError::new(kind, error)
}

/// The error of a write, by the writes of its group that it fails.
pub(crate) enum WriteError {
    /// Fails this write alone: nothing was written for it.
    Write(StoreError),
    /// Fails the whole group.
    Group(StoreError),
}

impl WriteError {
    /// Returns the error without its scope.
    pub(crate) fn into_store_error(self) -> StoreError {
        let (WriteError::Write(error) | WriteError::Group(error)) = self;
        error
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        WriteError::Write(error)
    }
}

/// A row that breaks the rules fails only the write that read it. INVARIANT: a write reads
/// everything it needs before it writes anything, and only rows that are read are checked.
impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        if is_bad_row(&error) {
            WriteError::Write(store_error(error))
        } else {
            WriteError::Group(store_error(error))
        }
    }
}

/// The error of a row with content that this crate cannot have written.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, what.into())
}

/// The error of a value that does not serialise. Never in practice: every value that is written does.
pub(crate) fn serialize_error(error: serde_json::Error) -> Error {
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
        _ if is_bad_row(error) => StoreErrorKind::Damaged,
        _ => StoreErrorKind::Failed,
    }
}

/// Returns true if the error is about the contents of a row.
fn is_bad_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}
