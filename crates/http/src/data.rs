//! Operations on the data of a model (DATA-1 to DATA-6).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{
    AnswerKey, Caller, ContentDigest, DataFile, DataId, DataList, DataType, Edit, Edited, NewPair,
    Operation, Refusal,
};
use custom_models_training_data::{ContentStore, Upload};

use crate::answer::{Answer, Done, Said};
use crate::body::is_plain;
use crate::parts::boundary;
use crate::precondition::expected;
use crate::rejection::Rejection;
use crate::request::{Arrived, both, segment};
use crate::service::Service;
use crate::uploads::committed;

/// `PUT /api/v3/custom_models/{id}/data`
pub(crate) async fn upload(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = Arrived::new(service, request);
    let key = kept_under(&asked);
    asked.answer_once(Operation::Upload, key, uploaded).await
}

/// Under what the answer may have been kept.
fn kept_under(asked: &Arrived) -> Option<AnswerKey> {
    let target = Some(asked.id(1).ok()?);
    Some(AnswerKey { operation: Operation::Upload, target, key: asked.key().ok()?? })
}

async fn uploaded(asked: &mut Arrived, caller: &Caller) -> Said {
    asked.admit().await?;
    let model = asked.model(caller, 1).await?;
    asked.check(caller, &model, &Edit::AddData(any_pair()))?;
    let boundary = boundary(&asked.headers)?;
    is_plain(&asked.headers)?;
    // Two files, and what is said of the parts.
    if asked.body.announced() > 2 * DataFile::MAX_BYTES + (1 << 20) {
        return Err(Refusal::FileTooLarge.into());
    }
    let contents = Arc::clone(contents(&asked.service)?);
    let upload = Upload::to(contents, caller.organisation().clone(), model.id);
    let taken = asked.taken_apart(caller, boundary, upload, Upload::finish).await;
    let beside = both(asked.key(), asked.no_parameters());
    let uploaded = match (taken, &beside) {
        (Ok(uploaded), _) => uploaded,
        (Err(Rejection::Engine(Refusal::Invalid(violations))), Err(others)) => {
            return Err(violations.and(others.clone()).into());
        }
        (Err(refusal), _) => return Err(refusal),
    };
    let key = match beside {
        Ok((key, ())) => asked.recheck().await.map(|()| key),
        Err(violations) => Err(violations.into()),
    };
    match key {
        Ok(key) => {
            let (service, expected) = (Arc::clone(&asked.service), expected(&asked.headers));
            committed(service, caller.clone(), model.id, expected, uploaded, key).await
        }
        Err(refusal) => {
            asked.service.clear(move |_| uploaded.discard());
            Err(refusal)
        }
    }
}

/// A pair of no content, to ask whether one may be added.
fn any_pair() -> NewPair {
    let file = || DataFile {
        filename: String::new(),
        bytes: 0,
        sha256: ContentDigest::from_bytes([0; 32]),
        content: String::new(),
    };
    NewPair { data_type: DataType::Test, audio: file(), audio_millis: 0, transcript: file() }
}

/// Returns the store of contents, in a service that has routes for them.
fn contents(service: &Service) -> Result<&Arc<dyn ContentStore>, Rejection> {
    service.options.contents.as_ref().ok_or(Rejection::RouteNotFound)
}

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
