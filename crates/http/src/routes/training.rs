//! Operations that have a model trained, or not after all.

use std::sync::Arc;

use axum::extract::{Request, State};
use custom_models_core::{AnswerKey, Caller, Edit, NewAnswer, Operation, Repeatable, RunModel};

use crate::request::context::{Arrived, both};
use crate::response::{Answer, Said};
use crate::state::Service;

/// `POST /api/v3/custom_models/{id}/run`
pub(crate) async fn run(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let key = kept_under(&asked);
    asked.answer_once(Operation::Run, key, started).await
}

/// Under what the answer may have been kept.
fn kept_under(asked: &Arrived) -> Option<AnswerKey> {
    let target = Some(asked.id(1).ok()?);
    Some(AnswerKey { operation: Operation::Run, target, key: asked.key().ok()?? })
}

async fn started(asked: &mut Arrived, caller: &Caller) -> Said {
    let model = asked.model(caller, 1).await?;
    asked.check(caller, &model, &Edit::Run)?;
    let body = asked.json().await?;
    let beside = both(asked.key(), asked.no_parameters());
    let (RunModel { .. }, (key, ())) = both(RunModel::from_json(&body), beside)?;
    let repeatable = key.map(|key| Repeatable { key, request: NewAnswer::digest(&body) });
    let edited = asked.edited(caller, model.id, Edit::Run, repeatable).await?;
    asked.said(edited)
}

/// `POST /api/v3/custom_models/{id}/cancel`
pub(crate) async fn cancel(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Cancel, cancelled).await
}

async fn cancelled(asked: &mut Arrived, caller: &Caller) -> Said {
    let edited = asked.edited_without_body(caller, asked.id(1)?, Edit::Cancel).await?;
    asked.said(edited)
}
