//! The engine's operations that create models.

use crate::access::Operation;
use crate::engine::Engine;
use crate::engine::forms::WriteOperation;
use crate::engine::idempotency::Idempotent;
use crate::engine::limited::{Limited, limited};
use crate::engine::read::exceeded;
use crate::engine::refusal::{Refusal, unexpected};
use crate::model::CustomModel;
use crate::request::CreateModel;
use crate::store::{
    AdmissionRequest, Change, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord, Outcome,
    PendingWrite, PendingWrites, Write,
};
use crate::tenant::{Caller, Plan};

impl Engine {
    /// Creates a model, and returns when it is durable (MODEL-6).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let model = engine.create(&caller, CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?)?;
    /// assert_eq!(model.model_key().to_string(), "custom_model_1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refusal::QuotaExceeded`] at the limit of the caller's plan (QUOTA-3), and [`Refusal::Store`].
    pub fn create(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> Result<CustomModel, Refusal> {
        self.apply(self.creation(caller, request))
    }

    /// Creates a model, as [`Engine::create`] does, without blocking a thread. Works with any async runtime.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// # pollster::block_on(async {
    /// let request = CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?;
    /// let model = engine.create_async(&caller, request).await?;
    /// assert_eq!(engine.get_async(&caller, model.id).await?, model);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
    ) -> PendingWrite<CustomModel, Refusal> {
        self.submit(self.creation(caller, request))
    }

    /// Creates a model once, for a request that may be repeated. A repeat gets the response to the first one
    /// (IDEM-1).
    ///
    /// ```
    /// use custom_models_core::engine::Idempotent;
    /// use custom_models_core::store::{IdempotencyKey, IdempotentRequest, NewIdempotencyRecord};
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let body = br#"{"name":"Legal","language":"en"}"#;
    /// let key = IdempotencyKey::new("order-17")?;
    /// let once = IdempotentRequest { key, request: NewIdempotencyRecord::digest(body) };
    /// let first = engine.create_once(&caller, CreateModel::from_json(body)?, once.clone())?;
    /// assert!(matches!(first, Idempotent::Executed(_)));
    /// let second = engine.create_once(&caller, CreateModel::from_json(body)?, once)?;
    /// assert!(matches!(second, Idempotent::Replayed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::create`], and [`Refusal::IdempotencyKeyReused`].
    pub fn create_once(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: IdempotentRequest,
    ) -> Result<Idempotent<CustomModel>, Refusal> {
        self.create_limited(caller, request, Some(idempotency), None)?.without_window()
    }

    /// Creates a model once, as [`Engine::create_once`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn create_once_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: IdempotentRequest,
    ) -> PendingWrite<Idempotent<CustomModel>, Refusal> {
        let creation = self.limited_creation(caller, request, Some(idempotency), None);
        self.submit(creation.and_then(Limited::without_window))
    }

    /// Creates a model and admits its request, in one durable write (RATE-3). `admission` comes from
    /// [`Authorized::admission`](crate::access::Authorized::admission), or from the host.
    ///
    /// ```
    /// use custom_models_core::access::{Operation, Window, WindowKey};
    /// use custom_models_core::engine::Limited;
    /// use custom_models_core::store::AdmissionRequest;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let window = Window { key: WindowKey::new(b"user-17")?, operation: Operation::Create };
    /// let once_an_hour = AdmissionRequest { window, limit: "1/1h".parse()? };
    /// let request = CreateModel::from_json(br#"{"name":"Legal","language":"en"}"#)?;
    /// let create = || engine.create_limited(&caller, request.clone(), None, Some(once_an_hour));
    /// assert!(matches!(create()?, Limited::Admitted { result: Ok(_), .. }));
    /// assert!(matches!(create()?, Limited::Full { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. A refusal
    /// of the create itself is the result of [`Limited::Admitted`].
    pub fn create_limited(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Result<Limited<CustomModel>, Refusal> {
        self.apply(self.limited_creation(caller, request, idempotency, admission))
    }

    /// Creates a model and admits its request, as [`Engine::create_limited`] does, without blocking a thread.
    /// Works with any async runtime.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn create_limited_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> PendingWrite<Limited<CustomModel>, Refusal> {
        self.submit(self.limited_creation(caller, request, idempotency, admission))
    }

    /// Creates models, each on its own, and returns when all that could be created are durable. The results are in the
    /// order of the requests.
    ///
    /// The creates are one group, with one commit in a store that commits in groups. At the limit of the plan as many
    /// are created as fit (QUOTA-3). A queue takes 4096 writes; those beyond are busy.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let names = ["a", "b", "c", "d", "e", "f"];
    /// let requests = names.map(|name| CreateModel::builder().name(name).language("en").build());
    /// let results = engine.create_many(&caller, requests.into_iter().collect::<Result<Vec<_>, _>>()?);
    /// assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    /// assert_eq!(results[5].as_ref().unwrap_err().status(), 402);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In the place of each model, the errors of [`Engine::create`].
    pub fn create_many<'a>(
        &self,
        caller: &Caller,
        requests: impl IntoIterator<Item = CreateModel<'a>>,
    ) -> Vec<Result<CustomModel, Refusal>> {
        self.create_many_async(caller, requests).wait()
    }

    /// Creates models, as [`Engine::create_many`] does, without blocking a thread. Works with any async runtime.
    ///
    /// The writes are submitted before this returns, even if the future is never polled.
    pub fn create_many_async<'a>(
        &self,
        caller: &Caller,
        requests: impl IntoIterator<Item = CreateModel<'a>>,
    ) -> PendingWrites<CustomModel, Refusal> {
        let mut writes = Vec::new();
        let pending = requests.into_iter().map(|request| {
            let WriteOperation { write, interpret } = self.creation(caller, request);
            PendingWrite::new(|done| writes.push((write, done)), interpret)
        });
        let pending = PendingWrites::new(pending.collect());
        self.store.submit_all(writes);
        pending
    }

    fn creation(&self, caller: &Caller, request: CreateModel<'_>) -> WriteOperation<CustomModel> {
        let plan = caller.plan().clone();
        let write = self.create_write(caller, request, None, None);
        WriteOperation::new(write, move |outcome| create_result(outcome, &plan))
    }

    fn limited_creation(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> WriteOperation<Limited<CustomModel>> {
        let plan = caller.plan().clone();
        let write = self.create_write(caller, request, idempotency, admission);
        limited(write, move |outcome| create_result(outcome, &plan))
    }

    fn create_write(
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
}

/// Turns the outcome of a create into its result.
fn create_result(outcome: Outcome, plan: &Plan) -> Result<CustomModel, Refusal> {
    match (outcome, plan.model_limit()) {
        (Outcome::Created(model), _) => Ok(model),
        (Outcome::LimitReached { current }, Some(plan_limit)) => {
            Err(exceeded(current, plan_limit, plan))
        }
        (other, _) => Err(unexpected(&other)),
    }
}
