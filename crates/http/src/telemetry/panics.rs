//! Handlers that panic: their response, and their cause for the log.

use std::any::Any;
use std::borrow::Cow;

use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse;

use crate::rejection::Rejection;

/// The answer of a handler that panicked.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    Rejection::internal(cause_of(&*panic)).into_response()
}

/// Returns the message of a panic if it is a literal in the code. A message that was made at run time may repeat
/// the text of a caller. The place of the panic is for the panic hook to tell.
pub(crate) fn cause_of(panic: &(dyn Any + Send)) -> Cow<'static, str> {
    match panic.downcast_ref::<&'static str>() {
        Some(text) => format!("a handler panicked: {text}").into(),
        None => "a handler panicked".into(),
    }
}
