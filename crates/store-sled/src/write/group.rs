//! A group of writes that is being decided. Each write sees the changes of those before it.

use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{
    AdmissionRequest, Counters, IdempotencyRecord, IdempotencyScope, Rows, StoreError,
    StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use sled::Db;

use crate::rows::admissions::{Admissions, Newest};
use crate::rows::counters::Counter;
use crate::rows::keys::{LAST_ID, TOTALS, counter_key, model_key};
use crate::rows::overflow::{self, Edits};
use crate::rows::records::{
    HistoryBounds, answer_from_bytes, answer_key, answer_time_key, answer_to_bytes, claim_key,
    data_id, data_key, data_of, decode_pair, event_key, event_to_bytes, history_key, pair_to_bytes,
};
use crate::rows::totals::Totals;
use crate::rows::write_set::WriteSet;
use crate::rows::{counters, models};

pub(crate) struct Group<'a> {
    pub(crate) db: &'a Db,
    pub(crate) changes: WriteSet,
    pub(crate) last_id: u64,
}

impl<'a> Group<'a> {
    pub(crate) fn begin(db: &'a Db, last_id: u64) -> Result<Self, StoreError> {
        let last_id = counters::last_id(db)?.max(last_id);
        Ok(Group { db, changes: WriteSet::default(), last_id })
    }

    /// The changes of the group, with the new totals of the store.
    pub(crate) fn into_changes(mut self) -> Result<WriteSet, StoreError> {
        if !self.changes.is_empty() {
            let totals = Totals::read(self.db)?.after(&self.changes);
            self.changes.set(self.db, TOTALS.to_vec(), Some(totals.to_bytes()))?;
        }
        Ok(self.changes)
    }

    /// Decides a write. A write that is refused or fails changes nothing.
    pub(crate) fn judge<T>(
        &mut self,
        judge: impl FnOnce(&mut PendingWrite<'_, 'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pending =
            PendingWrite { last_id: self.last_id, edits: Edits::new(), newest: None, group: self };
        let outcome = judge(&mut pending)?;
        let PendingWrite { last_id, edits, .. } = pending;
        self.changes.set_all(self.db, edits)?;
        self.last_id = last_id;
        Ok(outcome)
    }

    /// Replaces a model, and updates the queue of trainings. At least one of the two must be given.
    pub(crate) fn put_model(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        before: Option<&CustomModel>,
        after: Option<&CustomModel>,
    ) -> Result<(), StoreError> {
        let Some(id) = after.or(before).map(|model| model.id) else { return Ok(()) };
        let key = model_key(organisation, id.get());
        let first = self.changes.row(self.db, &key)?;
        match (after, &first) {
            (Some(model), _) => {
                overflow::put(edits, &key, models::to_bytes(model)?, first.as_deref())?
            }
            (None, Some(first)) => overflow::remove(edits, &key, first),
            (None, None) => {}
        }
        let since = |model: Option<&CustomModel>| model?.training.claimable_at();
        let (before, after) = (since(before), since(after));
        if before != after {
            let whose = organisation.as_str().as_bytes().to_vec();
            edits.extend(before.map(|since| (claim_key(since, id), None)));
            edits.extend(after.map(|since| (claim_key(since, id), Some(whose))));
        }
        Ok(())
    }

    /// Stores an answer, in place of any other under its key.
    pub(crate) fn put_answer(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        answer: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        let key = answer_key(organisation, answer)?;
        let row = |key: &[u8]| self.changes.row(self.db, key);
        let first = row(&key)?;
        if let Some(first) = &first {
            let value = overflow::whole(&key, first.clone(), row)?;
            let before = answer_from_bytes(answer, &value)?;
            edits.push((answer_time_key(before.at, &key), None));
        }
        overflow::put(edits, &key, answer_to_bytes(answer, kept)?, first.as_deref())?;
        edits.push((answer_time_key(kept.at, &key), Some(Vec::new())));
        Ok(())
    }

    pub(crate) fn counter(&self, organisation: &Organisation) -> Result<Counter, StoreError> {
        let row = self.changes.row(self.db, &counter_key(organisation))?;
        Counter::from_row(row.as_deref())
    }

    pub(crate) fn history(&self, organisation: &Organisation) -> Result<HistoryBounds, StoreError> {
        let row = self.changes.row(self.db, &history_key(organisation))?;
        HistoryBounds::from_row(row.as_deref())
    }

    pub(crate) fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let value = self.value(&answer_key(organisation, key)?)?;
        value.map(|value| answer_from_bytes(key, &value)).transpose()
    }

