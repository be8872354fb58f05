//! `POST /api/v3/custom_models`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{
    AnswerKey, Answered, Caller, CreateModel, CreateParameters, NewAnswer, Operation, Repeatable,
    Violations,
};

use crate::request::context::{Arrived, both};
use crate::response::{Answer, Done, Said};
use crate::state::Service;

pub(crate) async fn create(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let key = kept_under(&asked);
    asked.answer_once(Operation::Create, key, created).await
}

/// Under what the answer may have been kept. One that is only to be validated is kept under nothing
/// (DRY-1).
fn kept_under(asked: &Arrived) -> Option<AnswerKey> {
    let is_dry = parameters(asked).is_ok_and(|parameters| parameters.validate_only);
    let key = asked.key().ok().flatten().filter(|_| !is_dry)?;
    Some(AnswerKey { operation: Operation::Create, target: None, key })
}

async fn created(asked: &mut Arrived, caller: &Caller) -> Said {
    let body = asked.json().await?;
    let beside = both(parameters(asked), asked.key());
    let (request, (parameters, key)) = both(CreateModel::from_json(&body), beside)?;
    if parameters.validate_only {
        return validated(asked, caller, request.into_owned()).await;
    }
    let repeatable = key.map(|key| Repeatable { key, request: NewAnswer::digest(&body) });
    let created = asked.changed(caller, |engine, admission| {
        engine.create_limited_async(caller, request, repeatable, admission)
    });
    match created.await? {
        Answered::Now(model) => asked.shown(StatusCode::CREATED, &model),
        Answered::Before(kept) => Done::kept(kept),
    }
}

async fn validated(asked: &Arrived, caller: &Caller, request: CreateModel<'static>) -> Said {
    let validated = move |engine: &custom_models_core::Engine, caller: &Caller| {
        engine.validate(caller, &request)
    };
    Done::json(StatusCode::OK, &asked.service.read(caller, validated).await?)
}

fn parameters(asked: &Arrived) -> Result<CreateParameters, Violations<'static>> {
    asked.parameters(|pairs| CreateParameters::from_pairs(pairs))
}
