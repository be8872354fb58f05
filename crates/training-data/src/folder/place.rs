//! The port to what a [`Folder`](super::Folder) of training data is kept in.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::store::StoreError;
use custom_models_core::{ModelId, Organisation};

use super::Folder;
use super::mark::Mark;
use crate::content::{Content, NewContent};

/// A content, or what is left of one that was being written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// What the place told with the name, if it tells it there.
    pub(crate) details: Option<Details>,
}

/// What is known of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Details {
    pub(crate) bytes: u64,
    /// The time since its last change by the clock of its place; `None` for a time in the future.
    pub(crate) age: Option<Duration>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Removed {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// The number of entries that stayed, because somebody writes them.
    pub(crate) used: u64,
}

/// Acts on the entries of a model, and says whether to go on with the next one.
pub(crate) type EachModel<'a> = dyn FnMut(ModelId, Vec<Entry>) -> Result<bool, StoreError> + 'a;

/// Keeps contents and the marks of a folder, and knows nothing of stores of models.
pub(crate) trait Place: Send + Sync + fmt::Debug {
    /// Its name.
    fn root(&self) -> &Path;

    /// Makes sure that the place is there, or that it can be made.
    fn ensure_reachable(&self) -> Result<(), StoreError>;

    /// True if something is there under its name.
    fn exists(&self) -> bool;

    /// The mark; `None` if there is none.
    fn mark(&self) -> Result<Option<Mark>, StoreError>;

    /// The mark of an adoption that has not come to its end, if there is one that can be read.
    fn prepared(&self) -> Option<Mark>;

    /// The right to change the marks, once what is there has been made.
    fn lock(&self, is_made: bool) -> Result<Box<dyn MarkLock + '_>, StoreError>;

    /// The organisations that have contents.
    fn organisations(&self) -> Result<Vec<Organisation>, StoreError>;

    /// Calls `act` with what there is of each model of an organisation.
    fn each_model(
        &self,
        organisation: &Organisation,
        act: &mut EachModel<'_>,
    ) -> Result<(), StoreError>;

    /// What there is of a model.
    fn entries(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Vec<Entry>, StoreError>;

    /// What is known of an entry; `None` if it is gone.
    fn details(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Details>, StoreError>;

    /// True if somebody writes it, or it is gone.
    fn is_used(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<bool, StoreError>;

    /// Removes entries that nobody writes. Where writers are known by a sign of life, one that is older than
    /// `lapse` counts for nothing.
    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        names: Vec<(String, u64)>,
        lapse: Duration,
    ) -> Result<Removed, StoreError>;

    /// Removes a content whether or not somebody holds it.
    fn remove_content(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<(), StoreError>;

    /// Removes what is empty: the place of a model, or of an organisation.
    fn tidy(&self, organisation: &Organisation, model: Option<ModelId>);

    /// Begins a content.
    fn begin(
        &self,
        folder: &Folder,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError>;

    /// Opens a content; `None` if it is not there.
    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        name: &str,
    ) -> Result<Option<Box<dyn Content>>, StoreError>;

    /// The path of a content that is a file.
    fn path(&self, organisation: &Organisation, model: ModelId, name: &str) -> Option<PathBuf>;
}

/// The right to change the marks of a place: nobody else has it at the time, or what is changed is what was read
/// under it, and [`StoreErrorKind::Busy`](custom_models_core::store::StoreErrorKind::Busy) if somebody was faster.
pub(crate) trait MarkLock {
    /// The mark.
    fn mark(&self) -> Result<Option<Mark>, StoreError>;

    /// Puts a mark in the place of the one that is there, durably.
    fn write(&mut self, mark: &Mark) -> Result<(), StoreError>;

    /// The mark of an adoption.
    fn prepared(&self) -> Option<Mark>;

    /// Writes the mark of an adoption aside, durably, or leaves nothing.
    fn prepare(&mut self, mark: &Mark) -> Result<(), StoreError>;

    /// Puts the mark that lies aside in its place, durably.
    fn put_prepared(&mut self) -> Result<(), StoreError>;

    /// Removes the mark that lies aside. One that stays is that of no store.
    fn drop_prepared(&mut self);
}
