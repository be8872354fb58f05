//! The response to a request whose handler panics, and the cause for the log.

use std::any::Any;
use std::borrow::Cow;

use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse;

use crate::rejection::Rejection;

/// Returns the response to a request whose handler panicked.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    Rejection::internal(cause_of(&*panic)).into_response()
}

/// Returns the message of a panic if it is a literal in the code. A message that was formatted may repeat what a
/// client sent. The panic hook logs the location.
pub(crate) fn cause_of(panic: &(dyn Any + Send)) -> Cow<'static, str> {
    match panic.downcast_ref::<&'static str>() {
        Some(text) => format!("a handler panicked: {text}").into(),
        None => "a handler panicked".into(),
    }
}
