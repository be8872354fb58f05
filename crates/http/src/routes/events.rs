//! `GET /api/v3/custom_models/events`

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::Caller;
use custom_models_core::access::Operation;
use custom_models_core::engine::EventList;
use custom_models_core::request::ListEvents;
use tokio::time::{Instant, sleep, sleep_until};

use crate::rejection::Rejection;
use crate::request::context::RequestContext;
use crate::response::{HandlerResult, Reply};

pub(crate) async fn events(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Events, list_events).await
}

async fn list_events(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    ctx.admit().await?;
    let request = ctx.query(|pairs| ListEvents::from_pairs(pairs))?;
    let mut list = read(ctx, caller, &request).await?;
    if list.result.is_empty() && !request.wait.is_zero() {
        list = wait_for_events(ctx, caller, &request).await?;
        ctx.recheck().await?;
    }
    Reply::json(StatusCode::OK, &list)
}

/// Reads again whenever this service has written for the organisation, and every [`Options::events_poll`] for what
/// others have written, until there is an event, the time is over, or the service shuts down.
///
/// [`Options::events_poll`]: crate::options::Options::events_poll
async fn wait_for_events(
    ctx: &RequestContext,
    caller: &Caller,
    request: &ListEvents,
) -> Result<EventList, Rejection> {
    let deadline = Instant::now() + request.wait;
    let listener = ctx.state.notifier.subscribe(caller.organisation())?;
    loop {
        // Made before the read, so that an event written after the read is not missed.
        let notified = listener.notified();
        let list = read(ctx, caller, request).await?;
        if !list.result.is_empty() {
            return Ok(list);
        }
        tokio::select! {
            () = notified => {}
            () = sleep(ctx.state.options.events_poll) => {}
            () = sleep_until(deadline) => return Ok(list),
            () = shutdown(ctx) => return Ok(list),
        }
    }
}

async fn read(
    ctx: &RequestContext,
    caller: &Caller,
    request: &ListEvents,
) -> Result<EventList, Rejection> {
    let ListEvents { after, limit, .. } = *request;
    ctx.state.read(caller, move |engine, caller| engine.events(caller, after, limit)).await
}

/// Ready when [`serve`](crate::serve::serve) shuts down. A host with a loop of its own has the deadline alone.
async fn shutdown(ctx: &RequestContext) {
    match ctx.shutdown.clone() {
        Some(mut shutdown) => shutdown.given().await,
        None => std::future::pending().await,
    }
}
