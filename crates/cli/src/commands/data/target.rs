//! The model that pairs are added to: beginning an upload, and committing it.

use std::sync::Arc;

use custom_models_core::engine::Edited;
use custom_models_core::model::{CustomModel, DataPair, Edit, Expected};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::{Caller, Engine, ModelId, Refusal};
use custom_models_training_data::{Folder, Upload, UploadError, Uploaded};

use crate::commands::backend::Local;
use crate::config::data_folder::DataFolder;
use crate::output::failure::Failure;

/// A model that pairs are added to, with its folder of training data.
pub(super) struct Target<'a> {
    engine: &'a Engine,
    caller: &'a Caller,
    folder: &'a DataFolder,
    contents: Arc<Folder>,
    model: ModelId,
}

impl<'a> Target<'a> {
    /// Opens the folder of an existing model.
    pub(super) fn open(local: &Local<'a>, model: ModelId) -> Result<Self, Failure> {
        let Local { engine, caller, folder } = *local;
        // Refused before gigabytes are copied, and checked again after.
        engine.get(caller, model)?;
        let contents = folder.open_required()?;
        Ok(Target { engine, caller, folder, contents, model })
    }

    /// Returns the model.
    pub(super) fn model(&self) -> Result<CustomModel, Failure> {
        Ok(self.engine.get(self.caller, self.model)?)
    }

    /// Returns the pairs that the model has.
    pub(super) fn pairs(&self) -> Result<Vec<DataPair>, Failure> {
        Ok(self.engine.pairs(self.caller, self.model).collect::<Result<_, _>>()?)
    }

    /// Begins the upload of a pair, with its type if that is known.
    pub(super) fn begin(&self, data_type: Option<&str>) -> Result<Upload, UploadError> {
        let organisation = self.caller.organisation().clone();
        let mut upload = Upload::to(Arc::clone(&self.contents) as _, organisation, self.model);
        if let Some(data_type) = data_type {
            upload.part("type", None)?;
            upload.write(data_type.as_bytes())?;
        }
        Ok(upload)
    }

    /// Adds the pair of a finished upload to the model. Removes its files if that is refused.
    pub(super) fn commit(
        &self,
        uploaded: Uploaded,
        expected: &Expected,
    ) -> Result<CustomModel, Failure> {
        let edit = Edit::AddData(uploaded.pair.clone());
        match self.engine.edit(self.caller, self.model, edit, expected) {
            Ok(Edited::Changed { model, .. }) => Ok(*model),
            Ok(other) => Err(Refusal::Internal { cause: format!("{other:?}").into() }.into()),
            Err(refusal) => {
                let is_unknown = matches!(&refusal, Refusal::Store(fault)
                    if fault.kind() == StoreErrorKind::OutcomeUnknown);
                if !is_unknown {
                    // A sweep removes what stays; the refusal matters more.
                    let _ = uploaded.discard();
                }
                Err(refusal.into())
            }
        }
    }

    /// Records the state of the store in the folder's mark, after pairs were added.
    pub(super) fn record(&self) {
        // From now on an older copy of the store is recognised as such; if this fails, from the next sweep on.
        let _ = self.folder.record(&self.contents);
    }

    /// Maps the failure of an upload.
    pub(super) fn failure(&self, error: UploadError) -> Failure {
        match error {
            UploadError::Store(fault) => self.folder.failure(fault),
            other => Refusal::from(other).into(),
        }
    }
}
