//! The endpoints of the API: the one table from which the router, the metrics and the description are made.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, head, options, patch, post, put};
use custom_models_core::access::Operation;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation as OperationObject, PathItem, PathsBuilder};

use crate::openapi::{self, data as data_docs, operations as docs, resumable as tus_docs};
use crate::routes::resumable::{self, speaking_tus as tus};
use crate::routes::{create, data, events, models, training, update, uploads, workers};
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
const DATA: &str = "/api/v3/custom_models/{id}/data";
const PAIR: &str = "/api/v3/custom_models/{id}/data/{data_id}";
const RUN: &str = "/api/v3/custom_models/{id}/run";
const CANCEL: &str = "/api/v3/custom_models/{id}/cancel";
const UPLOADS: &str = "/api/v3/uploads";
const UPLOAD: &str = "/api/v3/uploads/{upload_id}";
const CLAIM: &str = "/api/v3/training/claim";
const CLAIMED_DATA: &str = "/api/v3/training/{id}/data";
const HEARTBEAT: &str = "/api/v3/training/{id}/heartbeat";
const SUCCEED: &str = "/api/v3/training/{id}/succeed";
const FAIL: &str = "/api/v3/training/{id}/fail";

static ENDPOINTS: [Endpoint; 21] = [
    on(HttpMethod::Get, MODELS, Operation::List, || get(models::list), docs::list),
    on(HttpMethod::Post, MODELS, Operation::Create, || post(create::create), docs::create),
    on(HttpMethod::Get, MODEL, Operation::Get, || get(models::get), docs::get),
    on(HttpMethod::Post, MODEL, Operation::Update, || post(update::update), docs::update),
    on(HttpMethod::Delete, MODEL, Operation::Delete, || delete(update::delete), docs::delete),
    on(HttpMethod::Get, DATA, Operation::ListData, || get(data::list), data_docs::list),
    on(HttpMethod::Put, DATA, Operation::Upload, || put(uploads::upload), data_docs::upload),
    on(HttpMethod::Delete, PAIR, Operation::DeleteData, || delete(data::delete), data_docs::delete),
    on(
        HttpMethod::Post,
        UPLOADS,
        Operation::Resume,
        || tus(post(resumable::begin)),
        tus_docs::begin,
    ),
    on(HttpMethod::Head, UPLOAD, Operation::Resume, || tus(head(resumable::show)), tus_docs::show),
    on(
        HttpMethod::Patch,
        UPLOAD,
        Operation::Resume,
        || tus(patch(resumable::append)),
        tus_docs::append,
    ),
    on(
        HttpMethod::Delete,
        UPLOAD,
        Operation::Resume,
        || tus(delete(resumable::delete)),
        tus_docs::delete,
    ),
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

/// Returns the routes of the endpoints. Those of training data need a content store.
pub(crate) fn routes(has_contents: bool) -> Router<Arc<AppState>> {
    let is_served = |endpoint: &&Endpoint| has_contents || !is_about_data(endpoint.operation);
    let others = if has_contents { unlisted() } else { Router::new() };
    ENDPOINTS
        .iter()
        .filter(is_served)
        .fold(others, |router, endpoint| router.route(endpoint.path, (endpoint.handler)()))
}

/// Returns the routes by which clients of tus find out what the service can do, and go around a proxy.
fn unlisted() -> Router<Arc<AppState>> {
    Router::new()
        .route(UPLOADS, options(resumable::options))
        .route(UPLOAD, tus(post(resumable::overridden)))
        .route(UPLOAD, options(resumable::options))
}

fn is_about_data(operation: Operation) -> bool {
    use Operation::{DeleteData, ListData, Resume, Upload};
    matches!(operation, Upload | Resume | ListData | DeleteData)
}

/// Returns the operation of a method, by its name, on a route. Hosts may nest the router under a prefix.
pub(crate) fn operation(method: &str, route: &str) -> Option<Operation> {
    if route.ends_with(UPLOAD) {
        return Some(Operation::Resume);
    }
    let method = match method {
        "GET" | "HEAD" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => return None,
    };
    let mut endpoints = ENDPOINTS.iter();
    let endpoint = endpoints.find(|it| it.method == method && route.ends_with(it.path));
    endpoint.map(|endpoint| endpoint.operation)
}

/// Returns the description of the API, in OpenAPI 3.1, which `/openapi.json` serves.
pub fn openapi() -> OpenApi {
    openapi::document(ENDPOINTS.iter().fold(PathsBuilder::new(), |paths, endpoint| {
        let described = (endpoint.describe)(endpoint.operation);
        paths.path(endpoint.path, PathItem::new(endpoint.method.clone(), described))
    }))
}

#[cfg(test)]
mod tests;
