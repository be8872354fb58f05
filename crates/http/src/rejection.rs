//! Rejections: every way in which the service refuses a request.

#[cfg(feature = "uploads")]
mod resumable;

use std::borrow::Cow;

use custom_models_core::access::AccessRefusal;
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Refusal, Violations};

#[cfg(feature = "uploads")]
pub use self::resumable::ResumableRejection;

/// A refusal of the engine, of the gate, of HTTP itself, or of the host.
///
/// `Display` is for logs. A client sees the [`ErrorBody`] that a rejection turns into. It is a response too, with its
/// headers, so that the routes of a host answer like those of the API:
///
/// ```
/// use axum::response::IntoResponse;
/// use custom_models_core::Refusal;
/// use custom_models_core::wire::ErrorBody;
/// use custom_models_http::Rejection;
///
/// async fn copy() -> Result<&'static str, Rejection> {
///     Err(Refusal::ModelNotFound)?
/// }
///
/// let maintenance = ErrorBody::unavailable("Back in a minute", "MAINTENANCE");
/// assert_eq!(Rejection::from(maintenance).into_response().status(), 503);
/// let app: axum::Router = axum::Router::new()
///     .route("/copy", axum::routing::post(copy))
///     .fallback(async || Rejection::RouteNotFound);
/// # let _ = app;
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// 400: `Host` is missing in HTTP/1.1, is there twice, or names no host.
    #[error("`Host` is missing, repeated or invalid")]
    InvalidHost,
    /// 404: no route has this path.
    #[error("no route has this path")]
    RouteNotFound,
    /// 405: the route does not have this method. The router lists in `Allow` those that it has.
    #[error("the route does not have this method")]
    MethodNotAllowed,
    /// 408: the request did not arrive in time.
    #[error("the request did not arrive in time")]
    RequestTimeout,
    /// 415: the `Content-Type` of the body is not `application/json`.
    #[error("`Content-Type` is not `application/json`")]
    UnsupportedMediaType,
    /// 415: the `Content-Type` of an upload is not `multipart/form-data` (DATA-1).
    #[error("`Content-Type` is not `multipart/form-data`")]
    NotMultipart,
    /// 415: the body has a `Content-Encoding`, for example `gzip`.
    #[error("`Content-Encoding` is not `identity`")]
    UnsupportedContentEncoding,
    /// 501: the body has a transfer coding other than `chunked` alone.
    #[error("`Transfer-Encoding` is not `chunked`")]
    UnsupportedTransferEncoding,
    /// 503: all organisations together have taken all places for such requests.
    #[error("all places for such requests are taken")]
    AtCapacity,
    /// 503: the organisation has taken its share of the places for such requests (PLACE-4).
    #[error("the organisation has taken its share of {places} places")]
    ShareExceeded {
        /// The number of places in its share.
        places: usize,
    },
    /// A refusal of a request about a file that is sent in several requests.
    #[error(transparent)]
    #[cfg(feature = "uploads")]
    Resumable(#[from] ResumableRejection),
    /// A refusal of the gate.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// A refusal of the engine.
    #[error(transparent)]
    Engine(#[from] Refusal),
    /// A refusal of the host.
    #[error("{}", .0.message)]
    Host(ErrorBody<'static>),
}

impl Rejection {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        ErrorBody::from(self).status
    }

    /// Creates a 500, with its cause for the log.
    pub(crate) fn internal(cause: impl Into<Cow<'static, str>>) -> Self {
        Refusal::Internal { cause: cause.into() }.into()
    }

    /// Returns true if the store does not know whether the change was made.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        matches!(self, Rejection::Engine(Refusal::Store(fault)) | Rejection::Access(AccessRefusal::Store(fault))
            if fault.kind() == StoreErrorKind::OutcomeUnknown)
    }
}

impl<'a> From<&'a Rejection> for ErrorBody<'a> {
    fn from(rejection: &'a Rejection) -> Self {
        match rejection {
            Rejection::InvalidHost => {
                let message = "The request must have exactly one valid Host header";
                ErrorBody::new(400, "Bad Request", message).with_code("INVALID_HOST")
            }
            Rejection::RouteNotFound => {
                ErrorBody::new(404, "Not Found", "There is nothing at this path")
                    .with_code("ROUTE_NOT_FOUND")
            }
            Rejection::MethodNotAllowed => {
                let message = "This path does not take this method";
                ErrorBody::new(405, "Method Not Allowed", message).with_code("METHOD_NOT_ALLOWED")
            }
            Rejection::RequestTimeout => {
                let message = "The request did not arrive in time";
                ErrorBody::new(408, "Request Timeout", message).with_code("REQUEST_TIMEOUT")
            }
            Rejection::UnsupportedMediaType => unsupported("Content-Type must be application/json"),
            Rejection::NotMultipart => unsupported("Content-Type must be multipart/form-data"),
            Rejection::UnsupportedContentEncoding => {
                unsupported("Content-Encoding must be identity")
                    .with_header("Accept-Encoding", "identity")
            }
            Rejection::UnsupportedTransferEncoding => {
                ErrorBody::new(501, "Not Implemented", "Transfer-Encoding must be chunked")
                    .with_code("UNSUPPORTED_TRANSFER_ENCODING")
            }
            Rejection::AtCapacity => ErrorBody::unavailable(
                "All places for such requests are taken. Please try again.",
                "AT_CAPACITY",
            ),
            Rejection::ShareExceeded { places } => ErrorBody::unavailable(
                "Your organisation has taken its share of the places for such requests. \
                Please try again.",
                "SHARE_EXCEEDED",
            )
            .with_detail("places", *places),
            #[cfg(feature = "uploads")]
            Rejection::Resumable(rejection) => rejection.into(),
            Rejection::Access(refusal) => refusal.into(),
            Rejection::Engine(refusal) => refusal.into(),
            Rejection::Host(body) => body.clone(),
        }
    }
}

fn unsupported(message: &'static str) -> ErrorBody<'static> {
    ErrorBody::new(415, "Unsupported Media Type", message).with_code("UNSUPPORTED_MEDIA_TYPE")
}

impl From<ErrorBody<'static>> for Rejection {
    fn from(body: ErrorBody<'static>) -> Self {
        Rejection::Host(body)
    }
}

impl From<Violations> for Rejection {
    fn from(violations: Violations) -> Self {
        Refusal::from(violations).into()
    }
}

impl From<StoreError> for Rejection {
    fn from(fault: StoreError) -> Self {
        Refusal::from(fault).into()
    }
}

impl From<StoreErrorKind> for Rejection {
    fn from(kind: StoreErrorKind) -> Self {
        StoreError::from(kind).into()
    }
}

#[cfg(test)]
mod tests;
