//! A store that other processes use in the middle of a change.

use std::sync::Mutex;

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Completion, IdempotencyRecord, IdempotencyScope, Listing,
    ModelStore, Purge, Purged, Record, Selection, StoreError, StoreSummary, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

/// An action before a change.
type Before<'a> = Box<dyn FnOnce(&MemoryStore, &ArchiveChange) + Send + 'a>;

/// A store with an action before its next change.
pub(crate) struct Between<'a> {
    store: &'a MemoryStore,
    before: Mutex<Option<Before<'a>>>,
}

impl<'a> Between<'a> {
    pub(crate) fn new(
        store: &'a MemoryStore,
        before: impl FnOnce(&MemoryStore, &ArchiveChange) + Send + 'a,
    ) -> Self {
        Between { store, before: Mutex::new(Some(Box::new(before))) }
    }
}

impl ModelStore for Between<'_> {
    fn submit(&self, write: Write, done: Completion) {
        self.store.submit(write, done);
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>, StoreError> {
        self.store.get(of, id)
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing, StoreError> {
        self.store.list(of, selection)
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        self.store.events(of, after, limit)
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.store.claimable(of, at, limit)
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.store.data(of, model, after, limit)
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.store.idempotency_record(of, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}

impl ArchiveStore for Between<'_> {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        let before = self.before.lock().unwrap().take();
        if let Some(before) = before {
            before(self.store, &change);
        }
        self.store.archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.store.summary()
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.store.verify()
    }
}
