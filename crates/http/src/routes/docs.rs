//! The description of the API: the JSON for programs, and the page for people.

#[cfg(feature = "docs")]
pub(crate) mod page;

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::request::query;
use crate::response::{HandlerResult, Reply};
use crate::routes::endpoints::openapi;

/// The description, rendered once.
static DESCRIPTION: LazyLock<Result<Bytes, Arc<serde_json::Error>>> =
    LazyLock::new(|| openapi().to_json().map(Bytes::from).map_err(Arc::new));

/// `GET /openapi.json`
pub(crate) async fn description(uri: Uri) -> HandlerResult {
    query::reject_all(&uri)?;
    match &*DESCRIPTION {
        Ok(description) => Ok(Reply::raw_json(StatusCode::OK, description.clone())),
        Err(error) => Err(StoreError::new(StoreErrorKind::Failed, Arc::clone(error)).into()),
    }
}
