//! `POST /api/v3/custom_models`

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::request::CreateParameters;
use custom_models_core::store::{
    IdempotencyKey, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord,
};
use custom_models_core::{Caller, CreateModel, Engine, Violations};

use crate::request::context::{RequestContext, both};
use crate::response::{HandlerResult, Reply};

pub(crate) async fn create(ctx: RequestContext) -> Response {
    let parameters = ctx.query(|pairs| CreateParameters::from_pairs(pairs));
    let key = ctx.idempotency_key();
    // A request that is only validated has no record (DRY-1).
    let is_dry = parameters.as_ref().is_ok_and(|parameters| parameters.validate_only);
    let scope = key.clone().ok().flatten().filter(|_| !is_dry);
    let scope =
        scope.map(|key| IdempotencyScope { operation: Operation::Create, target: None, key });
    let parameters = both(parameters, key);
    let create = async |ctx: &mut RequestContext, caller: &Caller| {
        create_model(ctx, caller, parameters).await
    };
    ctx.respond_once(Operation::Create, scope, create).await
}

async fn create_model(
    ctx: &mut RequestContext,
    caller: &Caller,
    parameters: Result<(CreateParameters, Option<IdempotencyKey>), Violations>,
) -> HandlerResult {
    let body = ctx.json().await?;
    let (request, (parameters, key)) = both(CreateModel::from_json(&body), parameters)?;
    if parameters.validate_only {
        return validate(ctx, caller, request.into_owned()).await;
    }
    let idempotency =
        key.map(|key| IdempotentRequest { key, request: NewIdempotencyRecord::digest(&body) });
    let create = |engine: &Engine, admission| {
        engine.create_limited_async(caller, request, idempotency, admission)
    };
    ctx.write(caller, create, |ctx, model| ctx.model_reply(StatusCode::CREATED, &model)).await
}

async fn validate(
    ctx: &RequestContext,
    caller: &Caller,
    request: CreateModel<'static>,
) -> HandlerResult {
    let validate = move |engine: &Engine, caller: &Caller| engine.validate(caller, &request);
    Reply::json(StatusCode::OK, &ctx.state.read(caller, validate).await?)
}
