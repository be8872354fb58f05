//! Around every request: its id, its line in the log, and the answer of one that panicked.

use std::any::Any;
use std::error::Error;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use custom_models_core::Refusal;

use crate::answer::{Answer, Cause};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST_ID: usize = 128;

/// Gives a request its id, and a line in the log when it is answered. Nothing that a caller sent is
/// in it but the id, which is taken only if every character of it can stand there.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response<Body> {
    let begun = Instant::now();
    let id = request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    let request_id = id.to_str().unwrap_or_default();
    tracing::info!(request_id, method, route, status, millis, "request");
    if let Some(Cause(refusal)) = response.extensions_mut().remove()
        && status >= 500
    {
        let cause = with_causes(&refusal);
        tracing::error!(request_id, method, route, status, cause = ?cause, "failed");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The method, if it is one that everybody knows.
fn known(method: &Method) -> &'static str {
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
    if let Some(id) = headers.get(&REQUEST_ID).filter(|id| is_sane(id)) {
        return id.clone();
    }
    let made = uuid::Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(made).unwrap_or(HeaderValue::from_static("none"))
}

/// The answer of a handler that panicked.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let text = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (None, Some(text)) => *text,
        (None, None) => "of an unknown kind",
    };
    let cause = format!("a handler panicked: {text}").into();
    Answer::from(Refusal::Internal { cause }).into_response()
}

fn with_causes(refusal: &Refusal) -> String {
    let mut text = refusal.to_string();
    let mut source = refusal.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
