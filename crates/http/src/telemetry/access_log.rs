//! The id of a request, and its line in the log.

use std::error::Error;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use axum::middleware::Next;
use tracing::Instrument;

use crate::rejection::Rejection;
use crate::response::Cause;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST_ID: usize = 128;

/// Gives a request its id, and a line in the log when it is answered, or when nobody waits for its answer
/// any more. Nothing that a caller sent is in it but the id, which is taken only if every character of it
/// can stand there. What else is logged while the request is at work stands in a span with the id.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response<Body> {
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let line = Line {
        begun: Instant::now(),
        id,
        method: known(request.method()),
        route: request.extensions().get().cloned(),
        is_answered: false,
    };
    // Of the highest level, so that it is there whatever is logged.
    let span = tracing::error_span!("request", request_id = line.request_id());
    let response = next.run(request).instrument(span).await;
    line.answered(response)
}

/// The line of a request in the log.
struct Line {
    begun: Instant,
    id: HeaderValue,
    method: &'static str,
    route: Option<MatchedPath>,
    is_answered: bool,
}

impl Line {
    fn answered(mut self, mut response: Response<Body>) -> Response<Body> {
        self.is_answered = true;
        let Line { ref id, method, .. } = self;
        let (request_id, route, millis) = (self.request_id(), self.route(), self.millis());
        let status = response.status().as_u16();
        tracing::info!(request_id, method, route, status, millis, "request");
        if let Some(Cause(rejection)) = response.extensions_mut().remove()
            && status >= 500
        {
            let cause = with_causes(&rejection);
            match rejection {
                // The request line says it all.
                Rejection::UnsupportedTransferEncoding => {}
                Rejection::ShareExceeded { .. } => {
                    tracing::info!(request_id, method, route, status, cause = ?cause, "refused");
                }
                Rejection::AtCapacity => {
                    tracing::warn!(request_id, method, route, status, cause = ?cause, "refused");
                }
                _ => tracing::error!(request_id, method, route, status, cause = ?cause, "failed"),
            }
        }
        response.headers_mut().insert(REQUEST_ID, id.clone());
        response
    }

    fn request_id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    fn route(&self) -> &str {
        route_of(self.route.as_ref())
    }

    fn millis(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * 1000.0
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_answered {
            let (request_id, method, route) = (self.request_id(), self.method, self.route());
            tracing::info!(request_id, method, route, millis = self.millis(), "abandoned");
        }
    }
}

/// The pattern that a path matched.
pub(crate) fn route_of(matched: Option<&MatchedPath>) -> &str {
    matched.map_or("none", MatchedPath::as_str)
}

/// The method, if it is one that everybody knows.
pub(crate) fn known(method: &Method) -> &'static str {
    let all = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
    ];
    all.iter().find(|(known, _)| known == method).map_or("other", |(_, name)| name)
}

fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_sane = |id: &HeaderValue| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
    };
    if let Some(id) = headers.get(&REQUEST_ID).filter(|id| is_sane(id) && !is_key(id.as_bytes())) {
        return id.clone();
    }
    let made = uuid::Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(made).unwrap_or(HeaderValue::from_static("none"))
}

/// True for a text with the beginning of keys, or with more than half of a key's secret. One that was sent in the
/// wrong place must not get into a log. A UUID is none.
fn is_key(text: &[u8]) -> bool {
    const UUID: usize = 32;
    let mut digits = text.split(|byte| !byte.is_ascii_hexdigit());
    text.windows(3).any(|three| three.eq_ignore_ascii_case(b"cm_"))
        || digits.any(|digits| digits.len() > UUID)
}

fn with_causes(rejection: &Rejection) -> String {
    let mut text = rejection.to_string();
    let mut source = rejection.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
