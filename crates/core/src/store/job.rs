//! Writes of all kinds, for a store that commits them through one queue.

use super::{Outcome, StoreError, StoreErrorKind, Write};
use crate::store::access_change::{AccessChange, AccessOutcome};
use crate::store::archive::ArchiveChange;
use crate::store::purge::{Purge, Purged};
use crate::store::write::Completion;

/// A write of any kind.
///
/// Not `#[non_exhaustive]`: an adapter that does not handle a kind must not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Changes models.
    Model(Write),
    /// Changes organisations, keys or admissions.
    Access(AccessChange),
    /// Deletes old events and idempotency records.
    Purge(Purge),
    /// Imports or erases records, or replaces the identity of the store.
    Archive(ArchiveChange),
}

impl Job {
    /// Returns a write of models as a job, and its completion as that of the job.
    pub fn of_model(
        write: Write,
        done: Completion,
    ) -> (Self, impl FnOnce(Result<JobOutcome, StoreError>) + Send + 'static) {
        (Job::Model(write), |outcome| done(outcome.and_then(JobOutcome::model)))
    }
}

/// The outcome of a [`Job`], of the same kind.
///
/// Each method returns the outcome of one kind. An outcome of another kind becomes
/// [`StoreErrorKind::OutcomeUnknown`]: a fault of the store, never a panic.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the largest is the most frequent")]
pub enum JobOutcome {
    /// The outcome of a [`Job::Model`].
    Model(Outcome),
    /// The outcome of a [`Job::Access`].
    Access(AccessOutcome),
    /// The outcome of a [`Job::Purge`].
    Purged(Purged),
    /// The outcome of a [`Job::Archive`]: the number of records that were imported or erased.
    Archived(u64),
}

impl JobOutcome {
    /// Returns the outcome of a [`Job::Model`].
    pub fn model(self) -> Result<Outcome, StoreError> {
        if let JobOutcome::Model(outcome) = self { Ok(outcome) } else { unknown() }
    }

    /// Returns the outcome of a [`Job::Access`].
    pub fn access(self) -> Result<AccessOutcome, StoreError> {
        if let JobOutcome::Access(outcome) = self { Ok(outcome) } else { unknown() }
    }

    /// Returns the outcome of a [`Job::Purge`].
    pub fn purged(self) -> Result<Purged, StoreError> {
        if let JobOutcome::Purged(purged) = self { Ok(purged) } else { unknown() }
    }

    /// Returns the outcome of a [`Job::Archive`].
    pub fn archived(self) -> Result<u64, StoreError> {
        if let JobOutcome::Archived(count) = self { Ok(count) } else { unknown() }
    }
}

fn unknown<T>() -> Result<T, StoreError> {
    Err(StoreErrorKind::OutcomeUnknown.into())
}

#[cfg(test)]
mod tests;
