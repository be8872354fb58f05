//! Groups of writes, each one transaction.

use custom_models_core::{StoreError, StoreErrorKind};
use custom_models_group_commit::{Answers, Committer, Job, Judged};
use rusqlite::{Connection, TransactionBehavior};

use crate::access;
use crate::fault::{Trouble, commit_fault, fault};
use crate::file::StoreFile;
use crate::group::Group;

/// The one connection that writes.
pub(crate) struct Writer {
    file: StoreFile,
    /// `None` after a fault that may have left it in a state that the file is not in.
    connection: Option<Connection>,
}

impl Writer {
    pub(crate) fn open(file: StoreFile) -> Result<Self, StoreError> {
        let connection = file.open_or_create()?;
        Ok(Writer { file, connection: Some(connection) })
    }
}

impl Committer for Writer {
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.file.open_or_create()?,
        };
        let answers = commit(&mut connection, jobs);
        let is_sound = match &answers {
            Ok(_) => true,
            Err(fault) => matches!(fault.kind(), StoreErrorKind::Busy | StoreErrorKind::Full),
        };
        // After any other fault nothing is acknowledged until the file was opened anew.
        self.connection = (is_sound && connection.is_autocommit()).then_some(connection);
        answers
    }
}

fn commit(connection: &mut Connection, jobs: &[Job]) -> Result<Answers, StoreError> {
    // The lock is taken first, so what is read below stays true until the commit, for other
    // processes too (QUOTA-4).
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    let mut group = Group::begin(&transaction)?;
    let mut answers = Answers::with_capacity(jobs.len());
    for job in jobs {
        let judged = match job {
            Job::Model(write) => group.apply(write).map(Judged::Model),
            Job::Access(change) => {
                access::apply(&transaction, change).map(Judged::Access).map_err(Trouble::from)
            }
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
