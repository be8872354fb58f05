//! Answers: one envelope, one place for headers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Admitted, KeptAnswer, Revision, StoreError, StoreErrorKind};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use serde::Serialize;

use crate::rejection::Rejection;
use crate::request::body::{Incoming, Rest};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The result of a request that was judged: its response, or a refusal.
pub(crate) type Said = Result<Done, Rejection>;

/// The response to a request that was done.
pub(crate) struct Done {
    status: StatusCode,
    body: Bytes,
    headers: HeaderMap,
}

impl Done {
    /// Nothing but the status.
    pub(crate) fn nothing(status: StatusCode) -> Self {
        Done { status, body: Bytes::new(), headers: HeaderMap::new() }
    }

    fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, JSON);
        Done { status, body: body.into(), headers }
    }

    /// Returns a response with a value of the store as JSON. In practice every such value serialises.
    pub(crate) fn json(status: StatusCode, answer: &impl Serialize) -> Said {
        match serde_json::to_string(answer) {
            Ok(body) => Ok(Done::text(status, body)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Damaged, error).into()),
        }
    }

    /// An answer that was given before (IDEM-1).
    pub(crate) fn kept(kept: KeptAnswer) -> Said {
        let status = StatusCode::from_u16(kept.status)
            .map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;
        let mut done = Done::text(status, kept.body).tagged(kept.revision);
        done.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(done)
    }

    /// With the revision of the model that is answered (EDIT-4).
    pub(crate) fn tagged(mut self, revision: Revision) -> Self {
        if let Ok(tag) = HeaderValue::try_from(format!("\"{revision}\"")) {
            self.headers.insert(header::ETAG, tag);
        }
        self
    }

    /// With a word when to look again at a training that goes on.
    pub(crate) fn polled(mut self, after: Duration) -> Self {
        self.headers.insert(header::RETRY_AFTER, after.as_secs().into());
        self
    }
}

/// The result of a request, the admission whose limits its response shows, and the rest of the body.
pub(crate) struct Answer {
    said: Said,
    admitted: Option<Admitted>,
    rest: Option<Rest>,
}

impl Answer {
    /// Answers a request that was admitted. Its place is free again when the body is sent.
    pub(crate) fn of(admitted: Admitted, said: Said) -> Self {
        Answer { said, admitted: Some(admitted), rest: None }
    }

    /// Something that needs nobody's admission.
    pub(crate) fn open(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Answer { said: Ok(Done::text(status, body)), admitted: None, rest: None }
    }

    /// A status without a body, that needs nobody's admission.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Answer { said: Ok(Done::nothing(status)), admitted: None, rest: None }
    }

    /// To a request whose body may not have been read.
    pub(crate) fn to(self, body: Incoming) -> Self {
        Answer { rest: body.rest(), ..self }
    }
}

/// Answers a request that holds no place.
impl From<Said> for Answer {
    fn from(said: Said) -> Self {
        Answer { said, admitted: None, rest: None }
    }
}

impl<R: Into<Rejection>> From<R> for Answer {
    fn from(refusal: R) -> Self {
        Answer::from(Err(refusal.into()))
    }
}

/// Why an answer is what it is, for the log.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Rejection);

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let Answer { said, admitted, rest } = self;
        let standing = admitted.as_ref().and_then(Admitted::standing);
        let (Done { status, body, mut headers }, cause) = match said {
            Ok(done) => (done, None),
            Err(rejection) => (refused(&rejection), Some(Cause(rejection))),
        };
        if let Some(standing) = standing {
            // RATE-5.
            standing
                .headers()
                .into_iter()
                .for_each(|(name, value)| push(&mut headers, name, value));
        }
        if rest.as_ref().is_some_and(Rest::is_uncertain) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let body = Held { body: Full::new(body), _admitted: admitted, _rest: rest };
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        Answer::from(self).into_response()
    }
}

fn refused(rejection: &Rejection) -> Done {
    let error = ErrorBody::from(rejection);
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut done = Done::text(status, error.to_json());
    for (name, value) in error.headers {
        push(&mut done.headers, name, value.into_owned());
    }
    done
}

/// Adds a header of the core's, all of which HTTP can carry.
fn push(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.insert(name, value);
    }
}

/// A body that keeps its request's place, and the rest of its request, until it is sent or given up (RATE-2).
struct Held {
    body: Full<Bytes>,
    _admitted: Option<Admitted>,
    _rest: Option<Rest>,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
