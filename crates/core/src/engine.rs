//! The engine: one method per operation, each with at most one write to the store.

mod data;
mod data_places;
mod edit;
mod idempotency;
mod limited;
mod refusal;
mod worker;

pub use self::edit::Edited;
pub use self::idempotency::Idempotent;
pub use self::limited::Limited;
pub use self::refusal::Refusal;
pub use self::worker::{Claimed, LeaseHeld, Retention, Swept};

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::access::Operation;
use crate::engine::data_places::Places;
use crate::model::{CustomModel, Event, EventPage, ModelId, ModelKey};
use crate::request::{CreateModel, ListModels, ModelPage};
use crate::store::{
    AdmissionRequest, Change, IdempotencyRecord, IdempotencyScope, IdempotentRequest, ModelStore,
    NewIdempotencyRecord, Outcome, Pending, Selection, StoreError, Write,
};
use crate::tenant::{Caller, Plan};
use crate::time::UnixMillis;

/// Executes the operations on custom models by the rules, over a store.
///
/// Clones are cheap and share the store. Time comes from the clock passed to [`Engine::new`].
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Arc<dyn ModelStore>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    places: Arc<Places>,
}

/// The result of checking a request to create a model (DRY-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Validated {
    /// Always true: an invalid request is a refusal instead.
    pub valid: bool,
    /// The number of models of the organisation.
    pub current_models: u64,
    /// The number of models that the plan allows; `null` is unlimited.
    pub plan_limit: Option<u64>,
}

/// A part of an organisation's history, as the API returns it (LOG-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventList {
    /// The number of events in this part.
    pub count: u64,
    /// The position of the organisation's last event.
    pub last_position: u64,
    /// The events, in the order of their positions.
    pub result: Vec<Event>,
}

impl Engine {
    /// Creates an engine over a store, with a clock: `SystemTime::now` outside of tests.
    pub fn new(
        store: Arc<dyn ModelStore>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Engine { store, clock: Arc::new(clock), places: Arc::default() }
    }

