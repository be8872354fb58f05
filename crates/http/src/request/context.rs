//! The way of a request on models: it enters, its handler judges it, and the response goes out (ORDER).

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use custom_models_core::access::{AccessRefusal, Admitted, Operation};
use custom_models_core::engine::{Edited, Limited};
use custom_models_core::model::{ContentDigest, Edit, TrainingStatus};
use custom_models_core::store::{
    AdmissionRequest, IdempotencyKey, IdempotencyRecord, IdempotencyScope, IdempotentRequest,
    NewIdempotencyRecord,
};
use custom_models_core::{Caller, CustomModel, Engine, ModelId, Organisation, Refusal, Violations};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use crate::rejection::Rejection;
use crate::request::admission::Admission;
use crate::request::body::{RequestBody, check_content_encoding};
use crate::request::precondition::if_match;
use crate::request::query::{self, Pairs};
use crate::response::{self, HandlerResult, Reply};
use crate::state::AppState;
use crate::state::blocking_calls::Wait;
use crate::state::shutdown::ShutdownSignal;

/// The `Idempotency-Key` of a request, if it has a valid one or none.
pub(crate) type ParsedKey = Result<Option<IdempotencyKey>, Violations>;

/// A request, with the state and the admission that its handler needs.
pub(crate) struct RequestContext {
    pub(crate) state: Arc<AppState>,
    pub(crate) head: Parts,
    pub(crate) body: RequestBody,
    /// Present if [`serve`](crate::serve::serve) is the loop around the router.
    pub(crate) shutdown: Option<ShutdownSignal>,
    /// The operation that the request has entered for, and the organisation.
    entered: Option<(Operation, Organisation)>,
    admission: Admission,
}

impl FromRequest<Arc<AppState>> for RequestContext {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Infallible> {
        let (mut parts, body) = request.into_parts();
        Ok(RequestContext {
            body: RequestBody::new(&parts.headers, body, state.options.drain_timeout),
            shutdown: parts.extensions.remove(),
            state: Arc::clone(state),
            head: parts,
            entered: None,
            admission: Admission::default(),
        })
    }
}

