//! Groups of writes, each one batch and one sync.

use std::collections::HashMap;
use std::sync::Arc;

use custom_models_core::{
    Change, ModelId, NewModel, Organisation, Outcome, Revision, StoreError, StoreErrorKind, Write,
};
use custom_models_group_commit::{Answers, Committer, Job, Judged};
use sled::Db;

use crate::changes::{Changes, Trace};
use crate::database::{Database, WriteFault, Written};
use crate::fault::damaged;
use crate::schema::{Counter, LAST_ID, counter_key, model_key};
use crate::{access, rows};

/// The only one who writes.
pub(crate) struct Writer {
    database: Arc<Database>,
    /// The last id of any group, also of one that failed: it may have been seen, so it is not given
    /// again.
    last_id: u64,
    /// A group that failed, and of which nobody could yet tell what is there.
    unsettled: Option<Changes>,
}

impl Writer {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Writer { database, last_id: 0, unsettled: None }
    }

    /// Finds out what became of a group that failed before its sync.
    fn settle(&mut self, changes: Changes, fault: StoreError) -> Result<(), StoreError> {
        self.unsettled = Some(changes);
        match self.mend() {
            // The database was synced when it was opened anew.
            Ok(Trace::Whole) => Ok(()),
            Ok(Trace::Nothing | Trace::Half) => Err(fault),
            Err(_) => Err(StoreError::new(StoreErrorKind::OutcomeUnknown, fault)),
        }
    }

    /// Takes back what is half there of a group that failed, and says what was there of it. Sled
    /// recovers a batch as a whole, but for one that it gave up in the middle.
    fn mend(&mut self) -> Result<Trace, StoreError> {
        let Some(changes) = &self.unsettled else {
            return Ok(Trace::Nothing);
        };
        let take_back = |db: &Db| {
            let trace = changes.trace(db)?;
            let is_half = trace == Trace::Half;
            Ok((trace, if is_half { changes.undo() } else { Changes::default() }))
        };
        let mended = self.database.judge_and_write(|| self.database.read(take_back))?;
        mended.result.map_err(WriteFault::into_cause)?;
        self.database.settled();
        self.unsettled = None;
        Ok(mended.judgement)
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
                };
                match judged {
                    Err(fault) if is_of_one_write(&fault) => answers.push(Err(fault)),
                    answer => answers.push(Ok(answer?)),
                }
            }
            Ok(((answers, group.last_id), group.into_changes()?))
        })
    }
}

/// Whether the other writes of a group can be made. Damage to one organisation is not another's.
fn is_of_one_write(fault: &StoreError) -> bool {
    matches!(fault.kind(), StoreErrorKind::Damaged | StoreErrorKind::IdsExhausted)
}

impl Committer for Writer {
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        self.mend()?;
        let written = self.database.judge_and_write(|| self.judge(jobs))?;
        let Written { judgement: (answers, last_id), changes, result } = written;
        self.last_id = last_id;
        match result {
            Ok(()) => Ok(answers),
            Err(WriteFault::Unflushed(fault)) => self.settle(changes, fault).map(|()| answers),
            Err(WriteFault::Unsynced(fault)) => {
                Err(StoreError::new(StoreErrorKind::OutcomeUnknown, fault))
            }
        }
    }
}

/// A group that is being judged: its writes see what those before them changed.
struct Group<'a> {
    db: &'a Db,
    changes: Changes,
    counters: HashMap<&'a Organisation, Tally>,
    last_id: u64,
}

struct Tally {
    stored: Counter,
    models: u64,
    has_changed: bool,
}

impl Tally {
    fn change(&mut self, models: u64) {
        self.models = models;
        self.has_changed = true;
    }
}

impl<'a> Group<'a> {
    fn begin(db: &'a Db, last_id: u64) -> Result<Self, StoreError> {
        Ok(Group {
            db,
            changes: Changes::default(),
            counters: HashMap::new(),
            last_id: rows::last_id(db)?.max(last_id),
        })
    }

    /// Judges a write. One that fails has changed nothing.
    fn apply(&mut self, write: &'a Write) -> Result<Outcome, StoreError> {
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
    ) -> Result<Outcome, StoreError> {
        let current = self.tally(organisation)?.models;
        if limit.is_some_and(|limit| current >= limit) {
            return Ok(Outcome::LimitReached { current });
        }
        let models = current.checked_add(1).ok_or_else(|| damaged("a counter without end"))?;
        let id = ModelId::new(self.last_id + 1).map_err(|_| StoreErrorKind::IdsExhausted)?;
        let model = model.clone().with_id(id);
        let key = model_key(organisation, id.get());
        self.changes.set(self.db, key, Some(rows::to_bytes(&model)?))?;
        self.last_id = id.get();
        self.tally(organisation)?.change(models);
        Ok(Outcome::Created(model))
    }

    fn delete(
        &mut self,
        organisation: &'a Organisation,
        id: ModelId,
        revision: Revision,
    ) -> Result<Outcome, StoreError> {
        let key = model_key(organisation, id.get());
        let found = match self.changes.get(&key) {
            Some(None) => None,
            Some(Some(row)) => Some(rows::from_bytes(id, row)?),
            None => rows::get(self.db, organisation, id)?,
        };
        match found {
            None => Ok(Outcome::NotFound),
            Some(model) if model.revision != revision => Ok(Outcome::Stale),
            Some(_) => {
                let models = self.tally(organisation)?.models.checked_sub(1);
                let models = models.ok_or_else(|| damaged("a model that is not counted"))?;
                self.changes.set(self.db, key, None)?;
                self.tally(organisation)?.change(models);
                Ok(Outcome::Deleted)
            }
        }
    }

    fn tally(&mut self, organisation: &'a Organisation) -> Result<&mut Tally, StoreError> {
        use std::collections::hash_map::Entry;
        match self.counters.entry(organisation) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let stored = rows::counter(self.db, organisation)?;
                Ok(unknown.insert(Tally { stored, models: stored.models, has_changed: false }))
            }
        }
    }

    /// The changes of the group, with the counters and the last id as they are then.
    fn into_changes(mut self) -> Result<Changes, StoreError> {
        for (organisation, tally) in &self.counters {
            if tally.has_changed {
                let counter =
                    Counter { models: tally.models, changes: tally.stored.changes.wrapping_add(1) };
                self.changes.set(self.db, counter_key(organisation), Some(counter.to_bytes()))?;
            }
        }
        if !self.changes.is_empty() {
            let last_id = self.last_id.to_be_bytes().to_vec();
            self.changes.set(self.db, LAST_ID.to_vec(), Some(last_id))?;
        }
        Ok(self.changes)
    }
}

#[cfg(test)]
mod tests;
