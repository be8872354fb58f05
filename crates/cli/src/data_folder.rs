//! The folder that the files of training data are in.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use custom_models_core::{StoreError, StoreErrorKind};
use custom_models_training_data::{ContentStore, Folder};
use tempfile::TempDir;

use crate::args::Global;
use crate::failure::{Failure, with_causes};
use crate::places::{Shown, explained};
use crate::store_url::Beside;

/// What the name of the folder ends with that lies beside a store.
const BESIDE: &str = ".data";

/// The folder that `--data` names, or the one beside the store. A store in memory has one of its own,
/// which goes when this is dropped; one behind a server has none that is not named.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: Option<PathBuf>,
    _temporary: Option<TempDir>,
}

impl DataFolder {
    /// Where it is. Nothing is made there yet.
    pub(crate) fn of(global: &Global) -> Result<Self, StoreError> {
        if let Some(path) = global.data.clone() {
            return Ok(DataFolder { path: Some(path), _temporary: None });
        }
        match global.store.beside(BESIDE) {
            Beside::At(path) => Ok(DataFolder { path: Some(path), _temporary: None }),
            Beside::Unknown => Ok(DataFolder { path: None, _temporary: None }),
            Beside::Nowhere => Self::temporary(),
        }
    }

    /// One that `--data` names, or one that goes with this.
    #[cfg(feature = "serve")]
    pub(crate) fn for_a_try(global: &Global) -> Result<Self, StoreError> {
        let named = |path| Ok(DataFolder { path: Some(path), _temporary: None });
        global.data.clone().map_or_else(Self::temporary, named)
    }

    fn temporary() -> Result<Self, StoreError> {
        let failed = |cause| StoreError::new(StoreErrorKind::Unavailable, cause);
        let temporary = TempDir::with_prefix("custom-models-").map_err(failed)?;
        let path = temporary.path().join("data");
        Ok(DataFolder { path: Some(path), _temporary: Some(temporary) })
    }

    /// A fault of a content of the folder, which the message names.
    pub(crate) fn failure(&self, fault: StoreError) -> Failure {
        match &self.path {
            Some(path) => Failure::File(path.clone(), explained(path, fault)),
            None => Failure::Store(fault),
        }
    }

    /// Opens it, if there is one.
    pub(crate) fn open(&self) -> Result<Option<Arc<dyn ContentStore>>, StoreError> {
        let Some(path) = &self.path else { return Ok(None) };
        let folder = Folder::open(path).map_err(|fault| {
            let explained = explained(path, fault);
            let cause = match path.metadata() {
                Ok(found) if !found.is_dir() => "it is a file; name a folder".to_owned(),
                _ => explained.source().map_or_else(String::new, with_causes),
            };
            let cause = format!("the folder of training data {}: {cause}", Shown(path));
            StoreError::new(explained.kind(), cause)
        })?;
        Ok(Some(Arc::new(folder)))
    }

    /// Opens it, for what cannot be done without.
    pub(crate) fn needed(&self) -> Result<Arc<dyn ContentStore>, Failure> {
        let missing = "--data: name a folder that all machines share, for a store behind a server";
        self.open()?.ok_or_else(|| Failure::WrongUsage(missing.to_owned()))
    }
}
