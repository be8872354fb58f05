//! A group of writes in one transaction, decided one after the other.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{
    AdmissionRequest, ArchiveChange, Counters, IdempotencyRecord, IdempotencyScope, Purge, Purged,
    Rows, StoreError, StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use rusqlite::Connection;

use crate::error::{WriteError, store_error};
use crate::file::open::newer_layout;
use crate::rows::admissions::{Admissions, Windows};
use crate::rows::{data, events, idempotency, models};
use crate::schema::MIGRATIONS;
use crate::write::{import, purge};

/// A transaction with its counters, which are read once and written once.
pub(crate) struct Group<'a> {
    pub(crate) connection: &'a Connection,
    counters: HashMap<Organisation, Cached<Counters>>,
    last_id: Cached<u64>,
    pub(crate) windows: Windows,
}

struct Cached<T> {
    stored: T,
    current: T,
}

impl<T: Copy + PartialEq> Cached<T> {
    fn stored(count: T) -> Self {
        Cached { stored: count, current: count }
    }

    fn has_changed(&self) -> bool {
        self.current != self.stored
    }
}

impl<'a> Group<'a> {
    /// Begins a group. Fails if another process has migrated the file to a layout that this version
    /// does not know.
    pub(crate) fn begin(connection: &'a Connection) -> Result<Self, StoreError> {
        let (last_id, version) = connection
            .prepare_cached(
                "SELECT last_id, (SELECT user_version FROM pragma_user_version) FROM sequence",
            )
            .and_then(|mut statement| {
                statement.query_row([], |row| Ok((row.get(0)?, row.get::<_, usize>(1)?)))
            })
            .map_err(store_error)?;
        if version > MIGRATIONS.len() {
            return Err(newer_layout(version));
        }
        let last_id = Cached::stored(last_id);
        Ok(Group { connection, counters: HashMap::new(), last_id, windows: Windows::default() })
    }

    fn cached_counters(
        &mut self,
        organisation: &Organisation,
    ) -> rusqlite::Result<&mut Cached<Counters>> {
        Ok(match self.counters.entry(organisation.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Cached::stored(models::counters(self.connection, organisation)?))
            }
        })
    }

    /// Writes the counters and the newest admissions that have changed.
    pub(crate) fn write_cached(&self) -> rusqlite::Result<()> {
        for (organisation, counters) in &self.counters {
            if counters.has_changed() {
                models::write_counters(self.connection, organisation, counters.current)?;
            }
        }
        if self.last_id.has_changed() {
            self.connection
                .prepare_cached("UPDATE sequence SET last_id = ?1")?
                .execute([self.last_id.current])?;
        }
        self.windows.write(self.connection)
    }
}

impl Group<'_> {
    /// Deletes old events and answers. Counters are written first, so that no history begins after
    /// its end.
    pub(crate) fn purge(&mut self, purge: &Purge) -> Result<Purged, WriteError> {
        self.write_cached()?;
        Ok(purge::apply(self.connection, purge)?)
    }

    /// Imports or erases records, all or none. Counters are written first, and read again
    /// afterwards.
    pub(crate) fn archive(&mut self, change: &ArchiveChange) -> Result<u64, WriteError> {
        let connection = self.connection;
        self.write_cached()?;
        connection.execute_batch("SAVEPOINT archive")?;
        let archived = import::change(connection, change);
        let end = if archived.is_ok() { "" } else { "ROLLBACK TO archive; " };
        connection.execute_batch(&format!("{end}RELEASE archive"))?;
        self.counters.clear();
        self.windows.clear();
        let last_id = "SELECT last_id FROM sequence";
        self.last_id = Cached::stored(connection.query_row(last_id, [], |row| row.get(0))?);
        archived.map_err(|error| WriteError::Write(store_error(error)))
    }
}

impl Rows for Group<'_> {
    type Error = WriteError;

    type Admissions<'r>
        = Admissions<'r>
    where
        Self: 'r;

    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, WriteError> {
        Ok(idempotency::get(self.connection, organisation, key)?)
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, WriteError> {
        Ok(self.cached_counters(organisation)?.current)
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, WriteError> {
        Ok(models::get(self.connection, organisation, id)?)
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, WriteError> {
        Ok(data::one(self.connection, organisation, model, pair)?)
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, WriteError> {
        Ok(data::last(self.connection, organisation, model)?)
    }

    fn next_id(&mut self) -> Result<ModelId, WriteError> {
        let id = ModelId::new(self.last_id.current + 1);
        id.map_err(|_| WriteError::Write(StoreErrorKind::IdsExhausted.into()))
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), WriteError> {
        self.last_id.current = model.id.get();
        Ok(models::insert(self.connection, organisation, model)?)
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), WriteError> {
        Ok(models::update(self.connection, organisation, after)?)
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), WriteError> {
        models::delete(self.connection, organisation, before.id)?;
        Ok(data::delete_all(self.connection, organisation, before.id)?)
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), WriteError> {
        Ok(data::insert(self.connection, organisation, model, pair)?)
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), WriteError> {
        Ok(data::delete(self.connection, organisation, model, pair)?)
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), WriteError> {
        Ok(events::insert(self.connection, organisation, position, model, event)?)
    }

    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), WriteError> {
        Ok(idempotency::put(self.connection, organisation, key, kept)?)
    }

    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), WriteError> {
        self.cached_counters(organisation)?.current = counters;
        Ok(())
    }

    fn admissions(
        &mut self,
        _: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), WriteError> {
        let Group { connection, windows, .. } = self;
        Ok((Admissions { connection, windows }, at))
    }
}
