//! The writer: it commits each group as one transaction.

use std::sync::Arc;

use custom_models_core::store::{
    Job, JobOutcome, OpenMode, StoreError, StoreErrorKind, apply, apply_access,
};
use custom_models_group_commit::{Answers, Committer, Unanswered};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{WriteError, commit_error, store_error};
use crate::file::connection::WatchedConnection;
use crate::file::open::StoreFile;
use crate::file::watch::FileWatch;
use crate::write::group::Group;

/// The only connection that writes.
pub(crate) struct Writer {
    file: StoreFile,
    watch: Arc<FileWatch>,
    /// `None` after an error that may have left its state different from the file's.
    connection: Option<WatchedConnection>,
}

impl Writer {
    pub(crate) fn open(file: StoreFile, mode: OpenMode) -> Result<Self, StoreError> {
        let (connection, watch) = file.open_for_writing(mode)?;
        let connection = WatchedConnection::new(connection, Some(Arc::clone(&watch)));
        Ok(Writer { file, watch, connection: Some(connection) })
    }

    /// The watch over the files.
    pub(crate) fn watch(&self) -> Arc<FileWatch> {
        Arc::clone(&self.watch)
    }
}

impl Committer for Writer {
    type Job = Job;
    type Answer = JobOutcome;
    type Error = StoreError;

    /// Commits a group, and checks the files before and after (PLACE-3). A move noticed before
    /// means that nothing was written; one noticed after, that the group may be in a file that is
    /// gone.
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers<Self>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => WatchedConnection::new(self.file.open_again(&self.watch)?, Some(self.watch())),
        };
        if let Err(moved) = self.watch.check_if_stale() {
            self.connection = Some(connection);
            return Err(moved.to_error(StoreErrorKind::Unavailable));
        }
        let answers = commit(&mut connection, jobs);
        let is_sound = match &answers {
            Ok(_) => true,
            Err(error) => matches!(error.kind(), StoreErrorKind::Busy | StoreErrorKind::Full),
        };
        if is_sound && connection.is_autocommit() {
            self.connection = Some(connection);
        } else {
            // After any other error the file is opened again before anything is acknowledged.
            drop(connection);
            self.watch.unwatch_logs();
        }
        let answers = answers?;
        let check = self.watch.check_after_commit();
        check.map_err(|moved| moved.to_error(StoreErrorKind::OutcomeUnknown))?;
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
    // The write lock is taken first, so that the rows read below do not change before the commit,
    // not even by other processes (QUOTA-4).
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let mut group = Group::begin(&transaction)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let judged = match job {
            Job::Model(write) => apply(&mut group, write).map(JobOutcome::Model),
            Job::Access(change) => apply_access(&mut group, change).map(JobOutcome::Access),
            Job::Purge(purge) => group.purge(purge).map(JobOutcome::Purged),
            Job::Archive(change) => group.archive(change).map(JobOutcome::Archived),
        };
        answers.push(match judged {
            Ok(judged) => Ok(judged),
            Err(WriteError::Write(error)) => Err(error),
            Err(WriteError::Group(error)) => return Err(error),
        });
    }
    group.write_cached().map_err(store_error)?;
    transaction.commit().map_err(commit_error)?;
    Ok(answers)
}

#[cfg(test)]
mod tests;