impl RequestContext {
    /// Admits a request that only reads, and responds with what `reply` makes of the value.
    pub(crate) async fn respond_to_read<T: Send + 'static>(
        self,
        operation: Operation,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
        reply: impl FnOnce(&RequestContext, T) -> HandlerResult,
    ) -> Response {
        let (admitted, result) = match self.state.enter_and_read(&self.head, operation, read).await
        {
            Ok((admitted, value)) => (Some(admitted), value.and_then(|value| reply(&self, value))),
            Err(rejection) => (None, Err(rejection)),
        };
        response::respond(result, admitted, self.body.into_unread())
    }

    /// Admits a request and responds with what its handler returns.
    pub(crate) async fn respond(
        self,
        operation: Operation,
        handler: impl AsyncFnOnce(&mut RequestContext, &Caller) -> HandlerResult,
    ) -> Response {
        self.respond_once(operation, None, handler).await
    }

    /// As [`RequestContext::respond`], for a request that may be a replay under an idempotency key (IDEM-1).
    pub(crate) async fn respond_once(
        mut self,
        operation: Operation,
        scope: Option<IdempotencyScope>,
        handler: impl AsyncFnOnce(&mut RequestContext, &Caller) -> HandlerResult,
    ) -> Response {
        let handled = self.replay_or_handle(operation, scope.as_ref(), handler).await;
        let (admitted, result) = handled.unwrap_or_else(|rejection| (None, Err(rejection)));
        response::respond(result, admitted, self.body.into_unread())
    }

    async fn replay_or_handle(
        &mut self,
        operation: Operation,
        scope: Option<&IdempotencyScope>,
        handler: impl AsyncFnOnce(&mut RequestContext, &Caller) -> HandlerResult,
    ) -> Result<(Option<Admitted>, HandlerResult), Rejection> {
        let authorized = self.state.enter(&self.head, operation).await?;
        let caller = authorized.caller().clone();
        self.entered = Some((operation, caller.organisation().clone()));
        if let Some(result) = self.replay(&caller, scope).await.transpose() {
            return Ok((Some(authorized.repeats()), result));
        }
        authorized.check_window()?;
        self.admission = Admission::of(authorized);
        let mut result = handler(self, &caller).await;
        // Of two equal requests at the same time, one may see the model as the other has left it. A replay does not
        // count in the window.
        if matches!(&result, Err(rejection) if matches!(rejection.status(), 404 | 409 | 412))
            && !self.admission.is_submitted()
            && let Some(replayed) = self.replay(&caller, scope).await.transpose()
        {
            self.admission.submit();
            result = replayed;
        }
        Ok(self.admission.finish(&self.state, result).await)
    }

    /// Returns the reply that is recorded under a key, if there is one. Only then is the body read, to compare it.
    async fn replay(
        &mut self,
        caller: &Caller,
        scope: Option<&IdempotencyScope>,
    ) -> Result<Option<Reply>, Rejection> {
        let Some(scope) = scope.cloned() else { return Ok(None) };
        let operation = scope.operation;
        let record =
            self.state.read(caller, move |engine, caller| engine.kept_answer(caller, &scope));
        let Some(record) = record.await? else { return Ok(None) };
        let digest = match operation {
            // Boxed, because this future is large and seldom needed.
            #[cfg(feature = "uploads")]
            Operation::Upload if !crate::request::body::is_json(&self.head.headers) => {
                Box::pin(self.upload_digest(caller)).await
            }
            _ => self.body_digest().await,
        };
        self.replayed_reply(record.for_request(digest?)?).map(Some)
    }

    /// Returns a recorded reply. That to a run carries `Retry-After`, as the first one did.
    fn replayed_reply(&self, record: IdempotencyRecord) -> HandlerResult {
        let reply = Reply::replayed(record)?;
        let is_run = matches!(self.entered, Some((Operation::Run, _)));
        Ok(if is_run { reply.with_retry_after(self.state.options.poll_after) } else { reply })
    }

    async fn body_digest(&mut self) -> Result<ContentDigest, Rejection> {
        let begun = Instant::now();
        match self.body.read(self.state.options.body_timeout).await {
            Ok(body) => {
                self.recheck_if_late(begun).await?;
                Ok(NewIdempotencyRecord::digest(&body))
            }
            // No reply is ever recorded for such a body.
            Err(Rejection::Engine(Refusal::BodyTooLarge)) => {
                Err(Refusal::IdempotencyKeyReused.into())
            }
            Err(rejection) => Err(rejection),
        }
    }

    /// Returns the `Idempotency-Key`.
    pub(crate) fn idempotency_key(&self) -> ParsedKey {
        let values = self.head.headers.get_all("idempotency-key").iter();
        Ok(IdempotencyKey::from_values(values.map(|value| value.as_bytes()))?)
    }

    /// Returns the scope of the reply's record, for an operation on the model whose id is before the last segment.
    pub(crate) fn idempotency_scope(
        &self,
        operation: Operation,
        key: &ParsedKey,
    ) -> Option<IdempotencyScope> {
        let key = key.as_ref().ok()?.clone()?;
        Some(IdempotencyScope { operation, target: Some(self.model_id(1).ok()?), key })
    }

    /// Reads the body, which must be JSON: 415, 413 and 408.
    pub(crate) async fn json(&mut self) -> Result<Bytes, Rejection> {
        let begun = Instant::now();
        let body = self.body.read_json(&self.head.headers, self.state.options.body_timeout).await?;
        self.recheck_if_late(begun).await?;
        Ok(body)
    }

    /// Reads the body if there is one, which must be JSON then.
    pub(crate) async fn optional_json(&mut self) -> Result<Option<Bytes>, Rejection> {
        if self.body.is_empty() { Ok(None) } else { self.json().await.map(Some) }
    }

    /// Checks the credentials again if the body took long to arrive.
    async fn recheck_if_late(&self, begun: Instant) -> Result<(), Rejection> {
        let is_late = begun.elapsed() >= self.state.options.recheck_after;
        if is_late { self.recheck().await } else { Ok(()) }
    }

    /// Checks the credentials again, which may have been revoked or have expired: 401 and 403.
    pub(crate) async fn recheck(&self) -> Result<(), Rejection> {
        match &self.entered {
            Some((operation, organisation)) => {
                self.state.recheck(&self.head, *operation, organisation).await
            }
            None => Ok(()),
        }
    }

    /// Parses the query.
    pub(crate) fn query<T>(
        &self,
        parse: impl for<'a> FnOnce(Pairs<'_, 'a>) -> Result<T, Violations>,
    ) -> Result<T, Violations> {
        query::parse(&self.head.uri, parse)
    }

    /// Refuses every parameter, for an operation that has none.
    pub(crate) fn reject_query(&self) -> Result<(), Violations> {
        query::reject_all(&self.head.uri)
    }

    /// Returns the id of the model in the path, `before_end` segments before the last. A segment that is no id names no
    /// model (READ-3).
    pub(crate) fn model_id(&self, before_end: usize) -> Result<ModelId, Refusal> {
        segment(&self.head.uri, before_end)
            .and_then(|id| id.parse().ok())
            .ok_or(Refusal::ModelNotFound)
    }

    /// Returns the model whose id is in the path.
    pub(crate) async fn model(
        &self,
        caller: &Caller,
        before_end: usize,
    ) -> Result<CustomModel, Rejection> {
        self.read_model(caller, self.model_id(before_end)?).await
    }

    async fn read_model(&self, caller: &Caller, id: ModelId) -> Result<CustomModel, Rejection> {
        self.state.read(caller, move |engine, caller| engine.get(caller, id)).await
    }

    /// Checks an edit against the model and `If-Match`, before the body is read: 409 and 412.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        model: &CustomModel,
        edit: &Edit,
    ) -> Result<(), Refusal> {
        self.state.engine.check(caller, model, edit, None, &if_match(&self.head.headers))
    }

    /// Refuses an encoded body and every parameter, for an operation that has neither: 415 and 400.
    pub(crate) fn reject_body_and_query(&self) -> Result<(), Rejection> {
        check_content_encoding(&self.head.headers)?;
        Ok(self.reject_query()?)
    }

    /// Writes the admission now, ahead of a long read or wait: 429 if the window is full.
    pub(crate) async fn admit(&mut self) -> Result<(), Rejection> {
        let RequestContext { state, admission, .. } = self;
        admission.write(state).await
    }

    /// Makes the change that the request asks for, with its admission in the same write, and returns what `reply` makes
    /// of the result.
    pub(crate) async fn write<T, F>(
        &mut self,
        caller: &Caller,
        change: impl FnOnce(&Engine, Option<AdmissionRequest>) -> F,
        reply: impl FnOnce(&RequestContext, T) -> HandlerResult,
    ) -> HandlerResult
    where
        F: Future<Output = Result<Limited<T>, Refusal>>,
    {
        let admission = self.admission.submit();
        let write = change(&self.state.engine, admission);
        match self.state.write(caller, write, Wait::Bounded).await? {
            Limited::Admitted { rate_limit, result } => {
                self.admission.set_rate_limit(rate_limit);
                reply(self, result?)
            }
            Limited::Replayed(record) => self.replayed_reply(record),
            Limited::Full { rate_limit, retry_after } => {
                self.admission.set_rate_limit(Some(rate_limit));
                Err(AccessRefusal::RateLimited { rate_limit, retry_after }.into())
            }
        }
    }

    /// Edits a model at the revisions that `If-Match` allows, and returns what `reply` makes of the result.
    pub(crate) async fn edit(
        &mut self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        idempotency: Option<IdempotentRequest>,
        reply: impl FnOnce(&RequestContext, Edited) -> HandlerResult,
    ) -> HandlerResult {
        let expected = if_match(&self.head.headers);
        let edit = |engine: &Engine, admission| {
            engine.edit_limited_async(caller, id, edit, &expected, idempotency, admission)
        };
        self.write(caller, edit, reply).await
    }

    /// Edits a model, for an operation that has no body and no parameters. Refusals of the model come before what is
    /// wrong with the rest of the request (ORDER).
    pub(crate) async fn edit_without_body(
        &mut self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        reply: impl FnOnce(&RequestContext, Edited) -> HandlerResult,
    ) -> HandlerResult {
        if let Err(rejection) = self.reject_body_and_query() {
            let model = self.read_model(caller, id).await?;
            self.check(caller, &model, &edit)?;
            return Err(rejection);
        }
        self.edit(caller, id, edit, None, reply).await
    }

    /// Returns the reply to an edit.
    pub(crate) fn edit_reply(&self, edited: Edited) -> HandlerResult {
        match edited {
            Edited::Changed { model, .. } => self.model_reply(StatusCode::OK, &model),
            Edited::Deleted => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        }
    }

    /// Returns a reply with a model and its revision, and with `Retry-After` while its training runs.
    pub(crate) fn model_reply(&self, status: StatusCode, model: &CustomModel) -> HandlerResult {
        let reply = Reply::json(status, model)?.with_etag(model.revision());
        let is_running = model.training_status() == TrainingStatus::Running;
        Ok(if is_running { reply.with_retry_after(self.state.options.poll_after) } else { reply })
    }
}

/// Returns a percent-decoded segment of a path. 0 is the last.
pub(crate) fn segment(uri: &Uri, before_end: usize) -> Option<Cow<'_, str>> {
    percent_decode_str(uri.path().rsplit('/').nth(before_end)?).decode_utf8().ok()
}

/// Returns both values, or the violations of both (BODY-4).
pub(crate) fn both<A, B>(
    one: Result<A, Violations>,
    other: Result<B, Violations>,
) -> Result<(A, B), Violations> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(violations), Ok(_)) | (Ok(_), Err(violations)) => Err(violations),
    }
}
