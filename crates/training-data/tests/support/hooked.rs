//! A store in memory of which a test changes some methods.

use std::ops::Deref;

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Completion, IdempotencyRecord, IdempotencyScope, Listing,
    ModelStore, Purge, Purged, Record, Selection, StoreError, StoreSummary, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

/// The methods that a test may change. By default they are those of the store.
pub(crate) trait Hooks: Send + Sync {
    fn store(&self) -> &MemoryStore;

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.store().data(of, model, after, limit)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.store().archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.store().summary()
    }
}

/// A store with the changed methods, and all others of the store in memory.
#[derive(Default)]
pub(crate) struct Hooked<H>(pub(crate) H);

impl<H> Deref for Hooked<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.0
    }
}

impl<H: Hooks> ModelStore for Hooked<H> {
    fn submit(&self, write: Write, done: Completion) {
        self.store().submit(write, done);
    }

    fn get(&self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>, StoreError> {
        self.store().get(of, id)
    }

    fn list(&self, of: &Organisation, selection: &Selection) -> Result<Listing, StoreError> {
        self.store().list(of, selection)
    }

    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        self.store().events(of, after, limit)
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.store().claimable(of, at, limit)
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.0.data(of, model, after, limit)
    }

    fn idempotency_record(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.store().idempotency_record(of, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.store().purge(purge)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.store().close()
    }
}

impl<H: Hooks> ArchiveStore for Hooked<H> {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store().export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.0.archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.0.summary()
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.store().verify()
    }
}
