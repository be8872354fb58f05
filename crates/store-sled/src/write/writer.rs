//! The writer: it commits each group as one batch with one sync.

use std::sync::Arc;

use custom_models_core::store::{Job, JobOutcome, StoreError, StoreErrorKind, apply, apply_access};
use custom_models_group_commit::{Answers, Committer, Unanswered};

use crate::database::{Attempt, Database, WriteError};
use crate::rows::write_set::WriteSet;
use crate::write::group::Group;

/// The only writer of a database.
pub(crate) struct Writer {
    database: Arc<Database>,
    is_read_only: bool,
    /// The last id of any group, even a failed one: a reader may have seen it, so it is not reused.
    last_id: u64,
}

impl Writer {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Writer { database, is_read_only: false, last_id: 0 }
    }

    /// A writer that refuses everything, for a store opened for reading alone.
    pub(crate) fn read_only(database: Arc<Database>) -> Self {
        Writer { is_read_only: true, ..Writer::new(database) }
    }

    /// Determines the outcome of a group that failed before its sync. Reopening rolls a partial
    /// group back and syncs, so a group that is found afterwards is durable.
    fn settle(&self, changes: &WriteSet, error: StoreError) -> Result<(), StoreError> {
        match self.database.read(|db| changes.is_applied(db)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(_) => Err(StoreError::new(StoreErrorKind::OutcomeUnknown, error)),
        }
    }

    /// Decides a group. Returns the answers, the last id assigned, and the changes.
    fn judge(&self, jobs: &[Job]) -> Result<((Answers<Self>, u64), WriteSet), StoreError> {
        self.database.read(|db| {
            let mut group = Group::begin(db, self.last_id)?;
            let mut answers = Vec::with_capacity(jobs.len());
            for job in jobs {
                let judged = match job {
                    Job::Model(write) => {
                        group.judge(|rows| apply(rows, write)).map(JobOutcome::Model)
                    }
                    Job::Access(change) => {
                        group.judge(|rows| apply_access(rows, change)).map(JobOutcome::Access)
                    }
                    Job::Purge(purge) => group.purge(purge).map(JobOutcome::Purged),
                    Job::Archive(change) => group.archive(change).map(JobOutcome::Archived),
                };
                match judged {
                    Err(error) if is_write_error(&error) => answers.push(Err(error)),
                    answer => answers.push(Ok(answer?)),
                }
            }
            Ok(((answers, group.last_id), group.into_changes()?))
        })
    }
}

/// Returns true if the error fails only its own write: damage to one organisation must not fail
/// others.
fn is_write_error(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Damaged | StoreErrorKind::IdsExhausted)
}

impl Committer for Writer {
    type Job = Job;
    type Answer = JobOutcome;
    type Error = StoreError;

    fn commit(&mut self, jobs: &[Job]) -> Result<Answers<Self>, StoreError> {
        if self.is_read_only {
            return Err(StoreErrorKind::ReadOnly.into());
        }
        let written = self.database.write_group(|| self.judge(jobs))?;
        let Attempt { decision: (answers, last_id), changes, result } = written;
        self.last_id = last_id;
        match result {
            Ok(()) => Ok(answers),
            Err(WriteError::Unflushed(error)) => self.settle(&changes, error).map(|()| answers),
            Err(WriteError::Unsynced(error)) => {
                Err(StoreError::new(StoreErrorKind::OutcomeUnknown, error))
            }
        }
    }

    fn unanswered(why: Unanswered) -> StoreError {
        match why {
            Unanswered::Busy => StoreErrorKind::Busy,
            Unanswered::Closed => StoreErrorKind::Closed,
            Unanswered::Unknown => StoreErrorKind::OutcomeUnknown,
        }
        .into()
    }
}

#[cfg(test)]
mod tests;
