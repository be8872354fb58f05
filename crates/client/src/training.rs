//! The operations on trainings: those of a caller, and those of a worker.

use custom_models_core::engine::{Claimed, LeaseHeld};
use custom_models_core::model::{DataPage, Expected};
use custom_models_core::request::{
    ClaimTraining, Heartbeat, ListTrainingData, RunModel, TrainingFailed, TrainingSucceeded,
};
use custom_models_core::store::IdempotencyKey;
use custom_models_core::{CustomModel, ModelId};
use reqwest::{Method, StatusCode};

use crate::client::Client;
use crate::error::Error;
use crate::models::page_number;
use crate::reply::Reply;
use crate::transport::Call;

impl Client {
    /// Starts the training of a model, once, whatever happens to the connection.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `MODEL_NOT_READY`, `TRAINING_IN_PROGRESS`, `PRECONDITION_FAILED`, and as [`Client::create`].
    pub async fn run(&self, id: ModelId, expected: &Expected) -> Result<Reply<CustomModel>, Error> {
        self.run_as(id, expected, None).await
    }

    /// Starts the training of a model, once, under a key of the caller's, which outlives this process.
    ///
    /// # Errors
    ///
    /// As [`Client::run`], and `IDEMPOTENCY_KEY_REUSED` if the key named another request.
    pub async fn run_once(
        &self,
        id: ModelId,
        expected: &Expected,
        key: &IdempotencyKey,
    ) -> Result<Reply<CustomModel>, Error> {
        self.run_as(id, expected, Some(key)).await
    }

    async fn run_as(
        &self,
        id: ModelId,
        expected: &Expected,
        key: Option<&IdempotencyKey>,
    ) -> Result<Reply<CustomModel>, Error> {
        let call = Call::on_models(self, Method::POST, &[&id, &"run"]).expecting(expected);
        self.fetch_model(call.once(key).json(&RunModel::default())?).await
    }

    /// Cancels the training of a model.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `TRAINING_NOT_RUNNING`, `PRECONDITION_FAILED`, and as [`Client::create`].
    pub async fn cancel(
        &self,
        id: ModelId,
        expected: &Expected,
    ) -> Result<Reply<CustomModel>, Error> {
        let call = Call::on_models(self, Method::POST, &[&id, &"cancel"]);
        self.fetch_model(call.expecting(expected)).await
    }

    /// Claims the training that has waited longest; `None` if none waits. The key needs the scope `training:work`, as
    /// those of the other methods of a worker do.
    ///
    /// # Errors
    ///
    /// As [`Client::create`]. A training whose claim was lost with the connection waits until the lease has run out.
    pub async fn claim(&self, request: &ClaimTraining) -> Result<Reply<Option<Claimed>>, Error> {
        let call = Call::on_training(self, Method::POST, &[&"claim"]).json(request)?;
        let received = self.send(call).await?;
        if received.status == StatusCode::NO_CONTENT {
            return Ok(received.empty().map(|()| None));
        }
        Ok(received.reply::<Claimed>()?.map(Some))
    }

    /// Returns a page of the data of a claimed training. The claim has the first page of 25.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `LEASE_LOST`, and as [`Client::list`].
    pub async fn training_data(
        &self,
        id: ModelId,
        list: &ListTrainingData,
    ) -> Result<Reply<DataPage>, Error> {
        let call = Call::on_training(self, Method::GET, &[&id, &"data"])
            .query("fence", list.fence)
            .query("page", page_number(list.list.start)?)
            .query("per_page", list.list.per_page.get());
        self.fetch(call).await
    }

    /// Reports how far a training is, and keeps the lease.
    ///
    /// # Errors
    ///
    /// `MODEL_NOT_FOUND`, `LEASE_LOST`, and as [`Client::create`].
    pub async fn heartbeat(
        &self,
        id: ModelId,
        report: &Heartbeat,
    ) -> Result<Reply<LeaseHeld>, Error> {
        let call = Call::on_training(self, Method::POST, &[&id, &"heartbeat"]);
        self.fetch(call.repeatable().json(report)?).await
    }

    /// Reports that a training succeeded.
    ///
    /// # Errors
    ///
    /// As [`Client::heartbeat`].
    pub async fn succeed(
        &self,
        id: ModelId,
        report: &TrainingSucceeded,
    ) -> Result<Reply<CustomModel>, Error> {
        let call = Call::on_training(self, Method::POST, &[&id, &"succeed"]);
        self.fetch_model(call.json(report)?).await
    }

    /// Reports that a training failed.
    ///
    /// # Errors
    ///
    /// As [`Client::heartbeat`].
    pub async fn fail(
        &self,
        id: ModelId,
        report: &TrainingFailed,
    ) -> Result<Reply<CustomModel>, Error> {
        let call = Call::on_training(self, Method::POST, &[&id, &"fail"]);
        self.fetch_model(call.json(report)?).await
    }
}
