//! The engine's reads of models, of the history and of idempotency records.

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, Event, EventPage, ModelId, ModelKey};
use crate::request::{CreateModel, ListModels, ModelPage};
use crate::store::{IdempotencyRecord, IdempotencyScope, PendingRead, Selection};
use crate::tenant::{Caller, Plan};

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

    /// Returns the idempotency record under this key, as [`Engine::kept_answer`] does, without blocking a thread.
    pub fn kept_answer_async(
        &self,
        caller: &Caller,
        key: &IdempotencyScope,
    ) -> PendingRead<Option<IdempotencyRecord>, Refusal> {
        let key = key.clone();
        self.queue(caller, move |engine, caller| engine.kept_answer(caller, &key))
    }

    /// Checks whether the request would create a model now, without creating it (DRY-1).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let request = CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?;
    /// assert_eq!(engine.validate(&caller, &request)?.plan_limit, Some(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::create`].
    pub fn validate(
        &self,
        caller: &Caller,
        _request: &CreateModel<'_>,
    ) -> Result<Validated, Refusal> {
        // The request is valid by its type; only the quota is left to check.
        self.quota(caller)
    }

    /// Checks a request, as [`Engine::validate`] does, without blocking a thread.
    pub fn validate_async(
        &self,
        caller: &Caller,
        _request: &CreateModel<'_>,
    ) -> PendingRead<Validated, Refusal> {
        self.queue(caller, Engine::quota)
    }

    fn quota(&self, caller: &Caller) -> Result<Validated, Refusal> {
        // The default selection lists no model.
        let current = self.store.list(caller.organisation(), &Selection::default())?.total;
        let plan_limit = caller.plan().model_limit();
        match plan_limit {
            Some(limit) if current >= limit => Err(exceeded(current, limit, caller.plan())),
            _ => Ok(Validated { valid: true, current_models: current, plan_limit }),
        }
    }

    /// Returns a model of the caller's organisation (READ-3).
    ///
    /// ```
    /// use custom_models_core::{ModelId, Refusal};
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// assert_eq!(engine.get(&caller, "17".parse()?), Err(Refusal::ModelNotFound));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refusal::ModelNotFound`] if the organisation has no model with this id, and [`Refusal::Store`].
    pub fn get(&self, caller: &Caller, id: ModelId) -> Result<CustomModel, Refusal> {
        self.store.get(caller.organisation(), id)?.ok_or(Refusal::ModelNotFound)
    }

    /// Returns a model, as [`Engine::get`] does, without blocking a thread.
    pub fn get_async(&self, caller: &Caller, id: ModelId) -> PendingRead<CustomModel, Refusal> {
        self.queue(caller, move |engine, caller| engine.get(caller, id))
    }

    /// Returns a page of the models of the caller's organisation, in ascending order of their ids (READ-1).
    /// [`Engine::models`] returns those of all pages.
    ///
    /// ```
    /// use custom_models_core::ListModels;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let request = ListModels::from_pairs([("page", "1"), ("per_page", "10")])?;
    /// assert_eq!(engine.list(&caller, &request)?.total_results, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`].
    pub fn list(&self, caller: &Caller, request: &ListModels) -> Result<ModelPage, Refusal> {
        Ok(self.store.list(caller.organisation(), &request.into())?.into())
    }

    /// Returns a page of models, as [`Engine::list`] does, without blocking a thread.
    pub fn list_async(
        &self,
        caller: &Caller,
        request: &ListModels,
    ) -> PendingRead<ModelPage, Refusal> {
        let request = *request;
        self.queue(caller, move |engine, caller| engine.list(caller, &request))
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

    /// Returns the model with this key, as [`Engine::resolve`] does, without blocking a thread.
    pub fn resolve_async(
        &self,
        caller: &Caller,
        key: ModelKey,
    ) -> PendingRead<CustomModel, Refusal> {
        self.queue(caller, move |engine, caller| engine.resolve(caller, key))
    }

    /// Returns at most `limit` events of the caller's organisation after the position `after` (LOG-1).
    /// [`Engine::history`] returns all of them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// assert_eq!(engine.events(&caller, 0, 100)?.last_position, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Returns events, as [`Engine::events`] does, without blocking a thread.
    pub fn events_async(
        &self,
        caller: &Caller,
        after: u64,
        limit: u32,
    ) -> PendingRead<EventList, Refusal> {
        self.queue(caller, move |engine, caller| engine.events(caller, after, limit))
    }
}

/// The refusal of a create at the limit of a plan.
pub(crate) fn exceeded(current_models: u64, plan_limit: u64, plan: &Plan) -> Refusal {
    Refusal::QuotaExceeded { current_models, plan_limit, plan: plan.name().to_owned().into() }
}
