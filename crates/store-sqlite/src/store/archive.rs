//! Exports, imports and the search for damage.

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Job, Record, StoreError, StoreSummary,
};

use crate::error::store_error;
use crate::read::{export, verify};
use crate::store::SqliteStore;

type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), StoreError>;

impl ArchiveStore for SqliteStore {
    fn export(&self, each: Each<'_>) -> Result<(), StoreError> {
        self.readers.read_with(|connection| {
            let snapshot = connection.transaction().map_err(store_error)?;
            export::export(&snapshot, each)
        })
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.queue()?.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.readers.read(|connection| connection.query_row(export::SUMMARY, [], export::summary))
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.original().read_with(verify::verify)
    }
}
