//! The way that every request on models takes: it is admitted, judged, and answered (ORDER).

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use custom_models_core::{
    AccessRefusal, AdmissionRequest, AnswerKey, Answered, Caller, ContentDigest, CustomModel, Edit,
    Edited, Engine, IdempotencyKey, KeptAnswer, Limited, ModelId, NewAnswer, Operation, Refusal,
    Repeatable, TrainingStatus, Violations,
};
use custom_models_training_data::Upload;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use crate::rejection::Rejection;
use crate::request::body::{Incoming, is_plain};
use crate::request::multipart::boundary;
use crate::request::precondition::expected;
use crate::request::query;
use crate::request::turn::Turn;
use crate::request::upload::taken_apart;
use crate::response::{Answer, Done, Said};
use crate::state::Service;
use crate::state::shutdown::Stopping;
use crate::state::store_calls::Wait;

/// A request that has arrived, with all that judging it takes.
pub(crate) struct Arrived {
    pub(crate) service: Arc<Service>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) body: Incoming,
    /// The operation that is asked for, once the request is let in.
    operation: Option<Operation>,
    turn: Turn,
}

impl Arrived {
    pub(crate) fn new(service: Arc<Service>, request: Request) -> Self {
        let (mut parts, body) = request.into_parts();
        let body = Incoming::new(&parts.headers, body, service.options.drain_timeout);
        let stopping = parts.extensions.remove();
        let (uri, headers) = (parts.uri, parts.headers);
        let turn = Turn::default();
        Arrived { service, uri, headers, stopping, body, operation: None, turn }
    }

