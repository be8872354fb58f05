//! The page of the API, which reads the description beside it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::get;
use utoipa_swagger_ui::{Config, serve};

use crate::rejection::Rejection;
use crate::request::query;
use crate::state::AppState;

/// The path of the page, and the prefix of its files.
const PAGE: &str = "/docs/";

/// The page loads nothing from elsewhere, and cannot be framed. Its scripts make inline styles.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    frame-ancestors 'none'",
);

/// Returns the routes of the page.
pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/docs", get(page_without_slash))
        .route(PAGE, get(page))
        .route("/docs/{*file}", get(page))
}

/// Returns the configuration of the page, which reads the description beside it. By default the page shows the badge of an
/// online validator; `none` hides it.
fn config(original: &Uri, uri: &Uri) -> Arc<Config<'static>> {
    let prefix = original.path().strip_suffix(uri.path()).unwrap_or_default();
    Arc::new(Config::from(format!("{prefix}/openapi.json")).validator_url("none"))
}

/// `GET /docs`: redirects to [`PAGE`], to which the links of the page are relative. The router may be nested.
async fn page_without_slash(OriginalUri(uri): OriginalUri) -> Result<Response<Body>, Rejection> {
    query::reject_all(&uri)?;
    let location = HeaderValue::try_from(format!("{}/", uri.path()));
    let location = location.unwrap_or(HeaderValue::from_static(PAGE));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `GET /docs/`, and the files of the page.
async fn page(OriginalUri(original): OriginalUri, uri: Uri) -> Result<Response<Body>, Rejection> {
    let path = uri.path().strip_prefix(PAGE).unwrap_or_default();
    let file = serve(path, config(&original, &uri))
        .map_err(|error| Rejection::internal(format!("the page is not whole: {error}")))?
        .ok_or(Rejection::RouteNotFound)?;
    query::reject_all(&uri)?;
    let content_type = HeaderValue::try_from(file.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = Response::new(Body::from(file.bytes.into_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}
