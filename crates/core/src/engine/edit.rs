//! The engine's operations on existing models.

use crate::access::Operation;
use crate::engine::Engine;
use crate::engine::forms::WriteOperation;
use crate::engine::idempotency::Idempotent;
use crate::engine::limited::{Limited, limited};
use crate::engine::refusal::{Refusal, unexpected};
use crate::model::{CustomModel, DataPair, Edit, Expected, ModelId, transition};
use crate::store::{
    AdmissionRequest, Change, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord, Outcome,
    PendingWrite, Write,
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
    /// Edits a model as it is when the write is made, and returns when that is durable (EDIT-4).
    ///
    /// ```
    /// use custom_models_core::engine::Edited;
    /// use custom_models_core::model::{Edit, Expected};
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let model = engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// let edited = engine.edit(&caller, model.id, Edit::Delete, &Expected::Anything)?;
    /// assert_eq!(edited, Edited::Deleted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        self.apply(self.editing(caller, id, edit, expected))
    }

    /// Edits a model, as [`Engine::edit`] does, without blocking a thread. Works with any async runtime.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn edit_async(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
    ) -> PendingWrite<Edited, Refusal> {
        self.submit(self.editing(caller, id, edit, expected))
    }

    /// Edits a model once, for a request that may be repeated. A repeat gets the response to the first one
    /// (IDEM-1). [`Engine::create_once`] has an example.
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`], and [`Refusal::IdempotencyKeyReused`].
    pub fn edit_once(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: IdempotentRequest,
    ) -> Result<Idempotent<Edited>, Refusal> {
        self.edit_limited(caller, id, edit, expected, Some(idempotency), None)?.without_window()
    }

    /// Edits a model once, as [`Engine::edit_once`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn edit_once_async(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: IdempotentRequest,
    ) -> PendingWrite<Idempotent<Edited>, Refusal> {
        let editing = self.limited_editing(caller, id, edit, expected, Some(idempotency), None);
        self.submit(editing.and_then(Limited::without_window))
    }

    /// Edits a model and admits the request, in one durable write (RATE-3). [`Engine::create_limited`] has an
    /// example.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. Refusals of
    /// the edit itself, those of [`Engine::edit`], are the result of [`Limited::Admitted`].
    pub fn edit_limited(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Result<Limited<Edited>, Refusal> {
        self.apply(self.limited_editing(caller, id, edit, expected, idempotency, admission))
    }

    /// Edits a model and admits the request, as [`Engine::edit_limited`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn edit_limited_async(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> PendingWrite<Limited<Edited>, Refusal> {
        self.submit(self.limited_editing(caller, id, edit, expected, idempotency, admission))
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

    pub(crate) fn editing(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
    ) -> WriteOperation<Edited> {
        WriteOperation::new(self.edit_write(caller, id, edit, expected, None, None), edit_result)
    }

    fn limited_editing(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> WriteOperation<Limited<Edited>> {
        let write = self.edit_write(caller, id, edit, expected, idempotency, admission);
        limited(write, edit_result)
    }

    fn edit_write(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Write {
        let answer = idempotency.map(|IdempotentRequest { key, request }| NewIdempotencyRecord {
            key: IdempotencyScope { operation: operation_of(&edit), target: Some(id), key },
            request,
        });
        let change = Change::Edit { id, edit: Box::new(edit), expected: expected.clone() };
        let (organisation, actor) = (caller.organisation().clone(), caller.actor().clone());
        Write { organisation, actor, at: self.now(), change, idempotency: answer, admission }
    }
}

/// Turns the outcome of an edit into its result.
fn edit_result(outcome: Outcome) -> Result<Edited, Refusal> {
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
