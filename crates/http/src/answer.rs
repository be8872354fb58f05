//! Answers: one envelope, one place for headers.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use custom_models_core::{Admitted, Refusal, Standing};
use http_body::{Frame, SizeHint};
use http_body_util::Full;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What is to be said, and to whom it says how their limits stand.
pub(crate) struct Answer {
    said: Result<(StatusCode, Option<String>), Refusal>,
    admitted: Option<Admitted>,
}

impl Answer {
    /// What became of a request that was admitted. Its place is free again when the body is sent.
    pub(crate) fn of(
        admitted: Admitted,
        said: Result<(StatusCode, Option<String>), Refusal>,
    ) -> Self {
        Answer { said, admitted: Some(admitted) }
    }

    /// Something that needs nobody's admission.
    pub(crate) fn open(status: StatusCode, body: String) -> Self {
        Answer { said: Ok((status, Some(body))), admitted: None }
    }

    /// A status without a body, that needs nobody's admission.
    pub(crate) const fn empty(status: StatusCode) -> Self {
        Answer { said: Ok((status, None)), admitted: None }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Answer { said: Err(refusal), admitted: None }
    }
}

/// Why an answer is what it is, for the log.
#[derive(Clone)]
pub(crate) struct Cause(pub(crate) Refusal);

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let Answer { said, admitted } = self;
        let standing = admitted.as_ref().and_then(Admitted::standing);
        let mut headers = HeaderMap::new();
        let (status, body, cause) = match said {
            Ok((status, body)) => (status, body, None),
            Err(refusal) => {
                let status = StatusCode::from_u16(refusal.status());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                push_refusal(&mut headers, &refusal);
                (status, Some(refusal.to_json()), Some(Cause(refusal)))
            }
        };
        let of_refusal = cause.as_ref().and_then(|Cause(refusal)| refusal.standing());
        if let Some(standing) = standing.or(of_refusal) {
            push_standing(&mut headers, standing);
        }
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        let body = Held { body: Full::from(body.unwrap_or_default()), _admitted: admitted };
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

fn push_refusal(headers: &mut HeaderMap, refusal: &Refusal) {
    if let Refusal::Unauthorized = refusal {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// RATE-5.
fn push_standing(headers: &mut HeaderMap, standing: Standing) {
    headers.insert(LIMIT, standing.limit.into());
    headers.insert(REMAINING, standing.remaining.into());
    headers.insert(RESET, standing.reset_at.unix_seconds_up().into());
}

/// A body that keeps its request's place until it is sent or given up (RATE-2).
struct Held {
    body: Full<Bytes>,
    _admitted: Option<Admitted>,
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
