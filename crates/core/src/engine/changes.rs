//! The engine's operations that are one edit of a model each.

use crate::engine::Engine;
use crate::engine::edit::Edited;
use crate::engine::forms::WriteOperation;
use crate::engine::refusal::{Refusal, unexpected};
use crate::model::{CustomModel, DataId, DataPair, Edit, Expected, ModelId, NewPair};
use crate::request::UpdateModel;
use crate::store::{Outcome, PendingWrite};
use crate::tenant::Caller;

impl Engine {
    /// Changes the name or the description of a model, and returns when that is durable (EDIT-1 to EDIT-4).
    ///
    /// ```
    /// use custom_models_core::UpdateModel;
    /// use custom_models_core::model::Expected;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let model = engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// let request = UpdateModel::from_json(br#"{"name":"Law"}"#)?;
    /// let expected = Expected::OneOf(vec![model.revision()]);
    /// assert_eq!(engine.update(&caller, model.id, request, &expected)?.name.as_str(), "Law");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        self.apply(self.changing(caller, id, request.into(), expected))
    }

    /// Does what [`Engine::update`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn update_async(
        &self,
        caller: &Caller,
        id: ModelId,
        request: UpdateModel<'_>,
        expected: &Expected,
    ) -> PendingWrite<CustomModel, Refusal> {
        self.submit(self.changing(caller, id, request.into(), expected))
    }

    /// Deletes a model with its data, and returns when that is durable. The quota has room for another one at
    /// once (EDIT-5, QUOTA-2).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let model = engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// engine.delete(&caller, model.id)?;
    /// assert_eq!(engine.get(&caller, model.id).unwrap_err().status(), 404);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::edit`].
    pub fn delete(&self, caller: &Caller, id: ModelId) -> Result<(), Refusal> {
        self.apply(self.deleting(caller, id))
    }

    /// Does what [`Engine::delete`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn delete_async(&self, caller: &Caller, id: ModelId) -> PendingWrite<(), Refusal> {
        self.submit(self.deleting(caller, id))
    }

    fn deleting(&self, caller: &Caller, id: ModelId) -> WriteOperation<()> {
        self.editing(caller, id, Edit::Delete, &Expected::Anything).and_then(|_| Ok(()))
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
        self.apply(self.changing(caller, id, Edit::AddData(pair), expected))
    }

    /// Does what [`Engine::add_data`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn add_data_async(
        &self,
        caller: &Caller,
        id: ModelId,
        pair: NewPair,
        expected: &Expected,
    ) -> PendingWrite<CustomModel, Refusal> {
        self.submit(self.changing(caller, id, Edit::AddData(pair), expected))
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
        self.apply(self.removing(caller, id, data_id, expected))
    }

    /// Does what [`Engine::remove_data`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn remove_data_async(
        &self,
        caller: &Caller,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> PendingWrite<DataPair, Refusal> {
        self.submit(self.removing(caller, id, data_id, expected))
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
        self.apply(self.changing(caller, id, Edit::Run, expected))
    }

    /// Does what [`Engine::run`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn run_async(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> PendingWrite<CustomModel, Refusal> {
        self.submit(self.changing(caller, id, Edit::Run, expected))
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
        self.apply(self.changing(caller, id, Edit::Cancel, expected))
    }

    /// Does what [`Engine::cancel`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn cancel_async(
        &self,
        caller: &Caller,
        id: ModelId,
        expected: &Expected,
    ) -> PendingWrite<CustomModel, Refusal> {
        self.submit(self.changing(caller, id, Edit::Cancel, expected))
    }

    fn changing(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: &Expected,
    ) -> WriteOperation<CustomModel> {
        self.editing(caller, id, edit, expected).and_then(|edited| match edited {
            Edited::Changed { model, .. } => Ok(*model),
            Edited::Deleted => Err(unexpected(&Outcome::Deleted)),
        })
    }

    fn removing(
        &self,
        caller: &Caller,
        id: ModelId,
        data_id: DataId,
        expected: &Expected,
    ) -> WriteOperation<DataPair> {
        let removing = self.editing(caller, id, Edit::RemoveData(data_id), expected);
        removing.and_then(|edited| match edited {
            Edited::Changed { removed: Some(pair), .. } => Ok(*pair),
            other => Err(Refusal::Internal { cause: format!("no pair of {other:?}").into() }),
        })
    }
}
