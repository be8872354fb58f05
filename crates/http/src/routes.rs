//! Routes: the router, and the handlers, one file a kind of operation.

mod create;
#[cfg(feature = "uploads")]
mod data;
mod docs;
mod endpoints;
mod events;
mod health;
mod models;
#[cfg(feature = "uploads")]
mod resumable;
mod training;
mod update;
#[cfg(feature = "uploads")]
mod uploads;
mod workers;

pub use endpoints::openapi;

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::routing::get;
use custom_models_core::Engine;
use tower_http::catch_panic::CatchPanicLayer;

use crate::authenticator::Access;
use crate::options::Options;
use crate::rejection::Rejection;
use crate::request::body::RequestBody;
use crate::request::{framing, query};
use crate::response::{HandlerResult, Reply, respond};
use crate::state::AppState;
use crate::telemetry::{access_log, metrics, panics};

/// Returns the routes of the API, of its description (`/docs`, `/openapi.json`) and of probes (`/health`, `/ready`), and a
/// 404 in JSON for every other path. `access` is a [`Gate`](custom_models_core::access::Gate) with keys, or an [`Access`]
/// for a host's own accounts. [`Routers`] are the same in parts.
pub fn router(engine: Engine, access: impl Into<Access>, options: Options) -> Router {
    let drain_timeout = options.drain_timeout;
    let Routers { api, docs, probes } = Routers::new(engine, access, options);
    let elsewhere =
        with_metrics(with_checks(without_route(Router::new(), drain_timeout), drain_timeout));
    elsewhere.merge(api).merge(docs).merge(probes)
}

/// The router in parts, for a host that leaves some out or places them elsewhere. None has a fallback, so each merges
/// with any other router.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::SystemTime;
/// # use custom_models_core::access::{Gate, Limits};
/// # use custom_models_core::tenant::Plans;
/// # use custom_models_core::{Engine, MemoryStore};
/// use axum::Router;
/// use custom_models_http::{Options, Rejection, Routers};
///
/// # let store = Arc::new(MemoryStore::new());
/// # let engine = Engine::new(store.clone(), SystemTime::now);
/// # let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
/// let Routers { api, docs, .. } = Routers::new(engine, gate, Options::default());
/// let own = Router::new().fallback(async || Rejection::RouteNotFound);
/// let app: Router = own.merge(api).nest("/custom-models", docs);
/// # let _ = app;
/// # Ok::<(), custom_models_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Routers {
    /// The endpoints, below `/api/v3`.
    pub api: Router,
    /// `/openapi.json`, and with the feature `docs` the page `/docs`, which reads it.
    pub docs: Router,
    /// `/health` and `/ready`.
    pub probes: Router,
}

impl Routers {
    /// Creates the parts of [`router`]. They share their threads and limits.
    pub fn new(engine: Engine, access: impl Into<Access>, options: Options) -> Self {
        metrics::describe();
        let drain_timeout = options.drain_timeout;
        let api = endpoints::routes();
        #[cfg(feature = "uploads")]
        let api = match options.contents {
            Some(_) => api.merge(endpoints::data::routes()),
            None => api,
        };
        let state = Arc::new(AppState::new(engine, access.into(), options));
        let docs = Router::new().route("/openapi.json", get(docs::description));
        #[cfg(feature = "docs")]
        let docs = docs.merge(docs::page::routes());
        let probes =
            Router::new().route("/health", get(health::health)).route("/ready", get(health::ready));
        let part = |routes: Router<Arc<AppState>>| {
            let routes = without_method(routes, drain_timeout).with_state(Arc::clone(&state));
            with_metrics(with_checks(routes, drain_timeout))
        };
        Routers { api: part(api), docs: part(docs), probes: part(probes) }
    }
}

/// Records the requests of a router, in metrics and in the log.
fn with_metrics(routes: Router) -> Router {
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
    let drain_timeout = Options::default().drain_timeout;
    let routes = without_method(Router::new().route("/metrics", get(page)), drain_timeout);
    with_access_log(with_checks(without_route(routes, drain_timeout), drain_timeout))
}

/// Rejects, in JSON, a malformed head, and responds for a handler that panics.
fn with_checks(routes: Router, drain_timeout: Duration) -> Router {
    routes
        .layer(CatchPanicLayer::custom(panics::panicked))
        .layer(from_fn(move |request, next| framing::check_head(request, next, drain_timeout)))
}

/// Rejects, in JSON, a path that no route has.
fn without_route(routes: Router, drain_timeout: Duration) -> Router {
    routes.fallback(move |request| {
        respond_unhandled(Err(Rejection::RouteNotFound), request, drain_timeout)
    })
}

/// Rejects, in JSON, a method that a route does not have.
fn without_method<S>(routes: Router<S>, drain_timeout: Duration) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.method_not_allowed_fallback(move |request: Request| {
        respond_unhandled(other_method(request.method()), request, drain_timeout)
    })
}

/// Returns the response to a request that has no handler.
fn respond_unhandled(
    result: HandlerResult,
    request: Request,
    drain_timeout: Duration,
) -> Ready<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = RequestBody::new(&parts.headers, body, drain_timeout);
    ready(respond(result, None, body.into_unread()))
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
