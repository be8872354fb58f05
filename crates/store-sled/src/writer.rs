//! Groups of writes, each one batch and one sync.

use std::collections::HashMap;
use std::sync::Arc;

use custom_models_core::{
    Change, ModelId, NewModel, Organisation, Outcome, Revision, StoreError, StoreErrorKind, Write,
};
use custom_models_group_commit::{Answers, Committer};
use sled::Db;

use crate::changes::{Changes, Trace};
use crate::database::{Database, WriteFault};
use crate::rows;
use crate::schema::{Counter, LAST_ID, counter_key, model_key};

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
        let trace = self.database.read(|db| changes.trace(db))?;
        if trace == Trace::Half {
            self.database.write(&changes.undo()).map_err(WriteFault::into_cause)?;
        }
        self.unsettled = None;
        Ok(trace)
    }
}

impl Committer for Writer {
    fn commit(&mut self, writes: &[Write]) -> Result<Answers, StoreError> {
        self.mend()?;
        let group = self.database.read(|db| {
            let mut group = Group::begin(db, self.last_id)?;
            let mut answers = Answers::with_capacity(writes.len());
            for write in writes {
                answers.push(group.apply(write)?);
            }
            let last_id = group.last_id;
            Ok((answers, last_id, group.into_changes()?))
        });
        let (answers, last_id, changes) = group?;
        if changes.is_empty() {
            return Ok(answers);
        }
        self.last_id = last_id;
        match self.database.write(&changes) {
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

impl<'a> Group<'a> {
    fn begin(db: &'a Db, last_id: u64) -> Result<Self, StoreError> {
        Ok(Group {
            db,
            changes: Changes::default(),
            counters: HashMap::new(),
            last_id: rows::last_id(db)?.max(last_id),
        })
    }

    fn apply(&mut self, write: &'a Write) -> Result<Result<Outcome, StoreError>, StoreError> {
        match &write.change {
            Change::Create { model, limit } => self.create(&write.organisation, model, *limit),
            Change::Delete { id, revision } => {
                self.delete(&write.organisation, *id, *revision).map(Ok)
            }
        }
    }

    fn create(
        &mut self,
        organisation: &'a Organisation,
        model: &NewModel,
        limit: Option<u64>,
    ) -> Result<Result<Outcome, StoreError>, StoreError> {
        let current = self.tally(organisation)?.models;
        if limit.is_some_and(|limit| current >= limit) {
            return Ok(Ok(Outcome::LimitReached { current }));
        }
        let Ok(id) = ModelId::new(self.last_id + 1) else {
            return Ok(Err(StoreErrorKind::IdsExhausted.into()));
        };
        let model = model.clone().with_id(id);
        let key = model_key(organisation, id.get());
        self.changes.set(self.db, key, Some(rows::to_bytes(&model)?))?;
        self.last_id = id.get();
        let tally = self.tally(organisation)?;
        tally.models += 1;
        tally.has_changed = true;
        Ok(Ok(Outcome::Created(model)))
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
                self.changes.set(self.db, key, None)?;
                let tally = self.tally(organisation)?;
                tally.models = tally.models.saturating_sub(1);
                tally.has_changed = true;
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
