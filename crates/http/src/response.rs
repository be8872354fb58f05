//! Responses: the one place where a status, headers and a body come together.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use custom_models_core::access::Admitted;
use custom_models_core::model::Revision;
use custom_models_core::store::{IdempotencyRecord, StoreError, StoreErrorKind};
use custom_models_core::wire::ErrorBody;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::rejection::Rejection;
use crate::request::body::UnreadBody;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The result of a handler: its reply, or the reason why there is none.
pub(crate) type HandlerResult = Result<Reply, Rejection>;

/// The status, headers and body of a request that succeeded.
pub(crate) struct Reply {
    status: StatusCode,
    body: Bytes,
    headers: HeaderMap,
}

impl Reply {
    /// Returns a reply without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Reply { status, body: Bytes::new(), headers: HeaderMap::new() }
    }

    /// Returns a reply whose body is JSON already.
    pub(crate) fn raw_json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, JSON);
        Reply { status, body: body.into(), headers }
    }

    /// Returns a reply with a value from the store as JSON. In practice every such value serialises.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> HandlerResult {
        match serde_json::to_string(value) {
            Ok(body) => Ok(Reply::raw_json(status, body)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Damaged, error).into()),
        }
    }

    /// Returns the reply that was recorded under an idempotency key (IDEM-1).
    pub(crate) fn replayed(record: IdempotencyRecord) -> HandlerResult {
        let status = StatusCode::from_u16(record.status)
            .map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;
        let mut reply = Reply::raw_json(status, record.body).with_etag(record.revision);
        reply.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(reply)
    }

    /// Adds the revision of the model in the body (EDIT-4).
    pub(crate) fn with_etag(mut self, revision: Revision) -> Self {
        if let Ok(tag) = HeaderValue::try_from(format!("\"{revision}\"")) {
            self.headers.insert(header::ETAG, tag);
        }
        self
    }

    /// Adds the time after which a client should ask again.
    pub(crate) fn with_retry_after(mut self, after: Duration) -> Self {
        self.headers.insert(header::RETRY_AFTER, after.as_secs().into());
        self
    }
}

#[cfg(feature = "uploads")]
impl Reply {
    /// Adds a header. A value that is none in HTTP is left out.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// The rejection that a response was made of, in its extensions, for the log and the metrics.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Rejection);

/// Returns the response to a request. Its body holds the admission, whose window the headers show, and what was not
/// read of the request.
pub(crate) fn respond(
    result: HandlerResult,
    admitted: Option<Admitted>,
    unread: Option<UnreadBody>,
) -> Response<Body> {
    let (Reply { status, body, mut headers }, cause) = match result {
        Ok(reply) => (reply, None),
        Err(rejection) => (error_reply(&rejection), Some(Cause(rejection))),
    };
    if let Some(rate_limit) = admitted.as_ref().and_then(Admitted::rate_limit) {
        // RATE-5.
        rate_limit
            .headers()
            .into_iter()
            .for_each(|(name, value)| insert(&mut headers, name, value));
    }
    if unread.as_ref().is_some_and(UnreadBody::may_never_arrive) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let bytes = (!body.is_empty()).then_some(body);
    let body = PermitBody { bytes, _admitted: admitted, _unread: unread };
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if let Some(cause) = cause {
        response.extensions_mut().insert(cause);
    }
    response
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        respond(Ok(self), None, None)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        respond(Err(self), None, None)
    }
}

fn error_reply(rejection: &Rejection) -> Reply {
    let error = ErrorBody::from(rejection);
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = Reply::raw_json(status, error.to_json());
    for (name, value) in error.headers {
        insert(&mut reply.headers, name, value.into_owned());
    }
    reply
}

/// Inserts a header that the core names. All of them are valid in HTTP.
fn insert(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// A response body that holds the request's place, and what was not read of the request, until it is sent or
/// dropped (RATE-2).
struct PermitBody {
    /// `None` once they are sent.
    bytes: Option<Bytes>,
    _admitted: Option<Admitted>,
    _unread: Option<UnreadBody>,
}

impl http_body::Body for PermitBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
