//! `GET /api/v3/custom_models/events`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{Caller, EventList, ListEvents, Operation};
use tokio::time::{Instant, sleep, sleep_until};

use crate::rejection::Rejection;
use crate::request::context::Arrived;
use crate::response::{Answer, Done, Said};
use crate::state::Service;

pub(crate) async fn events(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Events, listed).await
}

async fn listed(asked: &mut Arrived, caller: &Caller) -> Said {
    asked.admit().await?;
    let request = asked.parameters(|pairs| ListEvents::from_pairs(pairs))?;
    let mut list = read(asked, caller, &request).await?;
    if list.result.is_empty() && !request.wait.is_zero() {
        list = awaited(asked, caller, &request).await?;
        asked.recheck().await?;
    }
    Done::json(StatusCode::OK, &list)
}

/// Looks whenever this service has changed something, and from time to time for what others have,
/// until there is an event, the time is over, or the service stops.
async fn awaited(
    asked: &Arrived,
    caller: &Caller,
    request: &ListEvents,
) -> Result<EventList, Rejection> {
    let deadline = Instant::now() + request.wait;
    let waiter = asked.service.waiters.wait_for(caller.organisation())?;
    loop {
        // From here on, so that nothing that is written after the look is missed.
        let told = waiter.told();
        let list = read(asked, caller, request).await?;
        if !list.result.is_empty() {
            return Ok(list);
        }
        tokio::select! {
            () = told => {}
            () = sleep(asked.service.options.events_poll) => {}
            () = sleep_until(deadline) => return Ok(list),
            () = stopped(asked) => return Ok(list),
        }
    }
}

async fn read(
    asked: &Arrived,
    caller: &Caller,
    request: &ListEvents,
) -> Result<EventList, Rejection> {
    let ListEvents { after, limit, .. } = *request;
    asked.service.read(caller, move |engine, caller| engine.events(caller, after, limit)).await
}

/// Ready when the loop around the router ends; a host with a loop of its own has the time-out alone.
async fn stopped(asked: &Arrived) {
    match asked.stopping.clone() {
        Some(mut stopping) => stopping.stopped().await,
        None => std::future::pending().await,
    }
}
