//! The engine's operations on models that are there: read, decide, write on what was read.

use std::future::Future;

use serde::Serialize;

use crate::edit::{Decision, decide};
use crate::engine::unexpected;
use crate::pending::Pending;
use crate::{
    AnswerForm, AnswerKey, Caller, ContentDigest, CustomModel, DataId, DataPair, Edit, Engine,
    Expected, KeptAnswer, ModelId, NewAnswer, NewPair, Operation, Outcome, Refusal, Repeatable,
    StoreError, StoreErrorKind, UpdateModel, Write,
};

/// What came of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The model is like this now.
    Changed(Box<CustomModel>),
    /// The model is gone.
    Deleted,
    /// The request was answered before, and this was the answer (IDEM-1).
    Before(KeptAnswer),
}

/// What is answered to an upload (DATA-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uploaded<'a> {
    message: &'static str,
    data_type: &'static str,
    filename: &'a str,
    transcript_filename: &'a str,
    training_status: u8,
}

impl<'a> Uploaded<'a> {
    /// The answer about a pair, when its model is like this.
    pub fn new(pair: &'a NewPair, model: &CustomModel) -> Self {
        Uploaded {
            message: "Training data uploaded",
            data_type: pair.data_type.as_str(),
            filename: &pair.audio.filename,
            transcript_filename: &pair.transcript.filename,
            training_status: model.training_status().number(),
        }
    }
}

impl Engine {
    /// Changes the name or the description of a model, and returns when that is durable (EDIT-1 to
    /// EDIT-4).
    ///
    /// # Errors
    ///
    /// Those of [`Engine::edit`].
    pub fn update(
        &self,
        caller: &Caller,
        id: ModelId,
        request: UpdateModel<'_>,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, &Edit::Update(request.into_owned()), expected)
    }

    /// Deletes a model with its data, and returns when that is durable; its place in the quota is
    /// free at once (EDIT-5, QUOTA-2).
    ///
    /// # Errors
    ///
    /// Those of [`Engine::edit`].
    pub fn delete(&self, caller: &Caller, id: ModelId) -> Result<(), Refusal> {
        self.edit(caller, id, &Edit::Delete, &Expected::Anything).map(drop)
    }

