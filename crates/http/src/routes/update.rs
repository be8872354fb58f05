//! Operations that change a model or delete it.

use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::model::Edit;
use custom_models_core::{Caller, UpdateModel};

use crate::request::context::{RequestContext, both};
use crate::response::HandlerResult;

/// `POST /api/v3/custom_models/{id}`
pub(crate) async fn update(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Update, update_model).await
}

async fn update_model(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let model = ctx.model(caller, 0).await?;
    ctx.check(caller, &model, &Edit::from(UpdateModel::default()))?;
    let body = ctx.json().await?;
    let (update, ()) = both(UpdateModel::from_json(&body), ctx.reject_query())?;
    let edit = Edit::from(update);
    ctx.edit(caller, model.id, edit, None, RequestContext::edit_reply).await
}

/// `DELETE /api/v3/custom_models/{id}`
pub(crate) async fn delete(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Delete, delete_model).await
}

async fn delete_model(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let id = ctx.model_id(0)?;
    let reply = |ctx: &RequestContext, edited| {
        #[cfg(feature = "uploads")]
        ctx.state.remove_contents({
            let organisation = caller.organisation().clone();
            move |contents| contents.remove_model(&organisation, id)
        });
        ctx.edit_reply(edited)
    };
    ctx.edit_without_body(caller, id, Edit::Delete, reply).await
}
