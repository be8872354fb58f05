//! The access log: the id of a request, and its line when the response begins.

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

/// The target of the lines. Filters name it, so it does not follow the files of this crate.
const TARGET: &str = "custom_models_http::access_log";

/// The longest id that is taken from a client.
const MAX_ID_LENGTH: usize = 128;

/// Gives a request its id, and a line in the log when the response begins or the client has left. A line has nothing
/// that the client sent except the id, which is taken only if all of its characters are harmless. Whatever else is
/// logged for the request stands in a span with the id.
pub(crate) async fn log_request(mut request: Request, next: Next) -> Response<Body> {
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let entry = Entry {
        begun: Instant::now(),
        id,
        method: method_name(request.method()),
        route: request.extensions().get().cloned(),
        has_response: false,
    };
    // At the highest level, so that no filter removes the span.
    let span = tracing::error_span!("request", request_id = entry.request_id());
    let response = next.run(request).instrument(span).await;
    entry.log(response)
}

/// The line of a request. If it is dropped without a response, the line is `abandoned`.
struct Entry {
    begun: Instant,
    id: HeaderValue,
    method: &'static str,
    route: Option<MatchedPath>,
    has_response: bool,
}

impl Entry {
    fn log(mut self, mut response: Response<Body>) -> Response<Body> {
        self.has_response = true;
        let Entry { ref id, method, .. } = self;
        let (request_id, route, millis) = (self.request_id(), self.route(), self.millis());
        let status = response.status().as_u16();
        tracing::info!(target: TARGET, request_id, method, route, status, millis, "request");
        if let Some(Cause(rejection)) = response.extensions_mut().remove()
            && status >= 500
        {
            let cause = with_sources(&rejection);
            match rejection {
                // The line of the request says everything.
                Rejection::UnsupportedTransferEncoding => {}
                Rejection::ShareExceeded { .. } => {
                    tracing::info!(target: TARGET, request_id, method, route, status, cause = ?cause, "refused");
                }
                Rejection::AtCapacity => {
                    tracing::warn!(target: TARGET, request_id, method, route, status, cause = ?cause, "refused");
                }
                _ => {
                    tracing::error!(target: TARGET, request_id, method, route, status, cause = ?cause, "failed")
                }
            }
        }
        response.headers_mut().insert(REQUEST_ID, id.clone());
        response
    }

    fn request_id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    fn route(&self) -> &str {
        route_pattern(self.route.as_ref())
    }

    fn millis(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * 1000.0
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.has_response {
            let (request_id, method, route) = (self.request_id(), self.method, self.route());
            tracing::info!(target: TARGET, request_id, method, route, millis = self.millis(), "abandoned");
        }
    }
}

/// Returns the pattern of the route that a path matched, or `none`.
pub(crate) fn route_pattern(matched: Option<&MatchedPath>) -> &str {
    matched.map_or("none", MatchedPath::as_str)
}

/// Returns the name of a common method, or `other`: a client can send any text.
pub(crate) fn method_name(method: &Method) -> &'static str {
    let common = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
    ];
    common.iter().find(|(common, _)| common == method).map_or("other", |(_, name)| name)
}

/// Returns the client's id if it can stand in a log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_harmless = |id: &HeaderValue| {
        let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=MAX_ID_LENGTH).contains(&id.len()) && id.as_bytes().iter().all(is_allowed)
    };
    let id = headers.get(&REQUEST_ID).filter(|id| is_harmless(id) && !may_be_key(id.as_bytes()));
    id.cloned().unwrap_or_else(|| {
        let new = uuid::Uuid::new_v4().simple().to_string();
        HeaderValue::try_from(new).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Returns true for a text that has the prefix of API keys, or more than half of a key's secret. A key that was sent
/// in the wrong header must not get into the log. A UUID has 32 digits.
fn may_be_key(text: &[u8]) -> bool {
    const UUID: usize = 32;
    let mut digits = text.split(|byte| !byte.is_ascii_hexdigit());
    text.windows(3).any(|three| three.eq_ignore_ascii_case(b"cm_"))
        || digits.any(|digits| digits.len() > UUID)
}

/// Returns the text of a rejection followed by those of its sources.
fn with_sources(rejection: &Rejection) -> String {
    let mut text = rejection.to_string();
    let mut source = rejection.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
