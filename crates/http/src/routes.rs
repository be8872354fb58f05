//! The routes: one file a kind of operation, and the router that they make up.

mod create;
mod data;
mod docs;
mod events;
mod health;
mod models;
mod training;
mod update;
mod uploads;
mod workers;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use custom_models_core::{Engine, Gate};
use tower_http::catch_panic::CatchPanicLayer;

use crate::options::Options;
use crate::paths::{DATA, MODEL, MODELS, PAIR};
use crate::rejection::Rejection;
use crate::request::body::Incoming;
use crate::request::{framing, query};
use crate::response::Answer;
use crate::state::Service;
use crate::telemetry::{access_log, metrics, panics};

/// The routes of the API; `/docs` and `/openapi.json`, which describe it; `/health` and `/ready` for
/// those who watch over it.
pub fn router(engine: Engine, gate: Gate, options: Options) -> Router {
    metrics::describe();
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
        .route("/health", get(health::health))
        .route("/ready", get(health::ready));
    let routes = with_refusals(routes, drain_timeout).with_state(service);
    observed(routes.layer(from_fn(metrics::measure)))
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
        .layer(CatchPanicLayer::custom(panics::panicked))
        .layer(from_fn(move |request, next| framing::check(request, next, drain_timeout)))
}

/// Every request has its id, and its line in the log.
fn observed(router: Router) -> Router {
    router.layer(from_fn(access_log::observe))
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
    let model = get(models::get).post(update::update).delete(update::delete);
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
        .route(DATA, get(data::list).put(uploads::upload))
        .route(PAIR, axum::routing::delete(data::delete))
}

/// The routes of workers.
fn work() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v3/training/claim", post(workers::claim))
        .route("/api/v3/training/{id}/heartbeat", post(workers::heartbeat))
        .route("/api/v3/training/{id}/succeed", post(workers::succeed))
        .route("/api/v3/training/{id}/fail", post(workers::fail))
}

/// The form that [`metrics_router`] says its page has.
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// A router with `/metrics` and nothing else, for a listener of its own: `render` writes the page, in
/// the text format of Prometheus.
pub fn metrics_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let page = move |uri: Uri| {
        let mut response = match query::none(&uri) {
            Ok(()) => Response::new(Body::from(render())),
            Err(unknown) => return ready(Rejection::from(unknown).into_response()),
        };
        response.headers_mut().insert(header::CONTENT_TYPE, PROMETHEUS);
        ready(response)
    };
    let routes = Router::new().route("/metrics", get(page));
    observed(with_refusals(routes, Options::default().drain_timeout))
}
