//! The store in memory, which is the reference for every other store.

mod access;
mod archive;
mod records;
mod rows;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory::access::AccessState;
use crate::memory::records::RecordsState;
use crate::model::{CustomModel, DataPair, EventPage, ModelId};
use crate::store::{
    Completion, IdempotencyRecord, IdempotencyScope, Lineage, Listing, ModelStore, Purge, Purged,
    Rows, Selection, StoreError, StoreErrorKind, StoreIdentity, Write, apply,
};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// A store in memory: for tests, and as the reference for every other store.
///
/// Its records are lost with the last clone (MODEL-6 does not hold). It meets the rest of the contract.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    is_closed: bool,
    pub(crate) identity: Option<StoreIdentity>,
    pub(crate) lineage: Option<Lineage>,
    pub(crate) last_id: u64,
    pub(crate) models: HashMap<Organisation, BTreeMap<ModelId, CustomModel>>,
    pub(crate) access: AccessState,
    pub(crate) records: RecordsState,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    /// Creates an empty store with an identity, for a host with a folder of training data that another store
    /// may own (PLACE-2). [`MemoryStore::new`] draws no random bytes: the identity of its stores is all
    /// zeros.
    pub fn with_identity(identity: StoreIdentity) -> Self {
        let state = State { identity: Some(identity), ..State::default() };
        MemoryStore { state: Arc::new(Mutex::new(state)) }
    }

    /// Returns a store with the same records, open even if this one was closed.
    pub fn reopen(&self) -> Self {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let reopened = State { is_closed: false, ..std::mem::take(&mut *state) };
        state.is_closed = true;
        MemoryStore { state: Arc::new(Mutex::new(reopened)) }
    }

    /// Assigns ids larger than `to` from now on, so that a test can approach the last one (MODEL-1).
    ///
    /// The last id never decreases: a smaller `to` changes nothing.
    pub fn raise_last_id(&self, to: ModelId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_id = state.last_id.max(to.get());
    }

    /// Locks the state, unless the store is closed. Nothing that can panic runs under the lock.
    pub(crate) fn open_state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed { Err(StoreErrorKind::Closed.into()) } else { Ok(state) }
    }
}

impl ModelStore for MemoryStore {
    fn submit(&self, write: Write, done: Completion) {
        let answer = self.open_state().and_then(|mut state| apply(&mut *state, &write));
        done(answer);
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        self.open_state()?.model(organisation, id)
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        let state = self.open_state()?;
        let Some(models) = state.models.get(organisation) else {
            return Ok(Listing::default());
        };
        let Selection { filter, after, skip, limit } = selection;
        let total = if filter.is_empty() {
            models.len() as u64
        } else {
            models.values().filter(|model| filter.matches(model)).count() as u64
        };
        let models = models
            .range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
            .map(|(_, model)| model)
            .filter(|model| filter.matches(model))
            .skip(usize::try_from(*skip).unwrap_or(usize::MAX))
            .take(usize::try_from(*limit).unwrap_or(usize::MAX))
            .cloned()
            .collect();
        Ok(Listing { models, total })
    }

    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        Ok(self.open_state()?.records.events(organisation, after, limit))
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        let state = self.open_state()?;
        let mut found: Vec<_> = state
            .models
            .iter()
            .filter(|(of, _)| organisation.is_none_or(|wanted| wanted == *of))
            .flat_map(|(of, models)| models.values().map(move |model| (of, model)))
            .filter_map(|(of, model)| Some((model.training.claimable_at()?, of, model)))
            .filter(|(since, ..)| *since <= at)
            .collect();
        found.sort_by_key(|(since, _, model)| (*since, model.id));
        let found = found.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.map(|(_, of, model)| (of.clone(), model.clone())).collect())
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        Ok(self.open_state()?.records.data(organisation, model, after, limit))
    }

    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.open_state()?.idempotency_record(organisation, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        Ok(self.open_state()?.records.purge(purge))
    }

    fn close(&self) -> Result<(), StoreError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        Ok(())
    }
}
