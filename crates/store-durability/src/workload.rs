//! The requests of the load to an engine, and the lines that report them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::engine::Edited;
use custom_models_core::model::{Edit, Expected};
use custom_models_core::store::{Store, StoreErrorKind};
use custom_models_core::time::UnixMillis;
use custom_models_core::{Caller, CreateModel, Engine, ModelId, Refusal};
use custom_models_training_data::{ContentStore, UploadError};

use crate::uploads::upload;
use crate::{BoxError, Line, Token, sample};

/// The requests of the load: it creates the models of tokens, and changes them.
pub(crate) struct Workload {
    pub(crate) engine: Engine,
    /// The time of the engine's clock, in seconds since 1970.
    clock: Arc<AtomicU64>,
}

impl Workload {
    /// Creates a workload with an engine of its own over a store.
    pub(crate) fn new(store: &Arc<dyn Store>) -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&clock);
        let now = move || UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::Relaxed));
        Workload { engine: Engine::new(store.clone(), now), clock }
    }

    /// Creates the model of a token, and returns the line to report.
    pub(crate) fn create(
        &self,
        caller: &Caller,
        token: Token,
    ) -> Result<Result<Line, Refusal>, BoxError> {
        let model = sample(token)?;
        self.clock.store(u64::try_from(model.created_at.unix_seconds())?, Ordering::Relaxed);
        let request = CreateModel {
            name: model.name,
            language: model.language,
            base_model: model.base_model,
            description: model.description,
        };
        let organisation = caller.organisation().to_string();
        let created = self.engine.create(caller, request);
        Ok(created.map(|model| Line::Created { id: model.id, organisation, token }))
    }

    /// Returns the time of the changes of a run. It is after all creates, and so long after earlier runs that
    /// their leases have ended.
    pub(crate) fn time_of(run: u32) -> UnixMillis {
        UnixMillis::from_unix_millis((1_702_000_000 + 3600 * i64::from(run)) * 1000)
    }

    /// Changes or deletes a model, and returns the line to report.
    pub(crate) fn edit(
        &self,
        caller: &Caller,
        run: u32,
        id: ModelId,
        edit: &Edit,
    ) -> Result<Result<Line, Refusal>, BoxError> {
        let now = Self::time_of(run).unix_seconds_up();
        self.clock.store(u64::try_from(now)?, Ordering::Relaxed);
        let organisation = caller.organisation().to_string();
        match self.engine.edit(caller, id, edit.clone(), &Expected::Anything) {
            Ok(Edited::Changed { model, .. }) => {
                Ok(Ok(Line::Changed { id, organisation, version: model.version }))
            }
            Ok(Edited::Deleted) => Ok(Ok(Line::Deleted { id, organisation })),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Adds the data of a token to a model, and returns the line to report.
    pub(crate) fn upload(
        &self,
        caller: &Caller,
        run: u32,
        id: ModelId,
        contents: &Arc<dyn ContentStore>,
        token: Token,
    ) -> Result<Result<Line, Refusal>, BoxError> {
        let uploaded = match upload(contents, caller.organisation(), id, token) {
            Ok(uploaded) => uploaded,
            Err(UploadError::Store(fault)) => return Ok(Err(fault.into())),
            Err(error) => return Err(error.into()),
        };
        let added = self.edit(caller, run, id, &Edit::AddData(uploaded.pair.clone()))?;
        let is_unknown = matches!(&added, Err(Refusal::Store(fault))
            if fault.kind() == StoreErrorKind::OutcomeUnknown);
        if added.is_err() && !is_unknown {
            // A sweep removes files that stay.
            let _ = uploaded.discard();
        }
        Ok(added)
    }
}
