//! The store, and the traits of the core that it implements.

mod access;
mod archive;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    Completion, IdempotencyRecord, IdempotencyScope, Job, Listing, ModelStore, OpenMode, Outcome,
    Purge, Purged, Selection, StoreError, StoreErrorKind, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use custom_models_group_commit::GroupCommit;

use crate::database::Database;
use crate::database::backend::{Backend, Disk};
use crate::database::folder::Folder;
use crate::read::{models, records};
use crate::write::writer::Writer;

/// A store of custom models in the folder of a sled database.
///
/// One process can have it open at a time.
pub struct SledStore {
    queue: GroupCommit<Writer>,
    database: Arc<Database>,
}

impl SledStore {
    /// Opens a store with the rights of `mode` (PLACE-1).
    ///
    /// [`OpenMode::ReadOnly`] reads a private copy of the folder and leaves the folder as it is.
    /// The copy shows no later writes, and needs as much space in the folder for temporary files.
    ///
    /// # Errors
    ///
    /// - [`StoreErrorKind::Missing`]: there is nothing, or an empty folder, and `mode` creates no
    ///   store.
    /// - [`StoreErrorKind::Older`]: the layout is older, and `mode` does not migrate it.
    /// - [`StoreErrorKind::NotOurs`]: the folder holds something else; it is not touched.
    /// - [`StoreErrorKind::Newer`]: a newer version of this crate wrote it; it is not touched.
    /// - [`StoreErrorKind::Locked`]: the store is open already, in this process or another one.
    /// - [`StoreErrorKind::Unavailable`]: the parent folder is missing, or there is no permission.
    /// - [`StoreErrorKind::Damaged`]: the database has lost groups, or cannot be read. Nothing that
    ///   could be recovered is overwritten.
    /// - [`StoreErrorKind::Full`], [`StoreErrorKind::Failed`]: as they say.
    pub fn open_as(folder: impl AsRef<Path>, mode: OpenMode) -> Result<Self, StoreError> {
        SledStore::open_with(folder.as_ref(), mode, Disk)
    }

    /// Opens a store. Creates one if there is nothing, or an empty folder. The parent folder must
    /// exist. An older layout is migrated.
    ///
    /// # Errors
    ///
    /// Those of [`SledStore::open_as`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        SledStore::open_as(folder, OpenMode::Create)
    }

    /// Opens a store that **loses acknowledged writes at power loss**: it trusts sled's flush and
    /// does not sync. It exists so that tests can show the loss; nothing else should use it.
    ///
    /// # Errors
    ///
    /// As [`SledStore::open`].
    #[cfg(feature = "flush-only")]
    pub fn open_flush_only(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        SledStore::open_on(folder.as_ref(), crate::database::backend::FlushOnly)
    }

    #[cfg(any(test, feature = "flush-only"))]
    pub(crate) fn open_on(folder: &Path, backend: impl Backend) -> Result<Self, StoreError> {
        SledStore::open_with(folder, OpenMode::Create, backend)
    }

    fn open_with(folder: &Path, mode: OpenMode, backend: impl Backend) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(Folder::open(folder, mode)?, backend)?);
        let writer = match mode {
            OpenMode::ReadOnly => Writer::read_only(Arc::clone(&database)),
            _ => Writer::new(Arc::clone(&database)),
        };
        let queue = GroupCommit::start("sled-writer", writer)
            .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
        Ok(SledStore { queue, database })
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl ModelStore for SledStore {
    fn submit(&self, write: Write, done: Completion) {
        let (job, done) = Job::of_model(write, done);
        self.queue.submit(job, done);
    }

    fn submit_all(&self, writes: Vec<(Write, Completion)>) {
        self.queue.submit_all(writes.into_iter().map(|(write, done)| Job::of_model(write, done)));
    }

    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        self.queue.apply(Job::Model(write))?.model()
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        models::get(&self.database, organisation, id)
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        models::list(&self.database, organisation, selection)
    }

    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        records::events(&self.database, organisation, after, limit)
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        records::claimable(&self.database, organisation, at, limit)
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        records::data(&self.database, organisation, model, after, limit)
    }

    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        records::idempotency_record(&self.database, organisation, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.queue.apply(Job::Purge(purge))?.purged()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.queue.close();
        self.database.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
