//! Errors of the server and of the connection to it, as errors of a store.

use std::error::Error as _;
use std::io;

use custom_models_core::store::{StoreError, StoreErrorKind};
use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

/// The error of a query or a transaction.
pub(crate) enum Fault {
    /// The server refused it, or cannot be reached.
    Server(Error),
    /// A row has content that this crate cannot have written.
    Row(&'static str),
    /// An error that is one of a store already.
    Store(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Server(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Store(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Fault::Server(error),
            PoolError::Timeout(TimeoutType::Wait) => {
                Fault::Store(StoreError::new(StoreErrorKind::Busy, "every connection is in use"))
            }
            PoolError::Timeout(_) => Fault::Store(StoreError::new(
                StoreErrorKind::Unavailable,
                "the server did not take a connection in time",
            )),
            other => Fault::Store(StoreError::new(StoreErrorKind::Unavailable, other)),
        }
    }
}

impl Fault {
    /// Converts the error of a read, or of a write that was certainly not made.
    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            Fault::Server(error) => StoreError::new(kind(&error), error),
            Fault::Row(what) => StoreError::new(StoreErrorKind::Damaged, what),
            Fault::Store(error) => error,
        }
    }

    /// Converts the error of a write whose commit was sent.
    pub(crate) fn into_commit_error(self) -> StoreError {
        match self {
            Fault::Server(error) if is_undone(&error) => StoreError::new(kind(&error), error),
            Fault::Server(error) => StoreError::new(StoreErrorKind::OutcomeUnknown, error),
            // The write was made, but the answer cannot be read.
            Fault::Row(what) => StoreError::new(StoreErrorKind::OutcomeUnknown, what),
            Fault::Store(error) => error,
        }
    }

    /// Returns true if the transaction conflicted with another one and should be repeated.
    pub(crate) fn is_conflict(&self) -> bool {
        let Fault::Server(error) = self else { return false };
        error.code().is_some_and(|code| {
            *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        })
    }

    /// Returns true if a write violated a constraint.
    pub(crate) fn is_constraint_violation(&self) -> bool {
        let Fault::Server(error) = self else { return false };
        error.code().is_some_and(|code| code.code().starts_with("23"))
    }

    /// Returns true if the connection is lost, with everything uncommitted on it.
    pub(crate) fn is_connection_lost(&self) -> bool {
        matches!(self, Fault::Server(error) if is_lost(error))
    }
}

/// Returns true if a commit that failed with `error` was certainly not made: the server is alive
/// and says so.
fn is_undone(error: &Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        let lives = error.parsed_severity() == Some(Severity::Error);
        lives && *error.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    })
}

fn is_lost(error: &Error) -> bool {
    let is_io = |source: &(dyn std::error::Error + 'static)| source.is::<io::Error>();
    let is_shutdown = error.code().is_some_and(|code| {
        *code == SqlState::ADMIN_SHUTDOWN
            || *code == SqlState::CRASH_SHUTDOWN
            || *code == SqlState::READ_ONLY_SQL_TRANSACTION
    });
    is_shutdown || error.is_closed() || error.source().is_some_and(is_io)
}

fn kind(error: &Error) -> StoreErrorKind {
    let Some(code) = error.code() else { return StoreErrorKind::Unavailable };
    if *code == SqlState::DISK_FULL {
        return StoreErrorKind::Full;
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION || *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return StoreErrorKind::Unavailable;
    }
    if *code == SqlState::QUERY_CANCELED {
        return StoreErrorKind::Busy;
    }
    match code.code().get(..2) {
        // Classes of codes: connection, authorisation, database name, operator intervention.
        Some("08" | "28" | "3D" | "57") => StoreErrorKind::Unavailable,
        // Unresolved conflicts, too little memory or too many connections, locks.
        Some("40" | "53" | "55") => StoreErrorKind::Busy,
        // Stored rows violate constraints, or the server's files are damaged.
        Some("22" | "23" | "XX") => StoreErrorKind::Damaged,
        // Missing tables or columns.
        Some("3F" | "42") => StoreErrorKind::NotOurs,
        _ => StoreErrorKind::Failed,
    }
}

/// The error of a value that does not serialise. Never in practice: every value that is written does.
pub(crate) fn serialize_error(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Failed, error)
}
