//! The folder that the files of training data are in.

use std::path::PathBuf;
use std::sync::Arc;

use custom_models_core::{Engine, ModelId, Organisation, StoreError, StoreErrorKind};
use custom_models_training_data::{ContentStore, Folder};
use tempfile::TempDir;

use crate::args::Global;

/// What the name of the folder ends with that lies beside a store.
const BESIDE: &str = ".data";

/// The folder that `--data` names, or the one beside the store. A store in memory has one of its own,
/// which goes when this is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl DataFolder {
    /// Where it is. Nothing is made there yet.
    pub(crate) fn of(global: &Global) -> Result<Self, StoreError> {
        let named = global.data.clone().or_else(|| global.store.beside(BESIDE));
        named.map_or_else(Self::temporary, |path| Ok(DataFolder { path, _temporary: None }))
    }

    /// One that `--data` names, or one that goes with this.
    #[cfg(feature = "serve")]
    pub(crate) fn for_a_try(global: &Global) -> Result<Self, StoreError> {
        let named = global.data.clone();
        named.map_or_else(Self::temporary, |path| Ok(DataFolder { path, _temporary: None }))
    }

    fn temporary() -> Result<Self, StoreError> {
        let failed = |cause| StoreError::new(StoreErrorKind::Unavailable, cause);
        let temporary = TempDir::with_prefix("custom-models-").map_err(failed)?;
        Ok(DataFolder { path: temporary.path().join("data"), _temporary: Some(temporary) })
    }

    /// Opens it.
    pub(crate) fn open(&self) -> Result<Arc<dyn ContentStore>, StoreError> {
        Ok(Arc::new(Folder::open(&self.path)?))
    }
}

/// Removes the files that nothing refers to and nobody writes, and says how many.
pub(crate) fn sweep(contents: &dyn ContentStore, engine: &Engine) -> Result<u64, StoreError> {
    contents.sweep(&mut |organisation: &Organisation, model: ModelId, content: &str| {
        let pairs = engine.stored_data(organisation, model)?;
        Ok(pairs.iter().any(|pair| {
            [&pair.audio.content, &pair.transcript.content].iter().any(|it| *it == content)
        }))
    })
}
