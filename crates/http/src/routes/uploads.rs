//! `PUT /api/v3/custom_models/{id}/data` (DATA-1 to DATA-5).

use std::mem::ManuallyDrop;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use custom_models_core::access::Operation;
use custom_models_core::engine::{Edited, Idempotent};
use custom_models_core::model::{ContentDigest, DataFile, DataType, Edit, Expected, NewPair};
use custom_models_core::store::{IdempotencyKey, IdempotentRequest};
use custom_models_core::{Caller, ModelId, Refusal};
use custom_models_training_data::{ContentStore, Upload, Uploaded};
use tokio::task::JoinError;
use tracing::Instrument;

use crate::rejection::Rejection;
use crate::request::body::{check_content_encoding, is_json};
use crate::request::context::{ParsedKey, RequestContext, both};
use crate::request::finished_uploads::FinishedUploads;
use crate::request::multipart::boundary;
use crate::request::precondition::if_match;
use crate::request::upload::receive_upload;
use crate::response::{HandlerResult, Reply};
use crate::state::AppState;
use crate::state::blocking_calls::Wait;

/// The longest body that may be announced: two files, and 1 MiB for the headers of the parts.
const MAX_ANNOUNCED: u64 = 2 * DataFile::MAX_BYTES + (1 << 20);

pub(crate) async fn upload(ctx: RequestContext) -> Response {
    let key = ctx.idempotency_key();
    let scope = ctx.idempotency_scope(Operation::Upload, &key);
    let add = async |ctx: &mut RequestContext, caller: &Caller| add_data(ctx, caller, key).await;
    ctx.respond_once(Operation::Upload, scope, add).await
}

async fn add_data(ctx: &mut RequestContext, caller: &Caller, key: ParsedKey) -> HandlerResult {
    ctx.admit().await?;
    let model = ctx.model(caller, 1).await?;
    ctx.check(caller, &model, &Edit::AddData(empty_pair()))?;
    let contents = Arc::clone(contents(&ctx.state)?);
    let upload = Upload::to(contents, caller.organisation().clone(), model.id);
    let received = receive(ctx, caller, upload).await;
    let beside = both(key, ctx.reject_query());
    let (uploaded, finished) = match (received, &beside) {
        (Ok(received), _) => received,
        (Err(Rejection::Engine(Refusal::Invalid(violations))), Err(others)) => {
            return Err(violations.and(others.clone()).into());
        }
        (Err(rejection), _) => return Err(rejection),
    };
    let key = match beside {
        Ok((key, ())) => ctx.recheck().await.map(|()| key),
        Err(violations) => Err(violations.into()),
    };
    match key {
        Ok(key) => {
            let (state, expected) = (Arc::clone(&ctx.state), if_match(&ctx.head.headers));
            let reply =
                commit_pair(state, caller.clone(), model.id, expected, uploaded, key).await?;
            if let Some(finished) = finished {
                finished.remove(&ctx.state, caller);
            }
            Ok(reply)
        }
        Err(rejection) => {
            ctx.state.remove_contents(move |_| uploaded.discard());
            Err(rejection)
        }
    }
}

/// Reads the body: the files, or the names of files that were sent before.
async fn receive(
    ctx: &mut RequestContext,
    caller: &Caller,
    upload: Upload,
) -> Result<(Uploaded, Option<FinishedUploads>), Rejection> {
    if is_json(&ctx.head.headers) && ctx.state.uploads.resumable().is_ok() {
        let named = FinishedUploads::read(ctx).await?;
        Ok((named.judge(ctx, caller, upload).await?, Some(named)))
    } else {
        Ok((receive_multipart(ctx, caller, upload).await?, None))
    }
}

/// Reads the parts of a body as they arrive, and makes their contents durable.
async fn receive_multipart(
    ctx: &mut RequestContext,
    caller: &Caller,
    upload: Upload,
) -> Result<Uploaded, Rejection> {
    let boundary = boundary(&ctx.head.headers)?;
    check_content_encoding(&ctx.head.headers)?;
    if ctx.body.announced() > MAX_ANNOUNCED {
        return Err(Refusal::FileTooLarge.into());
    }
    let RequestContext { state, body, .. } = ctx;
    receive_upload(state, body, caller, boundary, upload, Upload::finish).await
}

/// Returns a pair without content, to check whether the model takes one.
fn empty_pair() -> NewPair {
    let file = || DataFile {
        filename: String::new(),
        bytes: 0,
        sha256: ContentDigest::from_bytes([0; 32]),
        content: String::new(),
    };
    NewPair { data_type: DataType::Test, audio: file(), audio_millis: 0, transcript: file() }
}

/// Returns the content store. Without one there is no route to this handler.
fn contents(state: &AppState) -> Result<&Arc<dyn ContentStore>, Rejection> {
    state.options.contents.as_ref().ok_or(Rejection::RouteNotFound)
}

/// Commits a pair whose contents are durable. The commit is a task of its own and runs to its end: a client that
/// leaves, or a time-out, must not release the lock on contents that the pair refers to.
async fn commit_pair(
    state: Arc<AppState>,
    caller: Caller,
    id: ModelId,
    expected: Expected,
    uploaded: Uploaded,
    key: Option<IdempotencyKey>,
) -> HandlerResult {
    let waiting = Arc::clone(&state);
    let idempotency = key.map(|key| IdempotentRequest { key, request: uploaded.request });
    let edit = Edit::AddData(uploaded.pair.clone());
    // If it stays unknown whether the pair was committed, because the store cannot say or the service ends first, the
    // lock is kept: only the end of the process lets a sweep remove the contents.
    let locked = ManuallyDrop::new(uploaded);
    let commit = async move {
        let engine = &state.engine;
        let edit = engine.edit_limited_async(&caller, id, edit, &expected, idempotency, None);
        let write = async { edit.await?.without_window() };
        match state.write(&caller, write, Wait::Unbounded).await {
            Err(rejection) if rejection.is_outcome_unknown() => Err(rejection),
            known => upload_reply(&state, known, ManuallyDrop::into_inner(locked)),
        }
    };
    let commit = tokio::spawn(commit.instrument(tracing::Span::current()));
    let broken = |broken: JoinError| Rejection::internal(broken.to_string());
    waiting.calls.write(async { commit.await.map_err(broken)? }, Wait::Bounded).await
}

/// Returns the reply to an upload, and discards its contents if no pair refers to them.
fn upload_reply(
    state: &AppState,
    edited: Result<Idempotent<Edited>, Rejection>,
    uploaded: Uploaded,
) -> HandlerResult {
    match edited {
        Ok(Idempotent::Executed(Edited::Changed { model, .. })) => {
            let body = custom_models_core::model::Uploaded::new(&uploaded.pair, &model);
            Ok(Reply::json(StatusCode::OK, &body)?.with_etag(model.revision()))
        }
        other => {
            state.remove_contents(move |_| uploaded.discard());
            match other? {
                Idempotent::Replayed(record) => Reply::replayed(record),
                other @ Idempotent::Executed(_) => {
                    Err(Rejection::internal(format!("not an upload: {other:?}")))
                }
            }
        }
    }
}