    /// A value with the changes of the group so far.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = |key: &[u8]| self.changes.row(self.db, key);
        row(key)?.map(|first| overflow::whole(key, first, row)).transpose()
    }
}

/// A write that is being decided. Its edits become changes of the group if it succeeds.
pub(crate) struct PendingWrite<'g, 'a> {
    pub(crate) group: &'g Group<'a>,
    pub(crate) edits: Edits,
    newest: Newest,
    last_id: u64,
}

impl Rows for PendingWrite<'_, '_> {
    type Error = StoreError;

    type Admissions<'r>
        = Admissions<'r>
    where
        Self: 'r;

    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.group.idempotency_record(organisation, key)
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        let Counter { models, .. } = self.group.counter(organisation)?;
        let HistoryBounds { last: events, .. } = self.group.history(organisation)?;
        Ok(Counters { models, events })
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        let value = self.group.value(&model_key(organisation, id.get()))?;
        value.map(|value| models::from_bytes(id, &value)).transpose()
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        let key = data_key(organisation, model, pair);
        let value = self.group.value(&key)?;
        value.map(|value| decode_pair(&key, &value)).transpose()
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        let prefix = data_of(organisation, model);
        let last = self.group.changes.last_key(self.group.db, &prefix)?;
        last.map(|key| data_id(&prefix, &key)).transpose()
    }

    fn next_id(&mut self) -> Result<ModelId, StoreError> {
        ModelId::new(self.last_id + 1).map_err(|_| StoreErrorKind::IdsExhausted.into())
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        self.last_id = model.id.get();
        self.edits.push((LAST_ID.to_vec(), Some(self.last_id.to_be_bytes().to_vec())));
        self.group.put_model(&mut self.edits, organisation, None, Some(model))
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        self.group.put_model(&mut self.edits, organisation, Some(before), Some(after))
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        self.group.put_model(&mut self.edits, organisation, Some(before), None)?;
        let data = self.group.changes.rows(self.group.db, &data_of(organisation, before.id))?;
        self.edits.extend(data.into_keys().map(|key| (key, None)));
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        let key = data_key(organisation, model, pair.id);
        overflow::put(&mut self.edits, &key, pair_to_bytes(pair)?, None)
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        let key = data_key(organisation, model, pair);
        if let Some(first) = self.group.changes.row(self.group.db, &key)? {
            overflow::remove(&mut self.edits, &key, &first);
        }
        Ok(())
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        let key = event_key(organisation, position);
        overflow::put(&mut self.edits, &key, event_to_bytes(event, model)?, None)?;
        let HistoryBounds { first, .. } = self.group.history(organisation)?;
        let history = HistoryBounds { first, last: position };
        self.edits.push((history_key(organisation), Some(history.to_bytes())));
        Ok(())
    }

    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        self.group.put_answer(&mut self.edits, organisation, key, kept)
    }

    /// Writes only the number of models: the end of the history is written with its event.
    fn set_counters(
        &mut self,
        organisation: &Organisation,
        Counters { models, .. }: Counters,
    ) -> Result<(), StoreError> {
        let Counter { changes, .. } = self.group.counter(organisation)?;
        let counter = Counter { models, changes: changes.wrapping_add(1) };
        self.edits.push((counter_key(organisation), Some(counter.to_bytes())));
        Ok(())
    }

    fn admissions(
        &mut self,
        _: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), StoreError> {
        let Group { db, changes, .. } = self.group;
        Ok((Admissions { db, changes, edits: &mut self.edits, newest: &mut self.newest }, at))
    }
}
