//! The interface to the storage of a [`Folder`](super::Folder) of training data: a disk or object storage.

use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::store::StoreError;
use custom_models_core::{ModelId, Organisation};

use super::Folder;
use super::mark::Mark;
use crate::content::{Content, NewContent};
use crate::pieces::PieceStore;

/// A content, or the part of one that was being written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// The details, if the storage lists them together with the name.
    pub(crate) details: Option<Details>,
}

/// The details of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details {
    pub(crate) bytes: u64,
    /// The time since its last change, by the clock of the storage; `None` for a time in the future.
    pub(crate) age: Option<Duration>,
}

/// The entries that were removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Removed {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// The number of entries that stayed because somebody is writing them.
    pub(crate) used: u64,
}

/// A function called with the entries of each model, which returns whether to continue.
pub(crate) type EachModel<'a> = dyn FnMut(ModelId, Vec<Entry>) -> Result<bool, StoreError> + 'a;

/// A storage of contents and of the marks of a folder. It knows nothing of stores of models.
pub(crate) trait Place: PieceStore {
    /// Returns its name.
    fn root(&self) -> &Path;

    /// Checks that the storage exists or can be created.
    fn ensure_reachable(&self) -> Result<(), StoreError>;

    /// Returns true if something exists under its name.
    fn exists(&self) -> bool;

    /// Returns the mark; `None` if there is none.
    fn mark(&self) -> Result<Option<Mark>, StoreError>;

    /// Returns the mark of an unfinished adoption, if there is a readable one.
    fn prepared(&self) -> Option<Mark>;

    /// Takes the lock for changing the marks. Unless `is_made`, a missing folder is created first.
    fn lock(&self, is_made: bool) -> Result<Box<dyn MarkLock + '_>, StoreError>;

    /// Returns the organisations that have contents.
    fn organisations(&self) -> Result<Vec<Organisation>, StoreError>;

    /// Calls `act` with the entries of each model of an organisation.
    fn each_model(
        &self,
        organisation: &Organisation,
        act: &mut EachModel<'_>,
    ) -> Result<(), StoreError>;

    /// Returns the entries of a model.
    fn entries(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Returns the details of an entry; `None` if it is gone.
    fn details(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Details>, StoreError>;

    /// Returns true if somebody is writing the entry, or it is gone.
    fn is_used(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<bool, StoreError>;

    /// Removes entries that nobody is writing. If writers send signs of life, those older than `lapse` do not
    /// count.
    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        names: Vec<(String, u64)>,
        lapse: Duration,
    ) -> Result<Removed, StoreError>;

    /// Removes a content, whether it is held or not.
    fn remove_content(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<(), StoreError>;

    /// Removes an empty folder, of a model or of an organisation.
    fn tidy(&self, organisation: &Organisation, model: Option<ModelId>);

    /// Begins a content.
    fn begin(
        &self,
        folder: &Folder,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError>;

    /// Opens a content; `None` if it does not exist.
    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Box<dyn Content>>, StoreError>;

    /// Returns the path of a content that is a file.
    fn path(&self, organisation: &Organisation, model: ModelId, name: &str) -> Option<PathBuf>;
}

/// The right to change the marks of a folder. It is exclusive, or each change is conditional on the marks
/// that were read, and fails with [`StoreErrorKind::Busy`](custom_models_core::store::StoreErrorKind::Busy)
/// if another process was faster.
pub(crate) trait MarkLock {
    /// Returns the mark.
    fn mark(&self) -> Result<Option<Mark>, StoreError>;

    /// Replaces the mark, durably.
    fn write(&mut self, mark: &Mark) -> Result<(), StoreError>;

    /// Returns the mark of an unfinished adoption.
    fn prepared(&self) -> Option<Mark>;

    /// Writes the mark of an adoption to a second file, durably, or leaves nothing.
    fn prepare(&mut self, mark: &Mark) -> Result<(), StoreError>;

    /// Replaces the mark by the second one, durably.
    fn put_prepared(&mut self) -> Result<(), StoreError>;

    /// Removes the second mark. If that fails, the mark that stays belongs to no store.
    fn drop_prepared(&mut self);
}