    /// Creates a model, and returns when it is durable (MODEL-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::QuotaExceeded`] at the limit of the caller's plan (QUOTA-3), and [`Refusal::Store`].
    pub fn create(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> Result<CustomModel, Refusal> {
        create_result(
            self.store.apply(self.create_write(caller, request, None, None))?,
            caller.plan(),
        )
    }

    /// Creates a model, as [`Engine::create`] does, without blocking a thread. Works with any async runtime.
    ///
    /// The write is submitted before this returns, even if the future is never polled. Dropping the future
    /// does not cancel the write.
    #[must_use = "dropping it does not take the write back: await it for the outcome"]
    pub fn create_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> impl Future<Output = Result<CustomModel, Refusal>> + Send + use<> {
        let creation = self.create_write(caller, request, None, None);
        let pending = Pending::new(|done| self.store.submit(creation, done));
        let plan = caller.plan().clone();
        async move { create_result(pending.await?, &plan) }
    }

    /// Creates a model once, for a request that may be repeated. A repeat gets the response to the first one
    /// (IDEM-1).
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::create`], and [`Refusal::IdempotencyKeyReused`].
    #[must_use = "dropping it does not take the write back: await it for the outcome"]
    pub fn create_once_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: IdempotentRequest,
    ) -> impl Future<Output = Result<Idempotent<CustomModel>, Refusal>> + Send + use<> {
        let created = self.create_limited_async(caller, request, Some(idempotency), None);
        async move { created.await?.without_window() }
    }

    /// Returns the idempotency record under this key, while it is live (IDEM-1).
    ///
    /// [`IdempotencyRecord::for_request`] then compares the digest of the new request. A host can call this
    /// before it reads a body, and skips the comparison if the key is new.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`].
    pub fn kept_answer(
        &self,
        caller: &Caller,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, Refusal> {
        let kept = self.store.idempotency_record(caller.organisation(), key)?;
        Ok(kept.filter(|kept| kept.is_live_at(self.now())))
    }

    pub(crate) fn create_write(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Write {
        let (at, limit) = (self.now(), caller.plan().model_limit());
        let answer = idempotency.map(|IdempotentRequest { key, request }| NewIdempotencyRecord {
            key: IdempotencyScope { operation: Operation::Create, target: None, key },
            request,
        });
        let change = Change::Create { model: request.into_new_model(at.into()), limit };
        let (organisation, actor) = (caller.organisation().clone(), caller.actor().clone());
        Write { organisation, actor, at, change, idempotency: answer, admission }
    }

    /// Checks whether the request would create a model now, without creating it (DRY-1).
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::create`].
    pub fn validate(
        &self,
        caller: &Caller,
        _request: &CreateModel<'_>,
    ) -> Result<Validated, Refusal> {
        // The request is valid by its type; only the quota is left to check. The default selection lists no model.
        let current = self.store.list(caller.organisation(), &Selection::default())?.total;
        let plan_limit = caller.plan().model_limit();
        match plan_limit {
            Some(limit) if current >= limit => Err(exceeded(current, limit, caller.plan())),
            _ => Ok(Validated { valid: true, current_models: current, plan_limit }),
        }
    }

    /// Returns a model of the caller's organisation (READ-3).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id, and [`Refusal::Store`].
    pub fn get(&self, caller: &Caller, id: ModelId) -> Result<CustomModel, Refusal> {
        self.store.get(caller.organisation(), id)?.ok_or(Refusal::ModelNotFound)
    }

    /// Returns a page of the models of the caller's organisation, in ascending order of their ids (READ-1).
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`].
    pub fn list(&self, caller: &Caller, request: &ListModels) -> Result<ModelPage, Refusal> {
        Ok(self.store.list(caller.organisation(), &request.into())?.into())
    }

    /// Returns the model with this key, for transcription (READ-5).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no such model, [`Refusal::ModelNotTrained`] if its
    /// last training did not succeed, and [`Refusal::Store`].
    pub fn resolve(&self, caller: &Caller, key: ModelKey) -> Result<CustomModel, Refusal> {
        let model = self.get(caller, key.id())?;
        if model.training.success().is_some() { Ok(model) } else { Err(Refusal::ModelNotTrained) }
    }

    /// Returns at most `limit` events of the caller's organisation after the position `after` (LOG-1).
    ///
    /// # Errors
    ///
    /// [`Refusal::EventsExpired`] if some events after `after` are deleted already, and [`Refusal::Store`].
    pub fn events(&self, caller: &Caller, after: u64, limit: u32) -> Result<EventList, Refusal> {
        let EventPage { events, last, first } =
            self.store.events(caller.organisation(), after, limit)?;
        if after.saturating_add(1) < first {
            return Err(Refusal::EventsExpired { first_position: first });
        }
        Ok(EventList { count: events.len() as u64, last_position: last, result: events })
    }

    /// Waits for the submitted writes, then closes the store for all clones of this engine.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`] if the store could not be closed cleanly.
    pub fn close(&self) -> Result<(), Refusal> {
        Ok(self.store.close()?)
    }

    pub(crate) fn now(&self) -> UnixMillis {
        (self.clock)().into()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Turns the outcome of a create into its result.
pub(crate) fn create_result(outcome: Outcome, plan: &Plan) -> Result<CustomModel, Refusal> {
    match (outcome, plan.model_limit()) {
        (Outcome::Created(model), _) => Ok(model),
        (Outcome::LimitReached { current }, Some(plan_limit)) => {
            Err(exceeded(current, plan_limit, plan))
        }
        (other, _) => Err(unexpected(&other)),
    }
}

fn exceeded(current_models: u64, plan_limit: u64, plan: &Plan) -> Refusal {
    Refusal::QuotaExceeded { current_models, plan_limit, plan: plan.name().to_owned().into() }
}

/// Returns the refusal for an outcome that breaks the contract of the store: an error, never a panic.
pub(crate) fn unexpected(outcome: &Outcome) -> Refusal {
    StoreError::unexpected(outcome).into()
}
