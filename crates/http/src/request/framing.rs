//! The part of RFC 9112 that the HTTP library leaves to whoever serves: `Host`, and transfer codings.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Response, Version, header};
use axum::middleware::Next;
use axum::response::IntoResponse;

use crate::rejection::Rejection;
use crate::request::body::Incoming;
use crate::response::Answer;

/// Refuses a request whose head a server must not, or cannot, go by.
pub(crate) async fn check(request: Request, next: Next, drain_timeout: Duration) -> Response<Body> {
    let Some(rejection) = fault(request.version(), request.headers()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let body = Incoming::new(&parts.headers, body, drain_timeout);
    Answer::from(rejection).to(body).into_response()
}

fn fault(version: Version, headers: &HeaderMap) -> Option<Rejection> {
    if !has_host(version, headers) {
        return Some(Rejection::InvalidHost);
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_understood = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(one), None) => one.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    };
    (!is_understood).then_some(Rejection::UnsupportedTransferEncoding)
}

/// One host, which HTTP/1.1 needs (RFC 9112, 3.2). It may be empty.
fn has_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version != Version::HTTP_11,
        (Some(host), None) => is_host(host),
        _ => false,
    }
}

fn is_host(host: &HeaderValue) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
    let port = authority.as_str().strip_prefix(authority.host());
    // Where there is a user, the text does not begin with the host.
    port.is_some_and(|port| match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    })
}
