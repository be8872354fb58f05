//! The rows of a [`MemoryStore`](crate::MemoryStore) for [`apply`](crate::store::apply).

use std::time::Duration;

use crate::access::{KeyDigest, KeyId, KeyRecord};
use crate::memory::State;
use crate::memory::access::Admissions;
use crate::model::{CustomModel, DataId, DataPair, ModelId, NewEvent};
use crate::store::{
    AccessRows, AdmissionRequest, Counters, IdempotencyRecord, IdempotencyScope, Registration,
    Rows, StoreError, StoreErrorKind,
};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

impl Rows for State {
    type Error = StoreError;

    type Admissions<'r> = Admissions<'r>;

    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.records.answers.get(&(organisation.clone(), key.clone())).cloned())
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        let models = self.models.get(organisation).map_or(0, |models| models.len() as u64);
        Ok(Counters { models, events: self.records.last_event(organisation) })
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        Ok(self.models.get(organisation).and_then(|models| models.get(&id)).cloned())
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        let pairs = self.records.data.get(&(organisation.clone(), model));
        Ok(pairs.and_then(|pairs| pairs.get(&pair)).cloned())
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        let pairs = self.records.data.get(&(organisation.clone(), model));
        Ok(pairs.and_then(|pairs| pairs.last_key_value()).map(|(id, _)| *id))
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
        self.models.entry(organisation.clone()).or_default().insert(model.id, model.clone());
        Ok(())
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        self.models.entry(organisation.clone()).or_default().insert(after.id, after.clone());
        Ok(())
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        self.models.entry(organisation.clone()).or_default().remove(&before.id);
        self.records.data.remove(&(organisation.clone(), before.id));
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        self.records.put_data(organisation.clone(), model, pair.clone());
        Ok(())
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        if let Some(pairs) = self.records.data.get_mut(&(organisation.clone(), model)) {
            pairs.remove(&pair);
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
        self.records.append(organisation, event.clone().at(position, model));
        Ok(())
    }

    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), StoreError> {
        self.records.answers.insert((organisation.clone(), key.clone()), kept.clone());
        Ok(())
    }

    /// Does nothing: both counters are derived from the rows.
    fn set_counters(&mut self, _: &Organisation, _: Counters) -> Result<(), StoreError> {
        Ok(())
    }

    fn admissions(
        &mut self,
        _: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Admissions<'_>, UnixMillis), StoreError> {
        Ok((self.access.admissions(), at))
    }
}

impl AccessRows for State {
    fn registration(&mut self, of: &Organisation) -> Result<Option<Registration>, StoreError> {
        Ok(self.access.registration(of))
    }

    fn put_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        self.access.put_registration(registration.clone());
        Ok(())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.access.keys.get(&id).cloned())
    }

    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>, StoreError> {
        Ok(self.access.ids.get(digest).copied())
    }

    fn put_key(&mut self, key: &KeyRecord) -> Result<(), StoreError> {
        self.access.put_key(key.clone());
        Ok(())
    }

    fn sweep_windows(
        &mut self,
        longest: Duration,
        now: UnixMillis,
        limit: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.access.sweep(now.earlier(longest), now, limit))
    }
}
