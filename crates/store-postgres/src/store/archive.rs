//! Exports, imports and the search for damage.

use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Job, Record, StoreError, StoreErrorKind, StoreSummary,
};

use crate::connection::long_read::LongRead;
use crate::read::{export, verify};
use crate::store::PostgresStore;

impl ArchiveStore for PostgresStore {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        export::export(self.long_read()?, self.layout, each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.queues()?.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        let (layout, drawn) = (self.layout, self.drawn);
        self.readers.read(move |reader| export::summary(reader, layout, drawn))
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        verify::findings(&mut self.long_read()?, self.layout)
    }
}

impl PostgresStore {
    fn long_read(&self) -> Result<LongRead, StoreError> {
        if self.runtime_thread.is_stopped() {
            return Err(StoreErrorKind::Closed.into());
        }
        LongRead::open(&self.address, &self.settings)
    }
}
