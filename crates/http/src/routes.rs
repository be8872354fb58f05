//! Routes: the router, and the handlers, one file a kind of operation.

mod create;
mod data;
mod docs;
mod endpoints;
mod events;
mod health;
mod models;
mod training;
mod update;
mod uploads;
mod workers;

pub use endpoints::openapi;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::routing::get;
use custom_models_core::Engine;
use custom_models_core::access::Gate;
use tower_http::catch_panic::CatchPanicLayer;

use crate::options::Options;
use crate::rejection::Rejection;
use crate::request::body::RequestBody;
use crate::request::{framing, query};
use crate::response::{HandlerResult, Reply, respond};
use crate::state::AppState;
use crate::telemetry::{access_log, metrics, panics};

/// Returns the routes of the API, of its description (`/docs`, `/openapi.json`) and of probes (`/health`, `/ready`).
pub fn router(engine: Engine, gate: Gate, options: Options) -> Router {
    metrics::describe();
    let endpoints = endpoints::routes(options.contents.is_some());
    let drain_timeout = options.drain_timeout;
    let state = Arc::new(AppState::new(engine, gate, options));
    let routes = endpoints
        .route("/openapi.json", get(docs::description))
        .route("/docs", get(docs::page_without_slash))
        .route(docs::PAGE, get(docs::page))
        .route("/docs/{*file}", get(docs::page))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready));
    let routes = with_rejections(routes, drain_timeout).with_state(state);
    with_access_log(
        routes.layer(from_fn(|request, next| metrics::record(request, next, endpoints::operation))),
    )
}

/// The media type of the page of [`metrics_router`].
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Returns a router with `/metrics` alone, for a listener of its own. `render` writes the page, in the text format of
/// Prometheus.
pub fn metrics_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let page = move |uri: Uri| {
        let page =
            query::reject_all(&uri).map(|()| ([(header::CONTENT_TYPE, PROMETHEUS)], render()));
        ready(page.map_err(Rejection::from))
    };
    let routes = Router::new().route("/metrics", get(page));
    with_access_log(with_rejections(routes, Options::default().drain_timeout))
}

/// Adds rejections, in JSON, of an unknown route, of a method that a route does not have, of a malformed head and of
/// a handler that panics.
fn with_rejections<S>(routes: Router<S>, drain_timeout: Duration) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let without_route = move |result: HandlerResult, request: Request| {
        let (parts, body) = request.into_parts();
        let body = RequestBody::new(&parts.headers, body, drain_timeout);
        ready(respond(result, None, body.into_unread()))
    };
    let no_route = move |request| without_route(Err(Rejection::RouteNotFound), request);
    let no_method = move |request: Request| without_route(other_method(request.method()), request);
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panics::panicked))
        .layer(from_fn(move |request, next| framing::check_head(request, next, drain_timeout)))
}

/// Returns the result for a method that the route does not have. The router adds `Allow`, which is the whole answer to
/// `OPTIONS`.
fn other_method(method: &Method) -> HandlerResult {
    match *method {
        Method::OPTIONS => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        _ => Err(Rejection::MethodNotAllowed),
    }
}

/// Gives each request its id, and its line in the log.
fn with_access_log(router: Router) -> Router {
    router.layer(from_fn(access_log::log_request))
}
