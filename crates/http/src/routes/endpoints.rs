//! The endpoints of the API: the one table from which the router, the metrics and the description are made.

#[cfg(feature = "uploads")]
pub(crate) mod data;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post};
use custom_models_core::access::Operation;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation as OperationObject, PathItem, PathsBuilder};

use crate::openapi::{self, operations as docs};
use crate::routes::{create, events, models, training, update, workers};
use crate::state::AppState;

/// A method of a path.
struct Endpoint {
    method: HttpMethod,
    path: &'static str,
    operation: Operation,
    handler: fn() -> MethodRouter<Arc<AppState>>,
    describe: fn(Operation) -> OperationObject,
}

const MODELS: &str = "/api/v3/custom_models";
const EVENTS: &str = "/api/v3/custom_models/events";
const RESOLVE: &str = "/api/v3/custom_models/resolve/{model_key}";
const MODEL: &str = "/api/v3/custom_models/{id}";
const RUN: &str = "/api/v3/custom_models/{id}/run";
const CANCEL: &str = "/api/v3/custom_models/{id}/cancel";
const CLAIM: &str = "/api/v3/training/claim";
const CLAIMED_DATA: &str = "/api/v3/training/{id}/data";
const HEARTBEAT: &str = "/api/v3/training/{id}/heartbeat";
const SUCCEED: &str = "/api/v3/training/{id}/succeed";
const FAIL: &str = "/api/v3/training/{id}/fail";

static ENDPOINTS: [Endpoint; 14] = [
    on(HttpMethod::Get, MODELS, Operation::List, || get(models::list), docs::list),
    on(HttpMethod::Post, MODELS, Operation::Create, || post(create::create), docs::create),
    on(HttpMethod::Get, MODEL, Operation::Get, || get(models::get), docs::get),
    on(HttpMethod::Post, MODEL, Operation::Update, || post(update::update), docs::update),
    on(HttpMethod::Delete, MODEL, Operation::Delete, || delete(update::delete), docs::delete),
    on(HttpMethod::Post, RUN, Operation::Run, || post(training::run), docs::run),
    on(HttpMethod::Post, CANCEL, Operation::Cancel, || post(training::cancel), docs::cancel),
    on(HttpMethod::Get, RESOLVE, Operation::Resolve, || get(models::resolve), docs::resolve),
    on(HttpMethod::Get, EVENTS, Operation::Events, || get(events::events), docs::events),
    on(HttpMethod::Post, CLAIM, Operation::Work, || post(workers::claim), docs::claim),
    on(HttpMethod::Get, CLAIMED_DATA, Operation::Work, || get(workers::data), docs::claimed_data),
    on(HttpMethod::Post, HEARTBEAT, Operation::Work, || post(workers::heartbeat), docs::heartbeat),
    on(HttpMethod::Post, SUCCEED, Operation::Work, || post(workers::succeed), docs::succeed),
    on(HttpMethod::Post, FAIL, Operation::Work, || post(workers::fail), docs::fail),
];

const fn on(
    method: HttpMethod,
    path: &'static str,
    operation: Operation,
    handler: fn() -> MethodRouter<Arc<AppState>>,
    describe: fn(Operation) -> OperationObject,
) -> Endpoint {
    Endpoint { method, path, operation, handler, describe }
}

/// Returns the endpoints of this build.
fn all() -> impl Iterator<Item = &'static Endpoint> {
    let all = ENDPOINTS.iter();
    #[cfg(feature = "uploads")]
    let all = all.chain(&data::ENDPOINTS);
    all
}

/// Returns the routes of the endpoints that need no content store.
pub(crate) fn routes() -> Router<Arc<AppState>> {
    mount(&ENDPOINTS)
}

fn mount(endpoints: &[Endpoint]) -> Router<Arc<AppState>> {
    endpoints
        .iter()
        .fold(Router::new(), |router, endpoint| router.route(endpoint.path, (endpoint.handler)()))
}

/// Returns the operation of a method, by its name, on a route. Hosts may nest the router under a prefix.
pub(crate) fn operation(method: &str, route: &str) -> Option<Operation> {
    #[cfg(feature = "uploads")]
    if route.ends_with(data::UPLOAD) {
        return Some(Operation::Resume);
    }
    let method = match method {
        "GET" | "HEAD" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    };
    let endpoint = all().find(|it| it.method == method && route.ends_with(it.path));
    endpoint.map(|endpoint| endpoint.operation)
}

/// Returns the description of the API, in OpenAPI 3.1, which `/openapi.json` serves.
pub fn openapi() -> OpenApi {
    openapi::document(all().fold(PathsBuilder::new(), |paths, endpoint| {
        let described = (endpoint.describe)(endpoint.operation);
        paths.path(endpoint.path, PathItem::new(endpoint.method.clone(), described))
    }))
}

#[cfg(test)]
mod tests;
