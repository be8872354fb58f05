//! Operations that show models.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{Caller, ListModels, ModelKey, Operation, Refusal};

use crate::answer::{Answer, Done, Said};
use crate::precondition::is_known;
use crate::request::{Arrived, segment};
use crate::service::Service;

/// `GET /api/v3/custom_models`
pub(crate) async fn list(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::List, listed).await
}

async fn listed(asked: &mut Arrived, caller: &Caller) -> Said {
    let pairs = asked.parameters();
    let request = ListModels::from_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let page = asked.service.read(caller, move |engine, caller| engine.list(caller, &request));
    Done::json(StatusCode::OK, &page.await?)
}

/// `GET /api/v3/custom_models/{id}`
pub(crate) async fn get(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Get, found).await
}

async fn found(asked: &mut Arrived, caller: &Caller) -> Said {
    let model = asked.model(caller, 0).await?;
    if is_known(&asked.headers, &model) {
        return Ok(Done::nothing(StatusCode::NOT_MODIFIED).tagged(model.revision()));
    }
    asked.shown(StatusCode::OK, &model)
}

/// `GET /api/v3/custom_models/resolve/{model_key}`
pub(crate) async fn resolve(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Resolve, resolved).await
}

async fn resolved(asked: &mut Arrived, caller: &Caller) -> Said {
    let key = segment(&asked.uri, 0).and_then(|key| key.parse::<ModelKey>().ok());
    let key = key.ok_or(Refusal::ModelNotFound)?;
    let model = asked.service.read(caller, move |engine, caller| engine.resolve(caller, key));
    asked.shown(StatusCode::OK, &model.await?)
}
