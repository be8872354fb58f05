//! The operations on models, one handler each.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use custom_models_core::{
    Admitted, CreateModel, CustomModel, Engine, ListModels, ModelId, Operation, Refusal,
    StoreError, StoreErrorKind,
};
use percent_encoding::percent_decode_str;
use serde_json::to_string;

use crate::answer::Answer;
use crate::body::Incoming;
use crate::service::Service;

type Said = Result<(StatusCode, Option<String>), Refusal>;

/// `POST /api/v3/custom_models`
pub(crate) async fn create(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let mut body = Incoming::new(&parts.headers, body, service.options.drain_timeout);
    let admitted = match service.admit(&parts.headers, Operation::Create).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            body.drain();
            return refusal.into();
        }
    };
    let said = created(&service, &admitted, &parts.headers, &mut body).await;
    body.drain();
    Answer::of(admitted, said)
}

async fn created(
    service: &Service,
    admitted: &Admitted,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Said {
    let bytes = body.read_json(headers, service.options.body_timeout).await?;
    let write = {
        let request = CreateModel::from_json(&bytes)?;
        service.engine.create_async(admitted.caller(), request)
    };
    let model = service.calls.written(write).await?;
    Ok((StatusCode::CREATED, Some(to_json(&model)?)))
}

/// `GET /api/v3/custom_models`
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    match service.admit(&headers, Operation::List).await {
        Err(refusal) => refusal.into(),
        Ok(admitted) => {
            let said = listed(&service, &admitted, uri.query().unwrap_or_default()).await;
            Answer::of(admitted, said)
        }
    }
}

async fn listed(service: &Service, admitted: &Admitted, query: &str) -> Said {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
    let request = ListModels::from_pairs(pairs)?;
    let (engine, caller) = (service.engine.clone(), admitted.caller().clone());
    let page = service.calls.read(move || engine.list(&caller, &request)).await?;
    Ok((StatusCode::OK, Some(to_json(&page)?)))
}

/// `GET /api/v3/custom_models/{id}`
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    match service.admit(&headers, Operation::Get).await {
        Err(refusal) => refusal.into(),
        Ok(admitted) => {
            let said = found(&service, &admitted, &uri).await;
            let said = said.and_then(|model| Ok((StatusCode::OK, Some(to_json(&model)?))));
            Answer::of(admitted, said)
        }
    }
}

/// `DELETE /api/v3/custom_models/{id}`
pub(crate) async fn delete(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    Incoming::new(&parts.headers, body, service.options.drain_timeout).drain();
    match service.admit(&parts.headers, Operation::Delete).await {
        Err(refusal) => refusal.into(),
        Ok(admitted) => {
            let said = deleted(&service, &admitted, &parts.uri).await;
            Answer::of(admitted, said)
        }
    }
}

/// As often as the engine itself would try.
async fn deleted(service: &Service, admitted: &Admitted, uri: &Uri) -> Said {
    for _ in 0..Engine::ATTEMPTS {
        let model = found(service, admitted, uri).await?;
        let write = service.engine.delete_unchanged_async(admitted.caller(), &model);
        if service.calls.written(write).await? {
            return Ok((StatusCode::NO_CONTENT, None));
        }
    }
    Err(Refusal::Contended)
}

/// The model that a path names. What is no id, badly encoded or not, is the id of no model (READ-3).
async fn found(service: &Service, admitted: &Admitted, uri: &Uri) -> Result<CustomModel, Refusal> {
    let id = uri.path().rsplit('/').next().unwrap_or_default();
    let id = percent_decode_str(id).decode_utf8().map_err(|_| Refusal::ModelNotFound)?;
    let id: ModelId = id.parse().map_err(|_| Refusal::ModelNotFound)?;
    let (engine, caller) = (service.engine.clone(), admitted.caller().clone());
    service.calls.read(move || engine.get(&caller, id)).await
}

/// What a store holds always has a form on the wire.
fn to_json(answer: &impl serde::Serialize) -> Result<String, Refusal> {
    to_string(answer).map_err(|error| StoreError::new(StoreErrorKind::Damaged, error).into())
}
