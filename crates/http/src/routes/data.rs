//! Operations that list the data of a model and remove it (DATA-6).

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::engine::Edited;
use custom_models_core::model::{DataId, DataList, Edit};
use custom_models_core::request::ListData;
use custom_models_core::{Caller, Refusal};

use crate::rejection::Rejection;
use crate::request::context::{RequestContext, segment};
use crate::request::precondition::if_match;
use crate::response::{HandlerResult, Reply};

/// `GET /api/v3/custom_models/{id}/data`
pub(crate) async fn list(ctx: RequestContext) -> Response {
    let id = ctx.model_id(1);
    let list = ctx.query(|pairs| ListData::from_pairs(pairs));
    ctx.respond_to_read(
        Operation::ListData,
        move |engine, caller| match list {
            Ok(list) => engine.data(caller, id?, &list),
            // A model that does not exist is refused first.
            Err(violations) => Err(engine.get(caller, id?).err().unwrap_or(violations.into())),
        },
        |_, page| Reply::json(StatusCode::OK, &DataList::from(page)),
    )
    .await
}

/// `DELETE /api/v3/custom_models/{id}/data/{data_id}`
pub(crate) async fn delete(ctx: RequestContext) -> Response {
    ctx.respond(Operation::DeleteData, delete_pair).await
}

async fn delete_pair(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let (model, data) =
        (ctx.model_id(2)?, segment(&ctx.head.uri, 0).and_then(|id| id.parse().ok()));
    let data: DataId = match data {
        Some(data) => data,
        // No pair has this id. A model that does not exist is refused first.
        None => return ctx.model(caller, 2).await.and(Err(Refusal::DataNotFound.into())),
    };
    if let Err(rejection) = ctx.reject_body_and_query() {
        let expected = if_match(&ctx.head.headers);
        let checked = ctx.state.read(caller, move |engine, caller| {
            let found = engine.get(caller, model)?;
            let pair = engine.pair(caller, model, data)?;
            engine.check(caller, &found, &Edit::RemoveData(data), Some(&pair), &expected)
        });
        return checked.await.and(Err(rejection));
    }
    let organisation = caller.organisation().clone();
    let reply = |ctx: &RequestContext, edited| {
        let Edited::Changed { removed: Some(pair), .. } = edited else {
            return Err(Rejection::internal(format!("no pair of {edited:?}")));
        };
        ctx.state.remove_contents(move |contents| {
            contents.remove(&organisation, model, &pair.audio.content)?;
            contents.remove(&organisation, model, &pair.transcript.content)
        });
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    };
    ctx.edit(caller, model, Edit::RemoveData(data), None, reply).await
}
