//! Operations that start a training and cancel it.

use axum::response::Response;
use custom_models_core::Caller;
use custom_models_core::access::Operation;
use custom_models_core::model::Edit;
use custom_models_core::request::RunModel;
use custom_models_core::store::{IdempotentRequest, NewIdempotencyRecord};

use crate::request::context::{ParsedKey, RequestContext, both};
use crate::response::HandlerResult;

/// `POST /api/v3/custom_models/{id}/run`
pub(crate) async fn run(ctx: RequestContext) -> Response {
    let key = ctx.idempotency_key();
    let scope = ctx.idempotency_scope(Operation::Run, &key);
    let start =
        async |ctx: &mut RequestContext, caller: &Caller| start_training(ctx, caller, key).await;
    ctx.respond_once(Operation::Run, scope, start).await
}

async fn start_training(
    ctx: &mut RequestContext,
    caller: &Caller,
    key: ParsedKey,
) -> HandlerResult {
    let model = ctx.model(caller, 1).await?;
    ctx.check(caller, &model, &Edit::Run)?;
    let body = ctx.json().await?;
    let beside = both(key, ctx.reject_query());
    let (RunModel { .. }, (key, ())) = both(RunModel::from_json(&body), beside)?;
    let idempotency =
        key.map(|key| IdempotentRequest { key, request: NewIdempotencyRecord::digest(&body) });
    ctx.edit(caller, model.id, Edit::Run, idempotency, RequestContext::edit_reply).await
}

/// `POST /api/v3/custom_models/{id}/cancel`
pub(crate) async fn cancel(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Cancel, cancel_training).await
}

async fn cancel_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let id = ctx.model_id(1)?;
    ctx.edit_without_body(caller, id, Edit::Cancel, RequestContext::edit_reply).await
}
