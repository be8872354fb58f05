//! `PUT /api/v3/custom_models/{id}/data` (DATA-1 to DATA-5).

use std::mem::ManuallyDrop;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use custom_models_core::{
    AnswerKey, Caller, ContentDigest, DataFile, DataType, Edit, Edited, Expected, IdempotencyKey,
    ModelId, NewPair, Operation, Refusal, Repeatable,
};
use custom_models_training_data::{ContentStore, Upload, Uploaded};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::rejection::Rejection;
use crate::request::body::is_plain;
use crate::request::context::{Arrived, both};
use crate::request::multipart::boundary;
use crate::request::precondition::expected;
use crate::request::upload::taken_apart;
use crate::response::{Answer, Done, Said};
use crate::state::Service;
use crate::state::store_calls::Wait;

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
    let taken = {
        let Arrived { service, body, .. } = asked;
        taken_apart(service, body, caller, boundary, upload, Upload::finish).await
    };
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

/// Tells the store of models of a pair whose contents are durable. It is done to its end whether or not
/// somebody waits: who leaves, or waits no longer, must not take the lock on contents along that are being
/// referred to.
async fn committed(
    service: Arc<Service>,
    caller: Caller,
    id: ModelId,
    expected: Expected,
    uploaded: Uploaded,
    key: Option<IdempotencyKey>,
) -> Said {
    let waiting = Arc::clone(&service);
    let repeatable = key.map(|key| Repeatable { key, request: uploaded.request });
    let edit = Edit::AddData(uploaded.pair.clone());
    // Where it stays open whether the pair came to be, since the store does not know or the service ends
    // before it is answered, only the end of the process lets a sweep have the contents.
    let open = ManuallyDrop::new(uploaded);
    let commit = async move {
        let write = service.engine.edit_async(&caller, id, edit, expected, repeatable);
        match service.change(&caller, write, Wait::ToTheEnd).await {
            Err(rejection) if rejection.is_outcome_unknown() => Err(rejection),
            known => settled(&service, known, ManuallyDrop::into_inner(open)),
        }
    };
    let commit = tokio::spawn(commit.instrument(tracing::Span::current()));
    let broken = |broken: JoinError| Rejection::internal(broken.to_string());
    waiting.calls.written(async { commit.await.map_err(broken)? }).await
}

fn settled(service: &Service, edited: Result<Edited, Rejection>, uploaded: Uploaded) -> Said {
    match edited {
        Ok(Edited::Changed { model, .. }) => {
            let answer = custom_models_core::Uploaded::new(&uploaded.pair, &model);
            Ok(Done::json(StatusCode::OK, &answer)?.tagged(model.revision()))
        }
        other => {
            service.clear(move |_| uploaded.discard());
            match other? {
                Edited::Before(kept) => Done::kept(kept),
                other => Err(Rejection::internal(format!("not an upload: {other:?}"))),
            }
        }
    }
}
