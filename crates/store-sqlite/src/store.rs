//! The store, and the traits of the core that it implements.

mod access;
mod archive;
mod backup;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    Completion, IdempotencyRecord, IdempotencyScope, Job, Listing, ModelStore, OpenMode, Outcome,
    Purge, Purged, Selection, StoreError, StoreErrorKind, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use custom_models_group_commit::GroupCommit;

use crate::file::open::StoreFile;
use crate::file::path::io_error;
use crate::read::pool::ReadPool;
use crate::read::read_only::{self, ReadOnlyStore};
use crate::rows::{data, events, idempotency, models};
use crate::write::writer::Writer;

/// A store of custom models in one SQLite file.
///
/// Several processes may have the same file open; the quota holds across all of them (QUOTA-4). The
/// file must be on a local disk: SQLite's write-ahead log does not work over a network.
pub struct SqliteStore {
    /// `None` if the store was opened for reading alone.
    queue: Option<GroupCommit<Writer>>,
    readers: ReadPool,
    /// The file in its own layout, if the readers have a migrated copy.
    original: Option<ReadPool>,
}

impl SqliteStore {
    /// The longest wait for another process that has the file locked.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// Opens a store. Creates one if there is no file, or an empty one. The folder must exist.
    ///
    /// # Errors
    ///
    /// Those of [`SqliteStore::open_as`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_as(path, OpenMode::Create)
    }

    /// Opens a store with the rights of `mode` (PLACE-1).
    ///
    /// [`OpenMode::ReadOnly`] writes to none of the store's files. The owner of the database reads
    /// it in place. A private copy in the folder for temporary files is read instead by other
    /// users, in a folder that cannot be written to, and if the layout is older. A copy does not
    /// show later writes.
    ///
    /// # Errors
    ///
    /// - [`StoreErrorKind::Missing`]: there is no file, or an empty one, and `mode` creates none.
    /// - [`StoreErrorKind::Older`]: the layout is older, and `mode` does not migrate it.
    /// - [`StoreErrorKind::NotOurs`]: the file is something else; it is not touched.
    /// - [`StoreErrorKind::Newer`]: a newer version of this crate wrote it; it is not touched.
    /// - [`StoreErrorKind::Busy`]: another process kept it locked for [`Self::BUSY_TIMEOUT`].
    /// - [`StoreErrorKind::Unavailable`]: no such folder, no permission, a write-ahead log without
    ///   its database, or, for writing, a database with several hard links.
    /// - [`StoreErrorKind::Damaged`], [`StoreErrorKind::Full`], [`StoreErrorKind::Failed`]: as they
    ///   say.
    pub fn open_as(path: impl AsRef<Path>, mode: OpenMode) -> Result<Self, StoreError> {
        Self::open_file(path.as_ref(), Self::BUSY_TIMEOUT, mode)
    }

    /// [`SqliteStore::open`] with another timeout than [`Self::BUSY_TIMEOUT`], of at most a day.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn open_with_busy_timeout(
        path: impl AsRef<Path>,
        busy_timeout: Duration,
    ) -> Result<Self, StoreError> {
        Self::open_file(path.as_ref(), busy_timeout, OpenMode::Create)
    }

    fn open_file(path: &Path, busy_timeout: Duration, mode: OpenMode) -> Result<Self, StoreError> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let path = std::path::absolute(path).map_err(|error| io_error(path, &error))?;
        let busy_timeout = busy_timeout.min(DAY);
        let file = StoreFile { path, busy_timeout, is_read_only: false };
        if mode == OpenMode::ReadOnly {
            let ReadOnlyStore { readers, original } = read_only::open(file)?;
            return Ok(SqliteStore { queue: None, readers, original });
        }
        let writer = Writer::open(file.clone(), mode)?;
        let readers = ReadPool::new(file, Some(writer.watch()));
        let queue = GroupCommit::start("sqlite-writer", writer)
            .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
        Ok(SqliteStore { queue: Some(queue), readers, original: None })
    }

    /// The queue of writes; [`StoreErrorKind::ReadOnly`] if the store was opened for reading alone.
    fn queue(&self) -> Result<&GroupCommit<Writer>, StoreError> {
        self.queue.as_ref().ok_or_else(|| StoreErrorKind::ReadOnly.into())
    }

    /// The file in its own layout.
    fn original(&self) -> &ReadPool {
        self.original.as_ref().unwrap_or(&self.readers)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.readers.path()).finish_non_exhaustive()
    }
}

impl ModelStore for SqliteStore {
    fn submit(&self, write: Write, done: Completion) {
        match self.queue() {
            Ok(queue) => {
                let (job, done) = Job::of_model(write, done);
                queue.submit(job, done);
            }
            Err(error) => done(Err(error)),
        }
    }

    fn submit_all(&self, writes: Vec<(Write, Completion)>) {
        match self.queue() {
            Ok(queue) => {
                queue.submit_all(writes.into_iter().map(|(write, done)| Job::of_model(write, done)))
            }
            Err(error) => writes.into_iter().for_each(|(_, done)| done(Err(error.clone()))),
        }
    }

    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        self.queue()?.apply(Job::Model(write))?.model()
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        self.readers.read(|connection| models::get(connection, organisation, id))
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        self.readers.read(|connection| models::list(connection, organisation, selection))
    }

    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        self.readers.read(|connection| events::page(connection, organisation, after, limit))
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.readers.read(|connection| models::claimable(connection, organisation, at, limit))
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.readers.read(|connection| data::page(connection, organisation, model, after, limit))
    }

    fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.readers.read(|connection| idempotency::get(connection, organisation, key))
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.queue()?.apply(Job::Purge(purge))?.purged()
    }

    fn close(&self) -> Result<(), StoreError> {
        if let Some(queue) = &self.queue {
            queue.close();
        }
        self.readers.close();
        if let Some(original) = &self.original {
            original.close();
        }
        Ok(())
    }
}
