//! The rules of RFC 9112 that hyper leaves to the server: `Host` and transfer codings.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Response, Version, header};
use axum::middleware::Next;

use crate::rejection::Rejection;
use crate::request::body::RequestBody;
use crate::response::respond;

/// Rejects a request whose head is ambiguous or asks for what is not implemented.
pub(crate) async fn check_head(
    request: Request,
    next: Next,
    drain_timeout: Duration,
) -> Response<Body> {
    let Some(rejection) = rejection(request.version(), request.headers()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let body = RequestBody::new(&parts.headers, body, drain_timeout);
    respond(Err(rejection), None, body.into_unread())
}

fn rejection(version: Version, headers: &HeaderMap) -> Option<Rejection> {
    if !has_host(version, headers) {
        return Some(Rejection::InvalidHost);
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_supported = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(one), None) => one.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    };
    (!is_supported).then_some(Rejection::UnsupportedTransferEncoding)
}

/// Returns true for one valid `Host`, which may be empty. Only HTTP/1.1 requires it (RFC 9112, 3.2).
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
    // With user information the text does not begin with the host.
    let port = authority.as_str().strip_prefix(authority.host());
    port.is_some_and(|port| match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    })
}
