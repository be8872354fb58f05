//! Stores that record the engine's calls, or return scripted outcomes.

use std::sync::{Arc, Mutex};

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    Completion, IdempotencyRecord, IdempotencyScope, Listing, ModelStore, Purge, Purged, Selection,
    StoreError, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

/// A call of the store by the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Submit(Box<Write>),
    Get(Organisation, ModelId),
    List(Organisation, Selection),
    /// A read of data, which found so many pairs.
    Data {
        rows: usize,
    },
    Close,
}

/// A [`MemoryStore`] that records its calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) store: MemoryStore,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Recorder {
    /// Returns the calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn note(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }
}

/// Implements the reads by those of a store in memory.
macro_rules! life_of {
    ($store:ident) => {
        fn events(
            &self,
            of: &Organisation,
            after: u64,
            limit: u32,
        ) -> Result<EventPage, StoreError> {
            self.$store.events(of, after, limit)
        }

        fn claimable(
            &self,
            of: Option<&Organisation>,
            at: UnixMillis,
            limit: u32,
        ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
            self.$store.claimable(of, at, limit)
        }

        fn idempotency_record(
            &self,
            of: &Organisation,
            key: &IdempotencyScope,
        ) -> Result<Option<IdempotencyRecord>, StoreError> {
            self.$store.idempotency_record(of, key)
        }

        fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
            self.$store.purge(purge)
        }
    };
}

impl ModelStore for Recorder {
    fn submit(&self, write: Write, done: Completion) {
        self.note(Call::Submit(Box::new(write.clone())));
        self.store.submit(write, done);
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>, StoreError> {
        self.note(Call::Get(of.clone(), id));
        self.store.get(of, id)
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing, StoreError> {
        self.note(Call::List(of.clone(), selection.clone()));
        self.store.list(of, selection)
    }

    life_of!(store);

    fn data(
        &self,
        of: &Organisation,
        id: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        let pairs = self.store.data(of, id, after, limit)?;
        self.note(Call::Data { rows: pairs.len() });
        Ok(pairs)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.note(Call::Close);
        self.store.close()
    }
}

type Submit = dyn Fn(Write, Completion) + Send + Sync;
type Get = dyn Fn() -> Result<Option<CustomModel>, StoreError> + Send + Sync;

/// A store that gives writes scripted outcomes, and has one model or none.
pub(crate) struct Scripted {
    submit: Box<Submit>,
    get: Box<Get>,
    /// Empty, unless a test fills it.
    life: MemoryStore,
}

impl Scripted {
    pub(crate) fn new(submit: impl Fn(Write, Completion) + Send + Sync + 'static) -> Self {
        Scripted { submit: Box::new(submit), get: Box::new(|| Ok(None)), life: MemoryStore::new() }
    }

    /// Returns the same store, with this result for every read of one model.
    pub(crate) fn reading(
        mut self,
        get: impl Fn() -> Result<Option<CustomModel>, StoreError> + Send + Sync + 'static,
    ) -> Self {
        self.get = Box::new(get);
        self
    }

    /// Returns the same store, with the trainings, the data and the events of another one.
    pub(crate) fn showing(mut self, store: MemoryStore) -> Self {
        self.life = store;
        self
    }
}

impl ModelStore for Scripted {
    fn submit(&self, write: Write, done: Completion) {
        (self.submit)(write, done);
    }

    fn get(&self, _: &Organisation, _: ModelId) -> Result<Option<CustomModel>, StoreError> {
        (self.get)()
    }

    fn list(&self, _: &Organisation, _: &Selection) -> Result<Listing, StoreError> {
        (self.get)().map(|model| Listing {
            total: model.iter().count() as u64,
            models: model.into_iter().collect(),
        })
    }

    life_of!(life);

    fn data(
        &self,
        of: &Organisation,
        id: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.life.data(of, id, after, limit)
    }

    fn close(&self) -> Result<(), StoreError> {
        (self.get)().map(|_| ())
    }
}
