//! Operations of those who train: they claim a training, say how it goes, and how it ended.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{
    Caller, ClaimTraining, Edit, Edited, Heartbeat, LeaseHeld, Operation, Refusal, TrainingFailed,
    TrainingSucceeded, Violations,
};

use crate::rejection::Rejection;
use crate::request::context::{Arrived, both};
use crate::request::precondition::expected;
use crate::response::{Answer, Done, Said};
use crate::state::Service;

/// `POST /api/v3/training/claim`
pub(crate) async fn claim(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Work, claimed).await
}

async fn claimed(asked: &mut Arrived, caller: &Caller) -> Said {
    let request = match asked.optional_json().await? {
        Some(body) => both(ClaimTraining::from_json(&body), asked.no_parameters())?.0,
        None => asked.no_parameters().map(|()| ClaimTraining::default())?,
    };
    // Most claims find nothing, and a claim is several looks and writes.
    asked.admit().await?;
    let claim = asked.service.work(caller, move |engine, worker| {
        engine.claim(worker.actor(), Some(worker.organisation()), request.time)
    });
    match claim.await? {
        Some(claimed) => Done::json(StatusCode::OK, &claimed),
        None => Ok(Done::nothing(StatusCode::NO_CONTENT)),
    }
}

/// `POST /api/v3/training/{id}/heartbeat`
pub(crate) async fn heartbeat(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Work, beaten).await
}

async fn beaten(asked: &mut Arrived, caller: &Caller) -> Said {
    let beat = |body: &[u8]| {
        let Heartbeat { fence, progress, time, .. } = Heartbeat::from_json(body)?;
        Ok(Edit::Beat { fence, progress, time })
    };
    let edited = reported(asked, caller, beat).await?;
    let held = match &edited {
        Edited::Changed { model, .. } => LeaseHeld::of(model),
        _ => None,
    };
    Done::json(StatusCode::OK, &held.ok_or(Refusal::LeaseLost)?)
}

/// `POST /api/v3/training/{id}/succeed`
pub(crate) async fn succeed(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Work, succeeded).await
}

async fn succeeded(asked: &mut Arrived, caller: &Caller) -> Said {
    let success = |body: &[u8]| {
        let TrainingSucceeded { fence, metrics, .. } = TrainingSucceeded::from_json(body)?;
        Ok(Edit::Succeed { fence, metrics })
    };
    let edited = reported(asked, caller, success).await?;
    asked.said(edited)
}

/// `POST /api/v3/training/{id}/fail`
pub(crate) async fn fail(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Work, failed).await
}

async fn failed(asked: &mut Arrived, caller: &Caller) -> Said {
    let failure = |body: &[u8]| {
        let TrainingFailed { fence, error, .. } = TrainingFailed::from_json(body)?;
        Ok(Edit::Fail { fence, error })
    };
    let edited = reported(asked, caller, failure).await?;
    asked.said(edited)
}

/// Makes what a worker reports. Whether the training is the worker's is in the body; whether there is
/// one at all, and at which revision, is said before that is read.
async fn reported(
    asked: &mut Arrived,
    caller: &Caller,
    read: impl FnOnce(&[u8]) -> Result<Edit, Violations<'static>>,
) -> Result<Edited, Rejection> {
    let model = asked.model(caller, 1).await?;
    if model.course.run().is_none() {
        return Err(Refusal::LeaseLost.into());
    }
    if !expected(&asked.headers).is_met_by(model.revision()) {
        return Err(Refusal::PreconditionFailed.into());
    }
    let body = asked.json().await?;
    let (edit, ()) = both(read(&body), asked.no_parameters())?;
    asked.edited(caller, model.id, edit, None).await
}
