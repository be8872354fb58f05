//! Operations that read models.

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::{CustomModel, ListModels, ModelKey, Refusal};

use crate::request::context::{RequestContext, segment};
use crate::request::precondition::is_not_modified;
use crate::response::{HandlerResult, Reply};

/// `GET /api/v3/custom_models`
pub(crate) async fn list(ctx: RequestContext) -> Response {
    let list = ctx.query(|pairs| ListModels::from_pairs(pairs));
    ctx.respond_to_read(
        Operation::List,
        move |engine, caller| engine.list(caller, &list?),
        |_, page| Reply::json(StatusCode::OK, &page),
    )
    .await
}

/// `GET /api/v3/custom_models/{id}`
pub(crate) async fn get(ctx: RequestContext) -> Response {
    let id = ctx.model_id(0);
    ctx.respond_to_read(Operation::Get, move |engine, caller| engine.get(caller, id?), get_reply)
        .await
}

fn get_reply(ctx: &RequestContext, model: CustomModel) -> HandlerResult {
    ctx.reject_query()?;
    if is_not_modified(&ctx.head.headers, &model) {
        return Ok(Reply::empty(StatusCode::NOT_MODIFIED).with_etag(model.revision()));
    }
    ctx.model_reply(StatusCode::OK, &model)
}

/// `GET /api/v3/custom_models/resolve/{model_key}`
pub(crate) async fn resolve(ctx: RequestContext) -> Response {
    let key = segment(&ctx.head.uri, 0).and_then(|key| key.parse::<ModelKey>().ok());
    ctx.respond_to_read(
        Operation::Resolve,
        move |engine, caller| engine.resolve(caller, key.ok_or(Refusal::ModelNotFound)?),
        |ctx, model| {
            ctx.reject_query()?;
            ctx.model_reply(StatusCode::OK, &model)
        },
    )
    .await
}
