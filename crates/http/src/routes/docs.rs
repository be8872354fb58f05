//! The description of the API for programs and for people.

use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use custom_models_core::{StoreError, StoreErrorKind};
use utoipa_swagger_ui::{Config, serve};

use crate::openapi::openapi;
use crate::rejection::Rejection;
use crate::request::query;
use crate::response::Answer;

/// The path of the page and of the files that it loads.
pub(crate) const PAGE: &str = "/docs/";

/// Nothing is loaded from elsewhere, and nobody frames the page. It styles itself as it runs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    frame-ancestors 'none'",
);

/// The description, made once.
static DESCRIPTION: LazyLock<Result<Bytes, Arc<serde_json::Error>>> =
    LazyLock::new(|| openapi().to_json().map(Bytes::from).map_err(Arc::new));

/// Without an address for it the page has a badge of a validator elsewhere.
static PAGE_CONFIG: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").validator_url("none")));

/// `GET /openapi.json`
pub(crate) async fn description(uri: Uri) -> Answer {
    if let Err(unknown) = query::none(&uri) {
        return unknown.into();
    }
    match &*DESCRIPTION {
        Ok(description) => Answer::open(StatusCode::OK, description.clone()),
        Err(error) => {
            let cause = Arc::clone(error);
            StoreError::new(StoreErrorKind::Failed, cause).into()
        }
    }
}

/// `GET /docs`: what the page loads lies beside it, so its path ends with a slash.
pub(crate) async fn page_without_slash(uri: Uri) -> Response<Body> {
    if let Err(unknown) = query::none(&uri) {
        return Rejection::from(unknown).into_response();
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(PAGE));
    response
}

/// `GET /docs/` and what is below it.
pub(crate) async fn page(uri: Uri) -> Response<Body> {
    let file = uri.path().strip_prefix(PAGE).unwrap_or_default();
    match serve(file, Arc::clone(&PAGE_CONFIG)) {
        Ok(Some(file)) => {
            if let Err(unknown) = query::none(&uri) {
                return Rejection::from(unknown).into_response();
            }
            let content_type = HeaderValue::try_from(file.content_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let mut response = Response::new(Body::from(file.bytes.into_owned()));
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
            response
        }
        Ok(None) => Rejection::RouteNotFound.into_response(),
        Err(error) => {
            Rejection::internal(format!("the page is not whole: {error}")).into_response()
        }
    }
}
