//! A group of writes in one transaction. Each is decided on the state that those before it leave.

use std::collections::BTreeMap;

use custom_models_core::access::Window;
use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{
    Admission, AdmissionRequest, AdmissionRows, AdmissionRowsMut, Counters, IdempotencyRecord,
    IdempotencyScope, Rows, StoreError, StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::rows::admissions::{WindowQuery, WindowRows};
use crate::settings::Clock;
use crate::write::snapshot::Snapshot;
use crate::write::statements::WindowChanges;
use crate::write::write_set::WriteSet;

/// The rows that a group has read, and its changes to them.
pub(crate) struct Group {
    clock: Clock,
    snapshot: Snapshot,
    pub(crate) write_set: WriteSet,
}

impl Group {
    pub(crate) fn new(clock: Clock, snapshot: Snapshot) -> Self {
        Group { clock, snapshot, write_set: WriteSet::default() }
    }
}

/// The admissions of a window: those read from the database, and those added by the group.
pub(crate) struct Admissions<'a> {
    window_rows: WindowRows,
    changed: &'a mut BTreeMap<Window, WindowChanges>,
}

impl Admissions<'_> {
    fn since(&self, window: &Window) -> &[Admission] {
        self.changed.get(window).map_or(&[], |admitted| admitted.new.as_slice())
    }
}

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.since(window).last().copied().or(self.window_rows.last))
    }

    /// Returns the first admission that was in the window when the rows were read. With the
    /// caller's clock, which may go back within a group, it may no longer be in the window; it
    /// counts all the same.
    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        let new = self.since(window).iter().find(|new| new.at > after).copied();
        Ok(self.window_rows.oldest.or(new))
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        let new = self.since(window).iter().find(|new| new.number == number).copied();
        Ok(new.or(self.window_rows.numbered(window, number)?))
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), StoreError> {
        self.changed.entry(*window).or_default().new.push(admission);
        Ok(())
    }

    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        most: u32,
    ) -> Result<(), StoreError> {
        let admitted = self.changed.entry(*window).or_default();
        admitted.until = admitted.until.max(until);
        admitted.most += i64::from(most);
        Ok(())
    }
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}

impl Rows for Group {
    type Error = StoreError;

    type Admissions<'r> = Admissions<'r>;

    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        intact(self.snapshot.answers.get(&(organisation.clone(), key.clone())))
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        Ok(self.snapshot.counters.get(organisation).copied().unwrap_or_default())
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        intact(self.snapshot.models.get(&(organisation.clone(), id)))
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        intact(self.snapshot.pairs.get(&(organisation.clone(), model, pair)))
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        Ok(self.snapshot.last_pairs.get(&(organisation.clone(), model)).copied())
    }

    fn next_id(&mut self) -> Result<ModelId, StoreError> {
        self.snapshot.next_id()
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        self.snapshot.models.insert((organisation.clone(), model.id), Ok(model.clone()));
        self.write_set.add(organisation.clone(), model.clone());
        Ok(())
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        self.snapshot.models.insert((organisation.clone(), after.id), Ok(after.clone()));
        self.write_set.update(organisation.clone(), after.clone());
        Ok(())
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        self.snapshot.models.remove(&(organisation.clone(), before.id));
        self.write_set.delete(organisation, before.id);
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair.id);
        self.snapshot.last_pairs.insert((organisation.clone(), model), pair.id);
        self.snapshot.pairs.insert(key.clone(), Ok(pair.clone()));
        self.write_set.data.insert(key, Some(pair.clone()));
        Ok(())
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair);
        self.snapshot.pairs.remove(&key);
        self.write_set.data.insert(key, None);
        Ok(())
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        self.write_set.events.push((organisation.clone(), position, model, event.clone()));
        Ok(())
    }

    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), key.clone());
        self.snapshot.answers.insert(key.clone(), Ok(kept.clone()));
        self.write_set.answers.insert(key, kept.clone());
        Ok(())
    }

    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), StoreError> {
        self.snapshot.counters.insert(organisation.clone(), counters);
        self.write_set.counters.insert(organisation.clone(), counters);
        Ok(())
    }

    fn admissions(
        &mut self,
        request: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), StoreError> {
        let window_rows =
            self.snapshot.window_rows.get(&WindowQuery::new(request, at, self.clock)).copied();
        let window_rows = window_rows.ok_or_else(|| damaged("a window that was not read"))?;
        Ok((Admissions { window_rows, changed: &mut self.write_set.windows }, window_rows.now))
    }
}

/// Returns a row as it was read. A damaged row fails the write that asks for it.
fn intact<T: Clone>(found: Option<&Result<T, &'static str>>) -> Result<Option<T>, StoreError> {
    found.map(|found| found.as_ref().cloned().map_err(|what| damaged(what))).transpose()
}
