//! The writes of a transaction, judged one after the other, each on the state that those before it
//! leave.

use std::collections::BTreeMap;

use custom_models_core::access::Window;
use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{
    Admission, AdmissionRequest, AdmissionRows, AdmissionRowsMut, Counters, IdempotencyRecord,
    IdempotencyScope, Rows, StoreError, StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::rows::admissions::{Ask, Look};
use crate::settings::Clock;
use crate::write::snapshot::Known;
use crate::write::statements::Admitted;
use crate::write::write_set::Changes;

/// The rows that a group of writes is judged by, and its changes to them.
pub(crate) struct Group {
    clock: Clock,
    known: Known,
    pub(crate) changes: Changes,
}

impl Group {
    pub(crate) fn new(clock: Clock, known: Known) -> Self {
        Group { clock, known, changes: Changes::default() }
    }
}

/// The admissions of a window as they were looked at, with those of the group since.
pub(crate) struct Admissions<'a> {
    look: Look,
    changed: &'a mut BTreeMap<Window, Admitted>,
}

impl Admissions<'_> {
    fn since(&self, window: &Window) -> &[Admission] {
        self.changed.get(window).map_or(&[], |admitted| admitted.new.as_slice())
    }
}

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.since(window).last().copied().or(self.look.last))
    }

    /// The first that was found in the window when it was looked at. Where the caller's clock counts and went back
    /// within the group it may have left the window since; then it counts all the same.
    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        let new = self.since(window).iter().find(|new| new.at > after).copied();
        Ok(self.look.oldest.or(new))
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        let new = self.since(window).iter().find(|new| new.number == number).copied();
        Ok(new.or(self.look.numbered(window, number)?))
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

    fn answer(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        known(self.known.answers.get(&(organisation.clone(), key.clone())))
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        Ok(self.known.counters.get(organisation).copied().unwrap_or_default())
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        known(self.known.models.get(&(organisation.clone(), id)))
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        known(self.known.pairs.get(&(organisation.clone(), model, pair)))
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        Ok(self.known.last_pairs.get(&(organisation.clone(), model)).copied())
    }

    fn next_id(&mut self) -> Result<ModelId, StoreError> {
        self.known.next_id()
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.insert((organisation.clone(), model.id), Ok(model.clone()));
        self.changes.add(organisation.clone(), model.clone());
        Ok(())
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.insert((organisation.clone(), after.id), Ok(after.clone()));
        self.changes.update(organisation.clone(), after.clone());
        Ok(())
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.remove(&(organisation.clone(), before.id));
        self.changes.delete(organisation, before.id);
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair.id);
        self.known.last_pairs.insert((organisation.clone(), model), pair.id);
        self.known.pairs.insert(key.clone(), Ok(pair.clone()));
        self.changes.data.insert(key, Some(pair.clone()));
        Ok(())
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair);
        self.known.pairs.remove(&key);
        self.changes.data.insert(key, None);
        Ok(())
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        self.changes.events.push((organisation.clone(), position, model, event.clone()));
        Ok(())
    }

    fn keep_answer(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), key.clone());
        self.known.answers.insert(key.clone(), Ok(kept.clone()));
        self.changes.answers.insert(key, kept.clone());
        Ok(())
    }

    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), StoreError> {
        self.known.counters.insert(organisation.clone(), counters);
        self.changes.counters.insert(organisation.clone(), counters);
        Ok(())
    }

    fn admissions(
        &mut self,
        request: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), StoreError> {
        let look = self.known.looks.get(&Ask::new(request, at, self.clock)).copied();
        let look = look.ok_or_else(|| damaged("a window that was not looked at"))?;
        Ok((Admissions { look, changed: &mut self.changes.windows }, look.now))
    }
}

/// A row as it was read, or the error of the write that asks for one which is damaged.
fn known<T: Clone>(found: Option<&Result<T, &'static str>>) -> Result<Option<T>, StoreError> {
    found.map(|found| found.as_ref().cloned().map_err(|what| damaged(what))).transpose()
}
