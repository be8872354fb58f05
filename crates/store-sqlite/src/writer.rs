//! Groups of writes, each one transaction.

use std::collections::HashMap;

use custom_models_core::{
    Change, ModelId, NewModel, Organisation, Outcome, Revision, StoreError, StoreErrorKind, Write,
};
use custom_models_group_commit::{Answers, Committer, Job, Judged};
use rusqlite::{Connection, TransactionBehavior};

use crate::fault::{commit_fault, fault};
use crate::file::{StoreFile, newer};
use crate::schema::MIGRATIONS;
use crate::{access, rows};

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
        answers.push(match job {
            Job::Model(write) => group.apply(write).map_err(fault)?.map(Judged::Model),
            Job::Access(change) => {
                Ok(Judged::Access(access::apply(&transaction, change).map_err(fault)?))
            }
        });
    }
    group.keep_counters().map_err(fault)?;
    transaction.commit().map_err(commit_fault)?;
    Ok(answers)
}

/// What a transaction knows beside its rows: counters, read once and written once.
struct Group<'a> {
    connection: &'a Connection,
    counters: HashMap<&'a Organisation, Counter>,
    last_id: Counter,
}

#[derive(Clone, Copy)]
struct Counter {
    stored: u64,
    current: u64,
}

impl Counter {
    fn stored(count: u64) -> Self {
        Counter { stored: count, current: count }
    }

    fn has_moved(&self) -> bool {
        self.current != self.stored
    }
}

impl<'a> Group<'a> {
    /// Reads what every group needs. Another process may have brought the file to a newer layout
    /// since this one opened it; then nothing more is written here.
    fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
        let (last_id, version) = connection
            .prepare_cached(
                "SELECT last_id, (SELECT user_version FROM pragma_user_version) FROM sequence",
            )
            .and_then(|mut statement| {
                statement.query_row([], |row| Ok((row.get(0)?, row.get::<_, usize>(1)?)))
            })
            .map_err(fault)?;
        if version > MIGRATIONS.len() {
            return Err(newer(version));
        }
        Ok(Group { connection, counters: HashMap::new(), last_id: Counter::stored(last_id) })
    }

    fn apply(&mut self, write: &'a Write) -> rusqlite::Result<Result<Outcome, StoreError>> {
        let Write { organisation, change } = write;
        match change {
            Change::Create { model, limit } => self.create(organisation, model, *limit),
            Change::Delete { id, revision } => self.delete(organisation, *id, *revision),
        }
    }

    fn create(
        &mut self,
        organisation: &'a Organisation,
        model: &NewModel,
        limit: Option<u64>,
    ) -> rusqlite::Result<Result<Outcome, StoreError>> {
        let current = self.counter(organisation)?.current;
        if limit.is_some_and(|limit| current >= limit) {
            return Ok(Ok(Outcome::LimitReached { current }));
        }
        let Ok(id) = ModelId::new(self.last_id.current + 1) else {
            return Ok(Err(StoreErrorKind::IdsExhausted.into()));
        };
        let model = model.clone().with_id(id);
        rows::insert(self.connection, organisation, &model)?;
        self.last_id.current = id.get();
        self.counter(organisation)?.current += 1;
        Ok(Ok(Outcome::Created(model)))
    }

    fn delete(
        &mut self,
        organisation: &'a Organisation,
        id: ModelId,
        revision: Revision,
    ) -> rusqlite::Result<Result<Outcome, StoreError>> {
        match rows::revision(self.connection, organisation, id)? {
            None => return Ok(Ok(Outcome::NotFound)),
            Some(found) if found != revision.get() => return Ok(Ok(Outcome::Stale)),
            Some(_) => {}
        }
        let counter = self.counter(organisation)?;
        let Some(remaining) = counter.current.checked_sub(1) else {
            let cause = "a counter is lower than the number of its rows";
            return Ok(Err(StoreError::new(StoreErrorKind::Damaged, cause)));
        };
        counter.current = remaining;
        rows::delete(self.connection, organisation, id)?;
        Ok(Ok(Outcome::Deleted))
    }

    fn counter(&mut self, organisation: &'a Organisation) -> rusqlite::Result<&mut Counter> {
        use std::collections::hash_map::Entry;
        match self.counters.entry(organisation) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let count = rows::counter(self.connection, organisation)?;
                Ok(unknown.insert(Counter::stored(count)))
            }
        }
    }

    /// Writes back what has moved.
    fn keep_counters(&self) -> rusqlite::Result<()> {
        let mut keep = self.connection.prepare_cached(
            "INSERT INTO organisations (organisation, models) VALUES (?1, ?2)
            ON CONFLICT (organisation) DO UPDATE SET models = excluded.models",
        )?;
        for (organisation, counter) in &self.counters {
            if counter.has_moved() {
                keep.execute((organisation.as_str(), counter.current))?;
            }
        }
        if self.last_id.has_moved() {
            self.connection
                .prepare_cached("UPDATE sequence SET last_id = ?1")?
                .execute([self.last_id.current])?;
        }
        Ok(())
    }
}
