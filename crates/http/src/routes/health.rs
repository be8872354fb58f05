//! The routes for those who watch over the service.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use custom_models_core::{
    Caller, ModelId, Organisation, Plan, Refusal, StoreError, StoreErrorKind,
};

use crate::request::query;
use crate::response::Answer;
use crate::state::Service;

/// The process answers.
pub(crate) async fn health(uri: Uri) -> Answer {
    match query::none(&uri) {
        Ok(()) => Answer::open(StatusCode::OK, r#"{"status":"alive"}"#),
        Err(unknown) => unknown.into(),
    }
}

/// The store answers: it is asked for a model that nobody has.
pub(crate) async fn ready(State(service): State<Arc<Service>>, uri: Uri) -> Answer {
    if let Err(unknown) = query::none(&uri) {
        return unknown.into();
    }
    let engine = service.engine.clone();
    let asked = service.calls.read(move || {
        let nobody = Organisation::new("-").map_err(internal)?;
        let last = ModelId::new(ModelId::MAX).map_err(internal)?;
        match engine.get(&Caller::new(nobody, Plan::gold()), last) {
            Ok(_) | Err(Refusal::ModelNotFound) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    });
    match asked.await {
        Ok(()) => Answer::open(StatusCode::OK, r#"{"status":"ready"}"#),
        // Whatever is wrong with the store, the service is not ready, and may be later.
        Err(refusal) if refusal.status() == 503 => refusal.into(),
        Err(refusal) => {
            tracing::error!(cause = ?refusal.to_string(), "not ready");
            StoreError::from(StoreErrorKind::Unavailable).into()
        }
    }
}

fn internal(cause: impl std::fmt::Display) -> Refusal {
    Refusal::Internal { cause: cause.to_string().into() }
}
