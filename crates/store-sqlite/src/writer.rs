//! Groups of writes, each one transaction.

use std::sync::Arc;

use custom_models_core::{Job, Judged, OpenMode, StoreError, StoreErrorKind, apply};
use custom_models_group_commit::{Answers, Committer, Unanswered};
use rusqlite::{Connection, TransactionBehavior};

use crate::fault::{Trouble, commit_fault, fault};
use crate::file::StoreFile;
use crate::group::Group;
use crate::held::Held;
use crate::watch::Watch;

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
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use custom_models_core::{
        Actor, Change, CreateModel, Moment, NewModel, Purge, Purged, Timestamp, Write,
    };

    use super::*;

    fn open(path: &Path) -> Writer {
        let busy_timeout = Duration::from_secs(600);
        let file = StoreFile { path: path.to_owned(), busy_timeout, is_read_only: false };
        Writer::open(file, OpenMode::Create).unwrap()
    }

    fn create() -> Job {
        let request = CreateModel::builder().name("n").language("en").build().unwrap();
        let created_at = Timestamp::from_unix_seconds(0).unwrap();
        let change = Change::Create { model: NewModel::new(request, created_at), limit: None };
        let at = Moment::from_unix_millis(0);
        Job::Model(Write::new("acme".parse().unwrap(), Actor::HOST, at, change))
    }

    #[test]
    fn a_write_that_the_queue_does_not_answer_says_why() {
        let kind = |why| Writer::unanswered(why).kind();
        assert_eq!(kind(Unanswered::Busy), StoreErrorKind::Busy);
        assert_eq!(kind(Unanswered::Closed), StoreErrorKind::Closed);
        assert_eq!(kind(Unanswered::Unknown), StoreErrorKind::OutcomeUnknown);
    }

    /// A purge may be in one group with the events that it forgets.
    #[test]
    fn a_purge_behind_events_of_its_own_group_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = open(&folder.path().join("a.db"));
        writer.commit(&[create()]).unwrap();
        let purge = Purge {
            events_before: Some(Timestamp::from_unix_seconds(1).unwrap()),
            answers_until: Moment::from_unix_millis(0),
            limit: 100,
        };
        let purged = writer.commit(&[create(), create(), Job::Purge(purge)]).unwrap();
        let expected = Purged { events: 3, answers: 0 };
        assert_eq!(purged.last().unwrap().as_ref().unwrap(), &Judged::Purged(expected));
        let counters = "SELECT events, purged FROM organisations";
        let counters = writer
            .connection
            .as_ref()
            .unwrap()
            .query_row(counters, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)));
        assert_eq!(counters, Ok((3, 3)));
    }

    /// The database is moved in the moment of the commit.
    #[test]
    fn place_3_a_file_that_goes_at_the_commit_makes_the_outcome_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let mut writer = open(&path);
        let create = [create()];
        writer.commit(&create).unwrap();
        let places = (path.clone(), elsewhere.clone());
        let hook = move || fs::rename(&places.0, &places.1).is_err();
        writer.connection.as_mut().unwrap().commit_hook(Some(hook)).unwrap();
        let kind = |answers: Result<Answers<Writer>, StoreError>| answers.unwrap_err().kind();
        assert_eq!(kind(writer.commit(&create)), StoreErrorKind::OutcomeUnknown);
        assert_eq!(kind(writer.commit(&create)), StoreErrorKind::Unavailable);
        fs::rename(&elsewhere, &path).unwrap();
        writer.connection.as_mut().unwrap().commit_hook(None::<fn() -> bool>).unwrap();
        writer.commit(&create).unwrap();
        let count = "SELECT count(*) FROM models";
        let models = writer.connection.as_ref().unwrap().query_row(count, [], |row| row.get(0));
        assert_eq!(models, Ok(3_u64), "what was unknown was made");
    }
}
