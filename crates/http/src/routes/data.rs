//! Operations that list the data of a model and remove it (DATA-6).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{Caller, DataId, DataList, Edit, Edited, Operation, Refusal};

use crate::rejection::Rejection;
use crate::request::context::{Arrived, segment};
use crate::request::precondition::expected;
use crate::response::{Answer, Done, Said};
use crate::state::Service;

/// `GET /api/v3/custom_models/{id}/data`
pub(crate) async fn list(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let id = asked.id(1);
    asked
        .answer_read(
            Operation::ListData,
            move |engine, caller| engine.data(caller, id?),
            |asked, pairs| {
                asked.no_parameters()?;
                Done::json(StatusCode::OK, &DataList::from(pairs))
            },
        )
        .await
}

/// `DELETE /api/v3/custom_models/{id}/data/{data_id}`
pub(crate) async fn delete(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::DeleteData, deleted).await
}

async fn deleted(asked: &mut Arrived, caller: &Caller) -> Said {
    let (model, data) = (asked.id(2)?, segment(&asked.uri, 0).and_then(|id| id.parse().ok()));
    let data: DataId = match data {
        Some(data) => data,
        // No pair has such a number, and of no model the answer is another.
        None => return asked.model(caller, 2).await.and(Err(Refusal::DataNotFound.into())),
    };
    if let Err(refusal) = asked.nothing_beside() {
        let expected = expected(&asked.headers);
        let judged = asked.service.read(caller, move |engine, caller| {
            let found = engine.get(caller, model)?;
            let pair = engine.pair(caller, model, data)?;
            engine.check(caller, &found, &Edit::RemoveData(data), Some(&pair), &expected)
        });
        return judged.await.and(Err(refusal));
    }
    let edited = asked.edited(caller, model, Edit::RemoveData(data), None).await?;
    let Edited::Changed { removed: Some(pair), .. } = edited else {
        return Err(Rejection::internal(format!("no pair of {edited:?}")));
    };
    let organisation = caller.organisation().clone();
    asked.service.clear(move |contents| {
        contents.remove(&organisation, model, &pair.audio.content)?;
        contents.remove(&organisation, model, &pair.transcript.content)
    });
    Ok(Done::nothing(StatusCode::NO_CONTENT))
}
