//! The endpoints of training data, which need a content store.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, head, options, patch, post, put};
use custom_models_core::access::Operation;
use utoipa::openapi::path::HttpMethod;

use crate::openapi::{data as docs, resumable as tus_docs};
use crate::routes::endpoints::{Endpoint, mount, on};
use crate::routes::resumable::{self, speaking_tus as tus};
use crate::routes::{data, uploads};
use crate::state::AppState;

const DATA: &str = "/api/v3/custom_models/{id}/data";
const PAIR: &str = "/api/v3/custom_models/{id}/data/{data_id}";
const UPLOADS: &str = "/api/v3/uploads";
pub(super) const UPLOAD: &str = "/api/v3/uploads/{upload_id}";

pub(super) static ENDPOINTS: [Endpoint; 7] = [
    on(HttpMethod::Get, DATA, Operation::ListData, || get(data::list), docs::list),
    on(HttpMethod::Put, DATA, Operation::Upload, || put(uploads::upload), docs::upload),
    on(HttpMethod::Delete, PAIR, Operation::DeleteData, || delete(data::delete), docs::delete),
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
];

/// Returns the routes of training data.
pub(crate) fn routes() -> Router<Arc<AppState>> {
    mount(&ENDPOINTS).merge(unlisted())
}

/// Returns the routes by which clients of tus find out what the service can do, and go around a proxy.
fn unlisted() -> Router<Arc<AppState>> {
    Router::new()
        .route(UPLOADS, options(resumable::options))
        .route(UPLOAD, tus(post(resumable::overridden)))
        .route(UPLOAD, options(resumable::options))
}
