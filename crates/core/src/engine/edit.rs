//! The engine's operations on existing models.

use std::future::Future;

use crate::access::Operation;
use crate::engine::idempotency::Idempotent;
use crate::engine::refusal::Refusal;
use crate::engine::{Engine, unexpected};
use crate::model::{CustomModel, DataId, DataPair, Edit, Expected, ModelId, NewPair, transition};
use crate::request::UpdateModel;
use crate::store::{
    AdmissionRequest, Change, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord, Outcome,
    Write,
};
use crate::tenant::Caller;

/// The result of an edit.
///
/// Not `#[non_exhaustive]`: a host has to take each case into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The model was changed.
    Changed {
        /// The model after the edit.
        model: Box<CustomModel>,
        /// The data pair that was removed (DATA-6).
        removed: Option<Box<DataPair>>,
    },
    /// The model was deleted.
    Deleted,
}

impl Engine {
    /// Changes the name or the description of a model, and returns when that is durable (EDIT-1 to EDIT-4).
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`].
    pub fn update(
        &self,
        caller: &Caller,
        id: ModelId,
        request: UpdateModel<'_>,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, request.into(), expected)
    }

    /// Deletes a model with its data, and returns when that is durable. The quota has room for another one at
    /// once (EDIT-5, QUOTA-2).
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`].
    pub fn delete(&self, caller: &Caller, id: ModelId) -> Result<(), Refusal> {
        self.edit(caller, id, Edit::Delete, &Expected::Anything).map(drop)
    }

    /// Adds a data pair whose contents are stored already, and returns when that is durable (DATA-4, DATA-5).
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`].
    pub fn add_data(
        &self,
        caller: &Caller,
        id: ModelId,
        pair: NewPair,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, Edit::AddData(pair), expected)
    }

    /// Removes a data pair, and returns it when that is durable (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::DataNotFound`], and the errors of [`Engine::edit`].
    pub fn remove_data(
        &self,
        caller: &Caller,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> Result<DataPair, Refusal> {
        match self.edit(caller, id, Edit::RemoveData(data_id), expected)? {
            Edited::Changed { removed: Some(pair), .. } => Ok(*pair),
            other => Err(Refusal::Internal { cause: format!("no pair of {other:?}").into() }),
        }
    }

    /// Starts the training of a model, and returns when that is durable (TRAIN-2).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotReady`], and the errors of [`Engine::edit`].
    pub fn run(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, Edit::Run, expected)
    }

    /// Cancels the training of a model, and returns when that is durable (TRAIN-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::TrainingNotRunning`], and the errors of [`Engine::edit`].
    pub fn cancel(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, Edit::Cancel, expected)
    }

    /// Edits a model as it is when the write is made, and returns when that is durable (EDIT-4).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id; a 409 if the state of the
    /// model does not allow the edit; [`Refusal::PreconditionFailed`] if the model is not at an expected
    /// revision; and [`Refusal::Store`].
    pub fn edit(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
    ) -> Result<Edited, Refusal> {
        edit_result(self.store.apply(self.edit_write(
            caller,
            id,
            edit,
            expected.clone(),
            None,
            None,
        ))?)
    }

    fn change(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        match self.edit(caller, id, edit, expected)? {
            Edited::Changed { model, .. } => Ok(*model),
            Edited::Deleted => Err(unexpected(&Outcome::Deleted)),
        }
    }

    /// Edits a model, as [`Engine::edit`] does, without blocking a thread. Works with any async runtime. A
    /// request that may be repeated is executed once; a repeat gets the response to the first one (IDEM-1).
    ///
    /// The write is submitted before this returns, even if the future is never polled. Dropping the future
    /// does not cancel the write.
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`], and [`Refusal::IdempotencyKeyReused`].
    #[must_use = "dropping it does not take the write back: await it for the outcome"]
    pub fn edit_async(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: Expected,
        idempotency: Option<IdempotentRequest>,
    ) -> impl Future<Output = Result<Idempotent<Edited>, Refusal>> + Send + use<> {
        let edited = self.edit_limited_async(caller, id, edit, expected, idempotency, None);
        async move { edited.await?.without_window() }
    }

    /// Judges an edit of a model that was read, without making it. Hosts call it to judge the state and the
    /// revision of a model before they read a body (ORDER).
    ///
    /// `pair` is the data pair that an [`Edit::RemoveData`] names, if the model has it.
    ///
    /// # Errors
    ///
    /// A 409 if the state of the model does not allow the edit, [`Refusal::DataNotFound`], and
    /// [`Refusal::PreconditionFailed`].
    pub fn check(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
        pair: Option<&DataPair>,
        expected: &Expected,
    ) -> Result<(), Refusal> {
        let next = transition(model, edit, pair, expected, caller.actor(), self.now());
        Ok(next.map(drop)?)
    }

    pub(crate) fn edit_write(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Write {
        let answer = idempotency.map(|IdempotentRequest { key, request }| NewIdempotencyRecord {
            key: IdempotencyScope { operation: operation_of(&edit), target: Some(id), key },
            request,
        });
        let change = Change::Edit { id, edit: Box::new(edit), expected };
        let (organisation, actor) = (caller.organisation().clone(), caller.actor().clone());
        Write { organisation, actor, at: self.now(), change, idempotency: answer, admission }
    }
}

/// Turns the outcome of an edit into its result.
pub(crate) fn edit_result(outcome: Outcome) -> Result<Edited, Refusal> {
    match outcome {
        Outcome::NotFound => Err(Refusal::ModelNotFound),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::Changed { model, removed } => Ok(Edited::Changed { model, removed }),
        Outcome::Deleted => Ok(Edited::Deleted),
        other => Err(unexpected(&other)),
    }
}

/// Returns the operation that an edit belongs to.
const fn operation_of(edit: &Edit) -> Operation {
    match edit {
        Edit::Update { .. } => Operation::Update,
        Edit::Delete => Operation::Delete,
        Edit::AddData(_) => Operation::Upload,
        Edit::RemoveData(_) => Operation::DeleteData,
        Edit::Run => Operation::Run,
        Edit::Cancel => Operation::Cancel,
        Edit::Claim { .. }
        | Edit::Heartbeat { .. }
        | Edit::Succeed { .. }
        | Edit::Fail { .. }
        | Edit::Expire => Operation::Work,
    }
}
