//! Groups of writes, each one batch and one sync.

use std::sync::Arc;

use custom_models_core::{StoreError, StoreErrorKind};
use custom_models_group_commit::{Answers, Committer, Job, Judged};

use crate::access;
use crate::changes::Changes;
use crate::database::{Database, WriteFault, Written};
use crate::group::Group;

/// The only one who writes.
pub(crate) struct Writer {
    database: Arc<Database>,
    /// The last id of any group, also of one that failed: it may have been seen, so it is not given
    /// again.
    last_id: u64,
}

impl Writer {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Writer { database, last_id: 0 }
    }

    /// Finds out what became of a group that failed before its sync. What is half there is taken back
    /// when the database is opened anew, and what is found then was synced.
    fn settle(&self, changes: &Changes, fault: StoreError) -> Result<(), StoreError> {
        match self.database.read(|db| changes.are_made(db)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(fault),
            Err(_) => Err(StoreError::new(StoreErrorKind::OutcomeUnknown, fault)),
        }
    }

    /// Judges a group. Answers with the last id that it gives, and with what it changes.
    fn judge(&self, jobs: &[Job]) -> Result<((Answers, u64), Changes), StoreError> {
        self.database.read(|db| {
            let mut group = Group::begin(db, self.last_id)?;
            let mut answers = Answers::with_capacity(jobs.len());
            for job in jobs {
                let judged = match job {
                    Job::Model(write) => group.apply(write).map(Judged::Model),
                    Job::Access(change) => {
                        access::apply(db, &mut group.changes, change).map(Judged::Access)
                    }
                    Job::Purge(purge) => group.purge(purge).map(Judged::Purged),
                    Job::Archive(change) => group.archive(change).map(Judged::Archived),
                };
                match judged {
                    Err(fault) if is_of_one_write(&fault) => answers.push(Err(fault)),
                    answer => answers.push(Ok(answer?)),
                }
            }
            Ok(((answers, group.last_id), group.counted()?))
        })
    }
}

/// Whether the other writes of a group can be made. Damage to one organisation is not another's.
fn is_of_one_write(fault: &StoreError) -> bool {
    matches!(fault.kind(), StoreErrorKind::Damaged | StoreErrorKind::IdsExhausted)
}

impl Committer for Writer {
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        let written = self.database.judge_and_write(|| self.judge(jobs))?;
        let Written { judgement: (answers, last_id), changes, result } = written;
        self.last_id = last_id;
        match result {
            Ok(()) => Ok(answers),
            Err(WriteFault::Unflushed(fault)) => self.settle(&changes, fault).map(|()| answers),
            Err(WriteFault::Unsynced(fault)) => {
                Err(StoreError::new(StoreErrorKind::OutcomeUnknown, fault))
            }
        }
    }
}

/// Refuses all writes of a store that is open for reading alone.
pub(crate) struct Refusal;

impl Committer for Refusal {
    fn commit(&mut self, _: &[Job]) -> Result<Answers, StoreError> {
        Err(StoreErrorKind::ReadOnly.into())
    }
}

#[cfg(test)]
mod tests;