    /// Adds a pair of data, whose contents are kept already, and returns when that is durable
    /// (DATA-4, DATA-5).
    ///
    /// # Errors
    ///
    /// Those of [`Engine::edit`].
    pub fn add_data(
        &self,
        caller: &Caller,
        id: ModelId,
        pair: NewPair,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, &Edit::AddData(pair), expected)
    }

    /// Removes a pair of data, and answers with it, when that is durable (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::DataNotFound`], and those of [`Engine::edit`].
    pub fn remove_data(
        &self,
        caller: &Caller,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> Result<DataPair, Refusal> {
        for _ in 0..Self::ATTEMPTS {
            let model = self.get(caller, id)?;
            // Read after the model: if it changed in between, the write is stale.
            let pair = self.pair(caller, id, data_id)?;
            let (write, after) =
                self.planned(caller, &model, &Edit::RemoveData(pair.clone()), expected, None)?;
            if settled(self.store.apply(write), after, None)?.is_some() {
                return Ok(pair);
            }
        }
        Err(Refusal::Contended)
    }

    /// One pair of a model's data (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::DataNotFound`] and [`Refusal::Store`].
    pub fn pair(&self, caller: &Caller, id: ModelId, data_id: DataId) -> Result<DataPair, Refusal> {
        let before = data_id.get() - 1;
        let mut pairs = self.store.data(caller.organisation(), id, before, 1)?.into_iter();
        pairs.find(|pair| pair.id == data_id).ok_or(Refusal::DataNotFound)
    }

    /// The data of a model, in the order in which it was added (DATA-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] and [`Refusal::Store`].
    pub fn data(&self, caller: &Caller, id: ModelId) -> Result<Vec<DataPair>, Refusal> {
        self.get(caller, id)?;
        Ok(self.store.data(caller.organisation(), id, 0, u32::MAX)?)
    }

    /// Has a model trained, and returns when that is durable (TRAIN-2).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotReady`], and those of [`Engine::edit`].
    pub fn run(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, &Edit::Run, expected)
    }

    /// Calls the training of a model off, and returns when that is durable (TRAIN-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::TrainingNotRunning`], and those of [`Engine::edit`].
    pub fn cancel(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        self.change(caller, id, &Edit::Cancel, expected)
    }

    /// Makes an edit, decided afresh if others change the model in between, and returns when it is
    /// durable.
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id; a 409 if the model's
    /// state does not allow it; [`Refusal::PreconditionFailed`] if the model is not at a revision
    /// that is expected; [`Refusal::Contended`] if others kept changing it; and [`Refusal::Store`].
    pub fn edit(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: &Edit,
        expected: &Expected,
    ) -> Result<Edited, Refusal> {
        for _ in 0..Self::ATTEMPTS {
            let model = self.get(caller, id)?;
            let (write, after) = self.planned(caller, &model, edit, expected, None)?;
            if let Some(edited) = settled(self.store.apply(write), after, None)? {
                return Ok(edited);
            }
        }
        Err(Refusal::Contended)
    }

    fn change(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: &Edit,
        expected: &Expected,
    ) -> Result<CustomModel, Refusal> {
        match self.edit(caller, id, edit, expected)? {
            Edited::Changed(model) => Ok(*model),
            Edited::Deleted => Err(unexpected(&Outcome::Deleted)),
            Edited::Before(kept) => Err(unexpected(&Outcome::Repeated(kept))),
        }
    }

    /// Makes an edit of a model if that is still as it was read, for asynchronous hosts, which read
    /// in a way of their own. `None` says that it was not: it is to be read again (EDIT-4).
    ///
    /// The write is on its way when this returns, polled or not; dropping the future does not take
    /// it back.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::edit`], and [`Refusal::IdempotencyKeyReused`].
    pub fn edit_unchanged_async(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
        expected: &Expected,
        repeatable: Option<&Repeatable>,
    ) -> impl Future<Output = Result<Option<Edited>, Refusal>> + Send + use<> {
        let asked = repeatable.map(|repeatable| repeatable.request);
        let planned = self.planned(caller, model, edit, expected, repeatable);
        let submitted = planned
            .map(|(write, after)| (Pending::new(|done| self.store.submit(write, done)), after));
        async move {
            let (pending, after) = submitted?;
            settled(pending.await, after, asked)
        }
    }

    /// Whether an edit can be made of a model as it was read; makes none. For hosts that judge the state
    /// of a model and what the caller expects of it before they read a body (ORDER).
    ///
    /// # Errors
    ///
    /// A 409 if the model's state does not allow it, and [`Refusal::PreconditionFailed`].
    pub fn check(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
        expected: &Expected,
    ) -> Result<(), Refusal> {
        decide(model, edit, expected, caller.actor(), self.now()).map(drop)
    }

    /// The write that an edit comes to, and the model after it.
    pub(crate) fn planned(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
        expected: &Expected,
        repeatable: Option<&Repeatable>,
    ) -> Result<(Write, Option<CustomModel>), Refusal> {
        let now = self.now();
        let Decision { change, event, model: after } =
            decide(model, edit, expected, caller.actor(), now)?;
        let answer = match (repeatable, &after) {
            (Some(repeatable), Some(after)) => Some(NewAnswer {
                key: AnswerKey {
                    operation: operation_of(edit),
                    target: Some(model.id),
                    key: repeatable.key.clone(),
                },
                request: repeatable.request,
                at: now,
                form: form_of(edit, after)?,
            }),
            _ => None,
        };
        let organisation = caller.organisation().clone();
        Ok((Write { organisation, change, event, answer }, after))
    }
}

/// What a store's answer to an edit means; `None` if it was stale.
pub(crate) fn settled(
    answer: Result<Outcome, StoreError>,
    after: Option<CustomModel>,
    asked: Option<ContentDigest>,
) -> Result<Option<Edited>, Refusal> {
    match (answer?, after, asked) {
        (Outcome::Stale, ..) => Ok(None),
        (Outcome::NotFound, ..) => Err(Refusal::ModelNotFound),
        (Outcome::Updated, Some(model), _) => Ok(Some(Edited::Changed(Box::new(model)))),
        (Outcome::Deleted, None, _) => Ok(Some(Edited::Deleted)),
        (Outcome::Repeated(kept), _, Some(asked)) => {
            kept.for_request(asked).map(|kept| Some(Edited::Before(kept)))
        }
        (other, ..) => Err(unexpected(&other)),
    }
}

/// What a caller asks for who asks for an edit.
const fn operation_of(edit: &Edit) -> Operation {
    match edit {
        Edit::Update(_) => Operation::Update,
        Edit::Delete => Operation::Delete,
        Edit::AddData(_) => Operation::Upload,
        Edit::RemoveData(_) => Operation::DeleteData,
        Edit::Run => Operation::Run,
        Edit::Cancel => Operation::Cancel,
        Edit::Claim { .. }
        | Edit::Beat { .. }
        | Edit::Succeed { .. }
        | Edit::Fail { .. }
        | Edit::Expire => Operation::Work,
    }
}

/// What is answered to an edit.
fn form_of(edit: &Edit, after: &CustomModel) -> Result<AnswerForm, Refusal> {
    match edit {
        Edit::AddData(pair) => {
            let body = serde_json::to_string(&Uploaded::new(pair, after));
            let body = body.map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;
            Ok(AnswerForm::Body { status: 200, body })
        }
        _ => Ok(AnswerForm::Model { status: 200 }),
    }
}
