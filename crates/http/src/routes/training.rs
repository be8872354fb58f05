//! Operations that start a training and cancel it.

use std::sync::Arc;

use axum::extract::{Request, State};
use custom_models_core::Caller;
use custom_models_core::access::Operation;
use custom_models_core::model::Edit;
use custom_models_core::request::RunModel;
use custom_models_core::store::{AnswerKey, NewAnswer, Repeatable};

use crate::request::context::{RequestContext, both};
use crate::response::{ApiResponse, HandlerResult};
use crate::state::AppState;

/// `POST /api/v3/custom_models/{id}/run`
pub(crate) async fn run(State(state): State<Arc<AppState>>, request: Request) -> ApiResponse {
    let ctx = RequestContext::new(state, request);
    let scope = idempotency_scope(&ctx);
    ctx.respond_once(Operation::Run, scope, start_training).await
}

/// Returns the scope of the reply's record.
fn idempotency_scope(ctx: &RequestContext) -> Option<AnswerKey> {
    let target = Some(ctx.model_id(1).ok()?);
    Some(AnswerKey { operation: Operation::Run, target, key: ctx.idempotency_key().ok()?? })
}

async fn start_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let model = ctx.model(caller, 1).await?;
    ctx.check(caller, &model, &Edit::Run)?;
    let body = ctx.json().await?;
    let beside = both(ctx.idempotency_key(), ctx.reject_query());
    let (RunModel { .. }, (key, ())) = both(RunModel::from_json(&body), beside)?;
    let repeatable = key.map(|key| Repeatable { key, request: NewAnswer::digest(&body) });
    let edited = ctx.edit(caller, model.id, Edit::Run, repeatable).await?;
    ctx.edit_reply(edited)
}

/// `POST /api/v3/custom_models/{id}/cancel`
pub(crate) async fn cancel(State(state): State<Arc<AppState>>, request: Request) -> ApiResponse {
    RequestContext::new(state, request).respond(Operation::Cancel, cancel_training).await
}

async fn cancel_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let edited = ctx.edit_without_body(caller, ctx.model_id(1)?, Edit::Cancel).await?;
    ctx.edit_reply(edited)
}
