//! Operations that show models.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{CustomModel, ListModels, ModelKey, Operation, Refusal};

use crate::request::context::{Arrived, segment};
use crate::request::precondition::is_known;
use crate::response::{Answer, Done, Said};
use crate::state::Service;

/// `GET /api/v3/custom_models`
pub(crate) async fn list(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let list = asked.parameters(|pairs| ListModels::from_pairs(pairs));
    asked
        .answer_read(
            Operation::List,
            move |engine, caller| engine.list(caller, &list?),
            |_, page| Done::json(StatusCode::OK, &page),
        )
        .await
}

/// `GET /api/v3/custom_models/{id}`
pub(crate) async fn get(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let id = asked.id(0);
    asked.answer_read(Operation::Get, move |engine, caller| engine.get(caller, id?), found).await
}

fn found(asked: &Arrived, model: CustomModel) -> Said {
    asked.no_parameters()?;
    if is_known(&asked.headers, &model) {
        return Ok(Done::nothing(StatusCode::NOT_MODIFIED).tagged(model.revision()));
    }
    asked.shown(StatusCode::OK, &model)
}

/// `GET /api/v3/custom_models/resolve/{model_key}`
pub(crate) async fn resolve(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let key = segment(&asked.uri, 0).and_then(|key| key.parse::<ModelKey>().ok());
    asked
        .answer_read(
            Operation::Resolve,
            move |engine, caller| engine.resolve(caller, key.ok_or(Refusal::ModelNotFound)?),
            |asked, model| {
                asked.no_parameters()?;
                asked.shown(StatusCode::OK, &model)
            },
        )
        .await
}
