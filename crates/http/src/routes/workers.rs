//! Operations of workers: they claim a training, report its progress and its end.

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::engine::{Edited, LeaseHeld};
use custom_models_core::model::Edit;
use custom_models_core::request::{
    ClaimTraining, Heartbeat, ListTrainingData, TrainingFailed, TrainingSucceeded,
};
use custom_models_core::{Caller, Refusal, Violations};

use crate::request::context::{RequestContext, both};
use crate::request::precondition::if_match;
use crate::response::{HandlerResult, Reply};
use crate::state::blocking_calls::Wait;

/// `POST /api/v3/training/claim`
pub(crate) async fn claim(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Work, claim_training).await
}

async fn claim_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let request = match ctx.optional_json().await? {
        Some(body) => both(ClaimTraining::from_json(&body), ctx.reject_query())?.0,
        None => ctx.reject_query().map(|()| ClaimTraining::default())?,
    };
    // Ahead of the claim, which is several reads and writes and most often finds nothing.
    ctx.admit().await?;
    let (worker, organisation) = (caller.actor(), Some(caller.organisation()));
    let claim = ctx.state.engine.claim_async(worker, organisation, request.time);
    match ctx.state.write(caller, claim, Wait::Bounded).await? {
        Some(claimed) => Reply::json(StatusCode::OK, &claimed),
        None => Ok(Reply::empty(StatusCode::NO_CONTENT)),
    }
}

/// `GET /api/v3/training/{id}/data`
pub(crate) async fn data(ctx: RequestContext) -> Response {
    let id = ctx.model_id(1);
    let list = ctx.query(|pairs| ListTrainingData::from_pairs(pairs));
    ctx.respond_to_read(
        Operation::Work,
        move |engine, worker| {
            let id = id?;
            let ListTrainingData { fence, list, .. } = match list {
                Ok(list) => list,
                // As with a worker's reports, the model and that it is trained come before what the query says.
                Err(violations) => {
                    let is_trained = engine.get(worker, id)?.training.run().is_some();
                    return Err(if is_trained { violations.into() } else { Refusal::LeaseLost });
                }
            };
            engine.training_data(worker, id, fence, &list)
        },
        |_, page| Reply::json(StatusCode::OK, &page),
    )
    .await
}

/// `POST /api/v3/training/{id}/heartbeat`
pub(crate) async fn heartbeat(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Work, extend_lease).await
}

async fn extend_lease(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let parse = |body: &[u8]| {
        let Heartbeat { fence, progress, time, .. } = Heartbeat::from_json(body)?;
        Ok(Edit::Heartbeat { fence, progress, time })
    };
    edit_training(ctx, caller, parse, |_, edited| {
        let held = match &edited {
            Edited::Changed { model, .. } => LeaseHeld::of(model),
            _ => None,
        };
        Reply::json(StatusCode::OK, &held.ok_or(Refusal::LeaseLost)?)
    })
    .await
}

/// `POST /api/v3/training/{id}/succeed`
pub(crate) async fn succeed(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Work, succeed_training).await
}

async fn succeed_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let parse = |body: &[u8]| {
        let TrainingSucceeded { fence, metrics, .. } = TrainingSucceeded::from_json(body)?;
        Ok(Edit::Succeed { fence, metrics })
    };
    edit_training(ctx, caller, parse, RequestContext::edit_reply).await
}

/// `POST /api/v3/training/{id}/fail`
pub(crate) async fn fail(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Work, fail_training).await
}

async fn fail_training(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    let parse = |body: &[u8]| {
        let TrainingFailed { fence, error, .. } = TrainingFailed::from_json(body)?;
        Ok(Edit::Fail { fence, error })
    };
    edit_training(ctx, caller, parse, RequestContext::edit_reply).await
}

/// Makes the edit that a worker's body asks for. The body has the fence. Refusals that do not need it, because no
/// training runs or its revision is another, come before the body is read.
async fn edit_training(
    ctx: &mut RequestContext,
    caller: &Caller,
    parse: impl FnOnce(&[u8]) -> Result<Edit, Violations>,
    reply: impl FnOnce(&RequestContext, Edited) -> HandlerResult,
) -> HandlerResult {
    let model = ctx.model(caller, 1).await?;
    if model.training.run().is_none() {
        return Err(Refusal::LeaseLost.into());
    }
    if !if_match(&ctx.head.headers).is_met_by(model.revision()) {
        return Err(Refusal::PreconditionFailed.into());
    }
    let body = ctx.json().await?;
    let (edit, ()) = both(parse(&body), ctx.reject_query())?;
    ctx.edit(caller, model.id, edit, None, reply).await
}
