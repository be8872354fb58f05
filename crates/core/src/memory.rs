use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory_access::AccessState;
use crate::{
    Change, Completion, CustomModel, Listing, ModelId, ModelStore, Organisation, Outcome,
    Selection, StoreError, StoreErrorKind, Write,
};

/// Keeps models in memory and nowhere else: for tests, and the reference for every other store.
///
/// Everything is lost with the last clone (MODEL-6 does not hold); all else is as the contract has
/// it.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    is_closed: bool,
    last_id: u64,
    models: HashMap<Organisation, BTreeMap<ModelId, CustomModel>>,
    pub(crate) access: AccessState,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    /// A store with the same models, open again if this one was closed.
    pub fn reopen(&self) -> Self {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let reopened = State { is_closed: false, ..std::mem::take(&mut *state) };
        state.is_closed = true;
        MemoryStore { state: Arc::new(Mutex::new(reopened)) }
    }

    /// Gives ids larger than `to` from now on, so that a test can come near the last one (MODEL-1).
    ///
    /// Ids never go back: a smaller `to` than the last id changes nothing.
    pub fn raise_last_id(&self, to: ModelId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last_id = state.last_id.max(to.get());
    }

    /// The state, unless the store is closed. Nothing that can panic runs under the lock.
    pub(crate) fn open_state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed { Err(StoreErrorKind::Closed.into()) } else { Ok(state) }
    }
}

impl State {
    fn apply(&mut self, write: Write) -> Result<Outcome, StoreError> {
        let Write { organisation, change } = write;
        match change {
            Change::Create { model, limit } => {
                let current =
                    self.models.get(&organisation).map_or(0, |models| models.len() as u64);
                if limit.is_some_and(|limit| current >= limit) {
                    return Ok(Outcome::LimitReached { current });
                }
                let id = ModelId::new(self.last_id + 1)
                    .map_err(|_| StoreError::from(StoreErrorKind::IdsExhausted))?;
                self.last_id = id.get();
                let model = model.with_id(id);
                self.models.entry(organisation).or_default().insert(id, model.clone());
                Ok(Outcome::Created(model))
            }
            Change::Delete { id, revision } => {
                let Some(models) = self.models.get_mut(&organisation) else {
                    return Ok(Outcome::NotFound);
                };
                match models.get(&id) {
                    None => Ok(Outcome::NotFound),
                    Some(model) if model.revision != revision => Ok(Outcome::Stale),
                    Some(_) => {
                        models.remove(&id);
                        Ok(Outcome::Deleted)
                    }
                }
            }
        }
    }
}

impl ModelStore for MemoryStore {
    fn submit(&self, write: Write, done: Completion) {
        let answer = self.open_state().and_then(|mut state| state.apply(write));
        done(answer);
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        let state = self.open_state()?;
        Ok(state.models.get(organisation).and_then(|models| models.get(&id)).cloned())
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

    fn close(&self) -> Result<(), StoreError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        Ok(())
    }
}
