//! The API of custom models over HTTP, for any axum host.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use custom_models_core::{Engine, Gate, Limits, MemoryStore, Plans};
//! use custom_models_http::{Options, router};
//!
//! let store = Arc::new(MemoryStore::new());
//! let engine = Engine::new(store.clone(), SystemTime::now);
//! let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
//! let app: axum::Router = router(engine, gate, Options::default());
//! # let _ = app;
//! # Ok::<(), custom_models_core::StoreError>(())
//! ```
//!
//! A request is judged in the order of the rules: the route, the key, its scope, its places, whether
//! it was answered before, its window, the model, its state, its revision, the body. Every answer is JSON. [`serve`] is
//! the loop around the router for hosts that have none of their own.
//!
//! Requests are counted and timed through the facade [`metrics`], and the stores' groups of writes as
//! well. A host that wants to see them installs a recorder before it opens a store and makes the router,
//! and may serve [`metrics_router`] on a listener of its own. What there is to see, and how a service is
//! run, stands in `docs/operating.md`.
#![forbid(unsafe_code)]

mod answer;
mod body;
mod create;
mod data;
mod docs;
mod edits;
mod events;
mod framing;
mod measure;
mod models;
mod observe;
mod openapi;
mod options;
mod pace;
mod parameters;
mod parts;
mod places;
mod precondition;
mod readers;
mod rejection;
mod request;
mod serve;
mod service;
mod store;
mod training;
mod turn;
mod uploads;
mod waiters;
mod work;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use custom_models_core::{
    Caller, Engine, Gate, ModelId, Organisation, Plan, Refusal, StoreError, StoreErrorKind,
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::Answer;
use crate::body::Incoming;
use crate::service::Service;

pub use measure::metrics_router;
pub use openapi::openapi;
pub use options::Options;
pub use rejection::Rejection;
pub use serve::serve;

/// The route on which models are created and listed.
const MODELS: &str = "/api/v3/custom_models";

/// The route of one model.
const MODEL: &str = "/api/v3/custom_models/{id}";

/// The route of the data of a model.
const DATA: &str = "/api/v3/custom_models/{id}/data";

/// The route of one pair of the data of a model.
const PAIR: &str = "/api/v3/custom_models/{id}/data/{data_id}";

/// The beginning of the routes of workers.
const TRAINING: &str = "/api/v3/training";

/// The routes of the API; `/docs` and `/openapi.json`, which describe it; `/health` and `/ready` for
/// those who watch over it.
pub fn router(engine: Engine, gate: Gate, options: Options) -> Router {
    measure::describe();
    let data = options.contents.as_ref().map_or_else(Router::new, |_| data());
    let drain_timeout = options.drain_timeout;
    let service = Arc::new(Service::new(engine, gate, options));
    let routes = Router::new()
        .merge(models())
        .merge(data)
        .merge(work())
        .route("/openapi.json", get(docs::description))
        .route("/docs", get(docs::page_without_slash))
        .route(docs::PAGE, get(docs::page))
        .route("/docs/{*file}", get(docs::page))
        .route("/health", get(health))
        .route("/ready", get(is_ready));
    let routes = with_refusals(routes, drain_timeout).with_state(service);
    observed(routes.layer(from_fn(measure::measure)))
}

/// Adds refusals in JSON of an unknown route, of a method that a route does not have, and of a head that breaks
/// the rules of HTTP. A panic is a 500.
fn with_refusals<S>(routes: Router<S>, drain_timeout: Duration) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let unread = move |answer: Answer, request: Request| {
        let (parts, body) = request.into_parts();
        ready(answer.to(Incoming::new(&parts.headers, body, drain_timeout)))
    };
    let no_route = move |request: Request| unread(Rejection::RouteNotFound.into(), request);
    let no_method = move |request: Request| unread(other_method(request.method()), request);
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn(move |request, next| framing::check(request, next, drain_timeout)))
}

/// Every request has its id, and its line in the log.
fn observed(router: Router) -> Router {
    router.layer(from_fn(observe::observe))
}

/// A path that does not take a method says in `Allow` which it takes: to whom asks for just that, and
/// with the refusal of any other.
fn other_method(method: &Method) -> Answer {
    match *method {
        Method::OPTIONS => Answer::empty(StatusCode::NO_CONTENT),
        _ => Rejection::MethodNotAllowed.into(),
    }
}

/// The models of the caller's organisation. What is named here goes before any id.
fn models() -> Router<Arc<Service>> {
    let model = get(models::get).post(edits::update).delete(edits::delete);
    Router::new()
        .route(MODELS, get(models::list).post(create::create))
        .route("/api/v3/custom_models/events", get(events::events))
        .route("/api/v3/custom_models/resolve/{model_key}", get(models::resolve))
        .route(MODEL, model)
        .route("/api/v3/custom_models/{id}/run", post(training::run))
        .route("/api/v3/custom_models/{id}/cancel", post(training::cancel))
}

/// The data of a model, where contents have a place.
fn data() -> Router<Arc<Service>> {
    Router::new()
        .route(DATA, get(data::list).put(data::upload))
        .route(PAIR, axum::routing::delete(data::delete))
}

/// The routes of workers.
fn work() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v3/training/claim", post(work::claim))
        .route("/api/v3/training/{id}/heartbeat", post(work::heartbeat))
        .route("/api/v3/training/{id}/succeed", post(work::succeed))
        .route("/api/v3/training/{id}/fail", post(work::fail))
}

/// The process answers.
async fn health(uri: Uri) -> Answer {
    match parameters::none(&uri) {
        Ok(()) => Answer::open(StatusCode::OK, r#"{"status":"alive"}"#),
        Err(unknown) => unknown.into(),
    }
}

/// The store answers: it is asked for a model that nobody has.
async fn is_ready(State(service): State<Arc<Service>>, uri: Uri) -> Answer {
    if let Err(unknown) = parameters::none(&uri) {
        return unknown.into();
    }
    let engine = service.engine.clone();
    let asked = service.calls.read(move || {
        let nobody = Organisation::new("-").map_err(internal)?;
        let last = ModelId::new(ModelId::MAX).map_err(internal)?;
        match engine.get(&Caller::new(nobody, Plan::gold()), last) {
            Ok(_) | Err(Refusal::ModelNotFound) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    });
    match asked.await {
        Ok(()) => Answer::open(StatusCode::OK, r#"{"status":"ready"}"#),
        // Whatever is wrong with the store, the service is not ready, and may be later.
        Err(refusal) if refusal.status() == 503 => refusal.into(),
        Err(refusal) => {
            tracing::error!(cause = ?refusal.to_string(), "not ready");
            StoreError::from(StoreErrorKind::Unavailable).into()
        }
    }
}

fn internal(cause: impl std::fmt::Display) -> Refusal {
    Refusal::Internal { cause: cause.to_string().into() }
}
