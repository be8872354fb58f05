//! The writes of a transaction, judged one after the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use custom_models_core::{
    ArchiveChange, Change, CustomModel, DataChange, KeptAnswer, ModelId, NewAnswer, NewModel,
    Organisation, Outcome, Purge, Purged, Stamp, StoreError, StoreErrorKind, Write,
};
use rusqlite::Connection;

use crate::fault::{Trouble, fault};
use crate::file::newer;
use crate::rows::Counters;
use crate::schema::MIGRATIONS;
use crate::{answer_rows, archive, data_rows, event_rows, life, rows};

/// What a transaction knows beside its rows: counters, read once and written once.
pub(crate) struct Group<'a> {
    connection: &'a Connection,
    counters: HashMap<&'a Organisation, Counted<Counters>>,
    last_id: Counted<u64>,
}

struct Counted<T> {
    stored: T,
    current: T,
}

impl<T: Copy + PartialEq> Counted<T> {
    fn stored(count: T) -> Self {
        Counted { stored: count, current: count }
    }

    fn has_moved(&self) -> bool {
        self.current != self.stored
    }
}

impl<'a> Group<'a> {
    /// Reads what every group needs. Another process may have brought the file to a newer layout
    /// since this one opened it; then nothing more is written here.
    pub(crate) fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
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
        Ok(Group { connection, counters: HashMap::new(), last_id: Counted::stored(last_id) })
    }

    /// Judges a write, and makes it if it is not refused.
    pub(crate) fn apply(&mut self, write: &'a Write) -> Result<Outcome, Trouble> {
        // All four, so that none is forgotten below.
        let Write { organisation, change, event: _, answer } = write;
        if let Some(answer) = answer
            && let Some(kept) = self.repeated(organisation, answer)?
        {
            return Ok(Outcome::Repeated(kept));
        }
        match change {
            Change::Create { model, limit } => self.create(write, model, *limit),
            Change::Update { model, stamp, data } => self.update(write, model, *stamp, data),
            Change::Delete { id, stamp } => self.delete(write, *id, *stamp),
        }
    }

    /// The answer that a request got before, while it is live (IDEM-1).
    fn repeated(
        &self,
        organisation: &Organisation,
        answer: &NewAnswer,
    ) -> rusqlite::Result<Option<KeptAnswer>> {
        let kept = answer_rows::get(self.connection, organisation, &answer.key)?;
        Ok(kept.filter(|kept| kept.is_live_at(answer.at)))
    }

    fn create(
        &mut self,
        write: &'a Write,
        model: &NewModel,
        limit: Option<u64>,
    ) -> Result<Outcome, Trouble> {
        let current = self.counters(&write.organisation)?.models;
        if limit.is_some_and(|limit| current >= limit) {
            return Ok(Outcome::LimitReached { current });
        }
        let id = ModelId::new(self.last_id.current + 1)
            .map_err(|_| Trouble::OfOne(StoreErrorKind::IdsExhausted.into()))?;
        let model = model.clone().with_id(id);
        rows::insert(self.connection, &write.organisation, &model)?;
        self.last_id.current = id.get();
        self.counters(&write.organisation)?.models += 1;
        self.keep(write, &model)?;
        Ok(Outcome::Created(model))
    }

    fn update(
        &mut self,
        write: &'a Write,
        model: &CustomModel,
        stamp: Stamp,
        data: &DataChange,
    ) -> Result<Outcome, Trouble> {
        let organisation = &write.organisation;
        match rows::stamp(self.connection, organisation, model.id)? {
            None => return Ok(Outcome::NotFound),
            Some(found) if found != stamp => return Ok(Outcome::Stale),
            Some(_) => {}
        }
        self.counters(organisation)?;
        if !data_rows::change(self.connection, organisation, model.id, data)? {
            return Err(damaged("a model has a pair under the number of the next one"));
        }
        rows::update(self.connection, organisation, model)?;
        self.keep(write, model)?;
        Ok(Outcome::Updated)
    }

    fn delete(&mut self, write: &'a Write, id: ModelId, stamp: Stamp) -> Result<Outcome, Trouble> {
        let organisation = &write.organisation;
        let model = match rows::get(self.connection, organisation, id)? {
            None => return Ok(Outcome::NotFound),
            Some(model) if model.stamp != stamp => return Ok(Outcome::Stale),
            Some(model) => model,
        };
        let counters = self.counters(organisation)?;
        let Some(remaining) = counters.models.checked_sub(1) else {
            return Err(damaged("a counter is lower than the number of its rows"));
        };
        counters.models = remaining;
        rows::delete(self.connection, organisation, id)?;
        data_rows::delete(self.connection, organisation, id)?;
        self.keep(write, &model)?;
        Ok(Outcome::Deleted)
    }

    /// Keeps what belongs to a change that was made of a model.
    fn keep(&mut self, write: &'a Write, model: &CustomModel) -> Result<(), Trouble> {
        let organisation = &write.organisation;
        if let Some(answer) = &write.answer {
            answer_rows::put(self.connection, organisation, answer, model)?;
        }
        if let Some(event) = &write.event {
            let counters = self.counters(organisation)?;
            counters.events += 1;
            let position = counters.events;
            event_rows::insert(self.connection, organisation, position, model.id, event)?;
        }
        Ok(())
    }

    fn counters(&mut self, organisation: &'a Organisation) -> rusqlite::Result<&mut Counters> {
        let counted = match self.counters.entry(organisation) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let counters = rows::counters(self.connection, organisation)?;
                unknown.insert(Counted::stored(counters))
            }
        };
        Ok(&mut counted.current)
    }

    /// Writes back what has moved.
    pub(crate) fn keep_counters(&self) -> rusqlite::Result<()> {
        for (organisation, counters) in &self.counters {
            if counters.has_moved() {
                rows::keep_counters(self.connection, organisation, counters.current)?;
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

impl Group<'_> {
    /// Forgets what is old, behind what was counted so far: no beginning of a history lies behind its end.
    pub(crate) fn purge(&mut self, purge: &Purge) -> Result<Purged, Trouble> {
        self.keep_counters()?;
        Ok(life::forget(self.connection, purge)?)
    }

    /// Puts records or erases them, behind what was counted so far; all or none.
    pub(crate) fn archive(&mut self, change: &ArchiveChange) -> Result<u64, Trouble> {
        let connection = self.connection;
        self.keep_counters()?;
        connection.execute_batch("SAVEPOINT archive")?;
        let archived = archive::change(connection, change);
        let end = if archived.is_ok() { "" } else { "ROLLBACK TO archive; " };
        connection.execute_batch(&format!("{end}RELEASE archive"))?;
        self.counters.clear();
        let last_id = "SELECT last_id FROM sequence";
        self.last_id = Counted::stored(connection.query_row(last_id, [], |row| row.get(0))?);
        archived.map_err(|error| Trouble::OfOne(fault(error)))
    }
}

fn damaged(what: &'static str) -> Trouble {
    Trouble::OfOne(StoreError::new(StoreErrorKind::Damaged, what))
}
