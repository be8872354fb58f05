//! Groups of writes, each one transaction.

use std::sync::Arc;

use custom_models_core::store::{Job, Judged, OpenMode, StoreError, StoreErrorKind, apply};
use custom_models_group_commit::{Answers, Committer, Unanswered};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Trouble, commit_fault, fault};
use crate::file::held::Held;
use crate::file::open::StoreFile;
use crate::file::watch::Watch;
use crate::write::group::Group;

/// The one connection that writes.
pub(crate) struct Writer {
    file: StoreFile,
    watch: Arc<Watch>,
    /// `None` after a fault that may have left it in a state that the file is not in.
    connection: Option<Held>,
}

impl Writer {
    pub(crate) fn open(file: StoreFile, mode: OpenMode) -> Result<Self, StoreError> {
        let (connection, watch) = file.open_for_writing(mode)?;
        let connection = Held::new(connection, Some(Arc::clone(&watch)));
        Ok(Writer { file, watch, connection: Some(connection) })
    }

    /// The files that are to be watched.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }
}

impl Committer for Writer {
    type Job = Job;
    type Answer = Judged;
    type Error = StoreError;

    /// The files are looked at twice: what is noticed before a group has made nothing, and what is
    /// noticed behind it was committed, but maybe to a file that is gone (PLACE-3).
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers<Self>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Held::new(self.file.open_again(&self.watch)?, Some(self.watch())),
        };
        if let Err(moved) = self.watch.look_lately() {
            self.connection = Some(connection);
            return Err(moved.fault(StoreErrorKind::Unavailable));
        }
        let answers = commit(&mut connection, jobs);
        let is_sound = match &answers {
            Ok(_) => true,
            Err(fault) => matches!(fault.kind(), StoreErrorKind::Busy | StoreErrorKind::Full),
        };
        if is_sound && connection.is_autocommit() {
            self.connection = Some(connection);
        } else {
            // After any other fault nothing is acknowledged until the file was opened anew.
            drop(connection);
            self.watch.end_logs();
        }
        let answers = answers?;
        let look = self.watch.look_behind_commit();
        look.map_err(|moved| moved.fault(StoreErrorKind::OutcomeUnknown))?;
        Ok(answers)
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

fn commit(connection: &mut Connection, jobs: &[Job]) -> Result<Answers<Writer>, StoreError> {
    // The lock is taken first, so what is read below stays true until the commit, for other
    // processes too (QUOTA-4).
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    let mut group = Group::begin(&transaction)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let judged = match job {
            Job::Model(write) => apply(&mut group, write).map(Judged::Model),
            Job::Access(change) => group.access(change).map(Judged::Access),
            Job::Purge(purge) => group.purge(purge).map(Judged::Purged),
            Job::Archive(change) => group.archive(change).map(Judged::Archived),
        };
        answers.push(match judged {
            Ok(judged) => Ok(judged),
            Err(Trouble::OfOne(fault)) => Err(fault),
            Err(Trouble::OfAll(fault)) => return Err(fault),
        });
    }
    group.keep_counters().map_err(fault)?;
    transaction.commit().map_err(commit_fault)?;
    Ok(answers)
}

#[cfg(test)]
mod tests;
