//! A store that other processes use in the middle of a change.

use std::sync::Mutex;

use custom_models_core::MemoryStore;
use custom_models_core::store::{ArchiveChange, ArchiveStore, StoreError};

use crate::hooked::{Hooked, Hooks};

/// An action before a change.
type Before<'a> = Box<dyn FnOnce(&MemoryStore, &ArchiveChange) + Send + 'a>;

/// A store with an action before its next change.
pub(crate) struct Between<'a> {
    store: &'a MemoryStore,
    before: Mutex<Option<Before<'a>>>,
}

impl<'a> Between<'a> {
    pub(crate) fn store_with(
        store: &'a MemoryStore,
        before: impl FnOnce(&MemoryStore, &ArchiveChange) + Send + 'a,
    ) -> Hooked<Self> {
        Hooked(Between { store, before: Mutex::new(Some(Box::new(before))) })
    }
}

impl Hooks for Between<'_> {
    fn store(&self) -> &MemoryStore {
        self.store
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        let before = self.before.lock().unwrap().take();
        if let Some(before) = before {
            before(self.store, &change);
        }
        self.store.archive(change)
    }
}