    /// Admits a request that only reads, and says what was found.
    pub(crate) async fn answer_read<T: Send + 'static>(
        self,
        operation: Operation,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
        say: impl FnOnce(&Arrived, T) -> Said,
    ) -> Answer {
        let found = self.service.enter_and_read(&self.headers, operation, read).await;
        let answer = found.map(|(admitted, found)| {
            Answer::of(admitted, found.and_then(|found| say(&self, found)))
        });
        answer.unwrap_or_else(Answer::from).to(self.body)
    }

    /// Admits the request, and has it judged.
    pub(crate) async fn answer(
        self,
        operation: Operation,
        judge: impl AsyncFnOnce(&mut Arrived, &Caller) -> Said,
    ) -> Answer {
        self.answer_once(operation, None, judge).await
    }

    /// [`Arrived::answer`] to a request that may have been answered before, under a key (IDEM-1).
    pub(crate) async fn answer_once(
        mut self,
        operation: Operation,
        key: Option<AnswerKey>,
        judge: impl AsyncFnOnce(&mut Arrived, &Caller) -> Said,
    ) -> Answer {
        let answer = self.admitted(operation, key.as_ref(), judge).await;
        answer.unwrap_or_else(Answer::from).to(self.body)
    }

    async fn admitted(
        &mut self,
        operation: Operation,
        key: Option<&AnswerKey>,
        judge: impl AsyncFnOnce(&mut Arrived, &Caller) -> Said,
    ) -> Result<Answer, Rejection> {
        let entered = self.service.enter(&self.headers, operation).await?;
        self.operation = Some(operation);
        let caller = entered.caller().clone();
        if let Some(said) = self.replay(&caller, key).await.transpose() {
            return Ok(Answer::of(entered.repeats(), said));
        }
        entered.check_window()?;
        self.turn = Turn::open(entered);
        let mut said = judge(self, &caller).await;
        // Of two at the same time, one may see the model as the other has left it. A repeat does not count.
        if matches!(&said, Err(refusal) if matches!(refusal.status(), 404 | 409 | 412))
            && !self.turn.is_sent()
            && let Some(replayed) = self.replay(&caller, key).await.transpose()
        {
            self.turn.send();
            said = replayed;
        }
        self.turn.end(&self.service, said).await
    }

    /// The answer that was given under a key. Only if there is one is the body read for it.
    async fn replay(
        &mut self,
        caller: &Caller,
        key: Option<&AnswerKey>,
    ) -> Result<Option<Done>, Rejection> {
        let Some(key) = key.cloned() else { return Ok(None) };
        let operation = key.operation;
        let kept =
            self.service.read(caller, move |engine, caller| engine.kept_answer(caller, &key));
        let Some(kept) = kept.await? else { return Ok(None) };
        let request = match operation {
            // Seldom asked for, and large: every request would carry its room.
            Operation::Upload => Box::pin(self.digest_of_upload(caller)).await,
            _ => self.digest().await,
        };
        self.replayed(kept.for_request(request?)?).map(Some)
    }

    /// Returns the answer that was given before, which of a run says when to look again.
    fn replayed(&self, kept: KeptAnswer) -> Said {
        let done = Done::kept(kept)?;
        let is_run = self.operation == Some(Operation::Run);
        Ok(if is_run { done.polled(self.service.options.poll_after) } else { done })
    }

    async fn digest(&mut self) -> Result<ContentDigest, Rejection> {
        let begun = Instant::now();
        match self.body.read(self.service.options.body_timeout).await {
            Ok(body) => {
                self.recheck_if_late(begun).await?;
                Ok(NewAnswer::digest(&body))
            }
            // No such body was ever answered.
            Err(Rejection::Engine(Refusal::BodyTooLarge)) => {
                Err(Refusal::IdempotencyKeyReused.into())
            }
            Err(rejection) => Err(rejection),
        }
    }

    async fn digest_of_upload(&mut self, caller: &Caller) -> Result<ContentDigest, Rejection> {
        let never_answered = Refusal::IdempotencyKeyReused.into();
        let Ok(boundary) = boundary(&self.headers) else { return Err(never_answered) };
        let digest = |upload: Upload| Ok(upload.digest());
        let (service, body) = (&self.service, &mut self.body);
        let upload = Upload::only_digested();
        match taken_apart(service, body, caller, boundary, upload, digest).await {
            Ok(digest) => {
                self.recheck().await?;
                digest.ok_or(never_answered)
            }
            Err(Rejection::Engine(Refusal::Invalid(_) | Refusal::FileTooLarge)) => {
                Err(never_answered)
            }
            Err(rejection) => Err(rejection),
        }
    }

    /// The `Idempotency-Key` of the request.
    pub(crate) fn key(&self) -> Result<Option<IdempotencyKey>, Violations<'static>> {
        let values = self.headers.get_all("idempotency-key").iter();
        Ok(IdempotencyKey::from_values(values.map(|value| value.as_bytes()))?)
    }

    /// The body, which is to be JSON: 415, 413 and 408.
    pub(crate) async fn json(&mut self) -> Result<Bytes, Rejection> {
        let begun = Instant::now();
        let body = self.body.read_json(&self.headers, self.service.options.body_timeout).await?;
        self.recheck_if_late(begun).await?;
        Ok(body)
    }

    /// Looks the key up again of a request whose body took long.
    async fn recheck_if_late(&self, begun: Instant) -> Result<(), Rejection> {
        let is_late = begun.elapsed() >= self.service.options.recheck_after;
        if is_late { self.recheck().await } else { Ok(()) }
    }

    /// 401 and 403 as they would be now: the key may have been revoked since, or have expired.
    pub(crate) async fn recheck(&self) -> Result<(), Rejection> {
        match self.operation {
            Some(operation) => self.service.recheck(&self.headers, operation).await,
            None => Ok(()),
        }
    }

    /// The body, which is to be JSON if there is one.
    pub(crate) async fn optional_json(&mut self) -> Result<Option<Bytes>, Rejection> {
        if self.body.is_empty() { Ok(None) } else { self.json().await.map(Some) }
    }

    /// Judges the parameters of the query, percent-decoded.
    pub(crate) fn parameters<T>(
        &self,
        judge: impl for<'a> FnOnce(Vec<(&'a str, &'a str)>) -> Result<T, Violations<'a>>,
    ) -> Result<T, Violations<'static>> {
        query::judged(&self.uri, judge)
    }

    /// Names every parameter of an operation that has none.
    pub(crate) fn no_parameters(&self) -> Result<(), Violations<'static>> {
        query::none(&self.uri)
    }

    /// The id in the path, so many segments before its end. What is no id, badly encoded or not, is
    /// the id of no model (READ-3).
    pub(crate) fn id(&self, before_end: usize) -> Result<ModelId, Refusal> {
        segment(&self.uri, before_end).and_then(|id| id.parse().ok()).ok_or(Refusal::ModelNotFound)
    }

    /// The model that the path names, so many segments before its end.
    pub(crate) async fn model(
        &self,
        caller: &Caller,
        before_end: usize,
    ) -> Result<CustomModel, Rejection> {
        self.read(caller, self.id(before_end)?).await
    }

    async fn read(&self, caller: &Caller, id: ModelId) -> Result<CustomModel, Rejection> {
        self.service.read(caller, move |engine, caller| engine.get(caller, id)).await
    }

    /// 409 and 412: what can be said of an edit before the body is read.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
    ) -> Result<(), Refusal> {
        self.service.engine.check(caller, model, edit, None, &expected(&self.headers))
    }

    /// 415 and 400 of an operation that has no body, and no parameters.
    pub(crate) fn nothing_beside(&self) -> Result<(), Rejection> {
        is_plain(&self.headers)?;
        Ok(self.no_parameters()?)
    }

    /// Admits the request alone, before its body is read or before anything is waited for: 429 by the window.
    pub(crate) async fn admit(&mut self) -> Result<(), Rejection> {
        let Arrived { service, turn, .. } = self;
        turn.admit(service).await
    }

    /// Makes the change that the request comes to, with its admission.
    pub(crate) async fn changed<T, F>(
        &mut self,
        caller: &Caller,
        change: impl FnOnce(&Engine, Option<AdmissionRequest>) -> F,
    ) -> Result<Answered<T>, Rejection>
    where
        F: Future<Output = Result<Limited<T>, Refusal>>,
    {
        let admission = self.turn.send();
        let write = change(&self.service.engine, admission);
        let changed = self.service.change(caller, write, Wait::Bounded).await?;
        match changed {
            Limited::Admitted { standing, result } => {
                self.turn.stands(standing);
                Ok(Answered::Now(result?))
            }
            Limited::Before(kept) => Ok(Answered::Before(kept)),
            Limited::Full { standing, retry_after } => {
                self.turn.stands(Some(standing));
                Err(AccessRefusal::RateLimited { standing, retry_after }.into())
            }
        }
    }

    /// Makes an edit that has no body, and no parameters. What can be said of the model is said before what is
    /// wrong with the rest of the request (ORDER).
    pub(crate) async fn edited_without_body(
        &mut self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
    ) -> Result<Edited, Rejection> {
        if let Err(refusal) = self.nothing_beside() {
            let model = self.read(caller, id).await?;
            self.check(caller, &model, &edit)?;
            return Err(refusal);
        }
        self.edited(caller, id, edit, None).await
    }

    /// Makes an edit of a model.
    pub(crate) async fn edited(
        &mut self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        repeatable: Option<Repeatable>,
    ) -> Result<Edited, Rejection> {
        let expected = expected(&self.headers);
        let edited = self.changed(caller, |engine, admission| {
            engine.edit_limited_async(caller, id, edit, expected, repeatable, admission)
        });
        Ok(match edited.await? {
            Answered::Now(edited) => edited,
            Answered::Before(kept) => Edited::Before(kept),
        })
    }

    /// Returns the response to an edit.
    pub(crate) fn said(&self, edited: Edited) -> Said {
        match edited {
            Edited::Changed { model, .. } => self.shown(StatusCode::OK, &model),
            Edited::Deleted => Ok(Done::nothing(StatusCode::NO_CONTENT)),
            Edited::Before(kept) => self.replayed(kept),
        }
    }

    /// A model, with its revision, and, while it is trained, a word when to look again.
    pub(crate) fn shown(&self, status: StatusCode, model: &CustomModel) -> Said {
        let done = Done::json(status, model)?.tagged(model.revision());
        let is_running = model.training_status() == TrainingStatus::Running;
        Ok(if is_running { done.polled(self.service.options.poll_after) } else { done })
    }
}

/// A segment of a path, counted from its end and percent-decoded.
pub(crate) fn segment(uri: &Uri, before_end: usize) -> Option<Cow<'_, str>> {
    percent_decode_str(uri.path().rsplit('/').nth(before_end)?).decode_utf8().ok()
}

/// Both, or everything that is wrong with either (BODY-4).
pub(crate) fn both<'a, A, B>(
    one: Result<A, Violations<'a>>,
    other: Result<B, Violations<'a>>,
) -> Result<(A, B), Violations<'a>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(violations), Ok(_)) | (Ok(_), Err(violations)) => Err(violations),
    }
}
