use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use crate::pending::Pending;
use crate::{
    Caller, Change, CreateModel, CustomModel, ListModels, ModelId, ModelPage, ModelStore, NewModel,
    Outcome, Plan, Refusal, StoreError, StoreErrorKind, Timestamp, TrainingStatus, Write,
};

/// The operations on custom models: here the rules ask the store for one change at a time.
///
/// Cheap to clone; clones share the store. Time comes from the clock that it is given.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn ModelStore>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Engine {
    /// How often a change is decided afresh when others change the model in between.
    pub const ATTEMPTS: usize = 8;

    /// An engine over a store, with a clock: `SystemTime::now` outside of tests.
    pub fn new(
        store: impl ModelStore + 'static,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Engine { store: Arc::new(store), clock: Arc::new(clock) }
    }

    /// Creates a model, and returns when it is durable (MODEL-6).
    ///
    /// # Errors
    ///
    /// [`Refusal::QuotaExceeded`] at the limit of the caller's plan (QUOTA-3), and
    /// [`Refusal::Store`].
    pub fn create(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> Result<CustomModel, Refusal> {
        created(self.store.apply(self.creation(caller, request)), caller.plan())
    }

    /// [`Engine::create`] for asynchronous hosts: a future that needs no particular runtime and
    /// blocks no thread.
    ///
    /// The write is on its way when this returns, polled or not; dropping the future does not take
    /// it back.
    pub fn create_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> impl Future<Output = Result<CustomModel, Refusal>> + Send + use<> {
        let creation = self.creation(caller, request);
        let pending = Pending::new(|done| self.store.submit(creation, done));
        let plan = caller.plan().clone();
        async move { created(pending.await, &plan) }
    }

    fn creation(&self, caller: &Caller, request: CreateModel<'_>) -> Write {
        let change = Change::Create {
            model: NewModel::new(request, self.now()),
            limit: caller.plan().model_limit(),
        };
        Write::new(caller.organisation().clone(), change)
    }

    /// One model of the caller's organisation (READ-3).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id, and
    /// [`Refusal::Store`].
    pub fn get(&self, caller: &Caller, id: ModelId) -> Result<CustomModel, Refusal> {
        self.store.get(caller.organisation(), id)?.ok_or(Refusal::ModelNotFound)
    }

    /// A page of the models of the caller's organisation, in ascending order of their ids (READ-1).
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`].
    pub fn list(&self, caller: &Caller, request: &ListModels) -> Result<ModelPage, Refusal> {
        Ok(self.store.list(caller.organisation(), &request.selection())?.into())
    }

    /// Deletes a model, and returns when that is durable; its place in the quota is free at once
    /// (EDIT-5, QUOTA-2).
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id,
    /// [`Refusal::TrainingInProgress`] while the model is trained, [`Refusal::Contended`] if others
    /// kept changing it, and [`Refusal::Store`].
    pub fn delete(&self, caller: &Caller, id: ModelId) -> Result<(), Refusal> {
        for _ in 0..Self::ATTEMPTS {
            let model = self.get(caller, id)?;
            if deleted(self.store.apply(deletion(caller, &model)?))? {
                return Ok(());
            }
        }
        Err(Refusal::Contended)
    }

    /// Deletes a model if it is still as it was read, for asynchronous hosts, which read in a way of
    /// their own; whether it was. If it was not, it is to be read again (EDIT-4, EDIT-5).
    ///
    /// The write is on its way when this returns, polled or not; dropping the future does not take
    /// it back.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::delete`].
    pub fn delete_unchanged_async(
        &self,
        caller: &Caller,
        model: &CustomModel,
    ) -> impl Future<Output = Result<bool, Refusal>> + Send + use<> {
        let pending = deletion(caller, model)
            .map(|deletion| Pending::new(|done| self.store.submit(deletion, done)));
        async move { deleted(pending?.await) }
    }

    /// Waits for what is submitted, then closes the store, for all clones of this engine.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`] if the store could not be closed in order.
    pub fn close(&self) -> Result<(), Refusal> {
        Ok(self.store.close()?)
    }

    fn now(&self) -> Timestamp {
        (self.clock)().into()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The write that deletes a model as it was read.
fn deletion(caller: &Caller, model: &CustomModel) -> Result<Write, Refusal> {
    if model.training_status == TrainingStatus::Running {
        return Err(Refusal::TrainingInProgress);
    }
    let change = Change::Delete { id: model.id, revision: model.revision };
    Ok(Write::new(caller.organisation().clone(), change))
}

/// What a store's answer to a delete means: whether the model was still as it was read.
fn deleted(answer: Result<Outcome, StoreError>) -> Result<bool, Refusal> {
    match answer? {
        Outcome::Deleted => Ok(true),
        Outcome::Stale => Ok(false),
        Outcome::NotFound => Err(Refusal::ModelNotFound),
        other => Err(unexpected(&other)),
    }
}

/// What a store's answer to a create means.
fn created(answer: Result<Outcome, StoreError>, plan: &Plan) -> Result<CustomModel, Refusal> {
    match (answer?, plan.model_limit()) {
        (Outcome::Created(model), _) => Ok(model),
        (Outcome::LimitReached { current }, Some(plan_limit)) => Err(Refusal::QuotaExceeded {
            current_models: current,
            plan_limit,
            plan: plan.shared_name(),
        }),
        (other, _) => Err(unexpected(&other)),
    }
}

/// A store that breaks its contract is a fault of the store, never a panic.
fn unexpected(outcome: &Outcome) -> Refusal {
    let cause = format!("an answer that the change cannot have: {outcome:?}");
    StoreError::new(StoreErrorKind::Damaged, cause).into()
}
