//! The routes of probes: `/health` and `/ready`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::{Caller, ModelId, Organisation, Plan, Refusal};

use crate::request::query;
use crate::response::{HandlerResult, Reply};
use crate::state::AppState;

/// Succeeds as long as the process responds.
pub(crate) async fn health(uri: Uri) -> HandlerResult {
    query::reject_all(&uri)?;
    Ok(Reply::raw_json(StatusCode::OK, r#"{"status":"alive"}"#))
}

/// Succeeds if the store can be read: it is asked for a model that does not exist.
pub(crate) async fn ready(State(state): State<Arc<AppState>>, uri: Uri) -> HandlerResult {
    query::reject_all(&uri)?;
    let engine = state.engine.clone();
    let read = state.calls.read(move || {
        let nobody = Organisation::new("-").map_err(internal)?;
        let last = ModelId::new(ModelId::MAX).map_err(internal)?;
        match engine.get(&Caller::new(nobody, Plan::gold()), last) {
            Ok(_) | Err(Refusal::ModelNotFound) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    });
    match read.await {
        Ok(()) => Ok(Reply::raw_json(StatusCode::OK, r#"{"status":"ready"}"#)),
        Err(rejection) if rejection.status() == 503 => Err(rejection),
        // Any other fault means not ready as well, and may pass.
        Err(rejection) => {
            tracing::error!(cause = ?rejection.to_string(), "not ready");
            Err(StoreError::from(StoreErrorKind::Unavailable).into())
        }
    }
}

fn internal(cause: impl std::fmt::Display) -> Refusal {
    Refusal::Internal { cause: cause.to_string().into() }
}
