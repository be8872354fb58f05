//! Conversion of errors of object storage. Texts of services and libraries are not passed on, since they may
//! have names of keys and signed data.

use std::error::Error as _;

use custom_models_core::store::{StoreError, StoreErrorKind};
use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

/// Converts an error, without secrets.
pub(super) fn fault(error: &Error) -> StoreError {
    let (kind, reason) = match error {
        Error::NotFound { .. } => of_status(404),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => of_status(403),
        error if is_conflict(error) => of_status(412),
        error => of_request(error),
    };
    StoreError::new(kind, format!("object storage: {reason}"))
}

/// Returns true if a condition on an object failed.
fn is_conflict(error: &Error) -> bool {
    matches!(
        error,
        Error::Precondition { .. } | Error::AlreadyExists { .. } | Error::NotModified { .. }
    )
}

fn of_request(error: &Error) -> (StoreErrorKind, String) {
    if let Some(kind) = http_kind(error) {
        let reason = match kind {
            HttpErrorKind::Connect => "the service cannot be reached",
            HttpErrorKind::Timeout => "the service did not answer in time",
            _ => "the connection to the service broke",
        };
        return (StoreErrorKind::Unavailable, reason.to_owned());
    }
    let unmade = (StoreErrorKind::Unavailable, "the request could not be made".to_owned());
    status(error).map_or(unmade, of_status)
}

fn of_status(status: u16) -> (StoreErrorKind, String) {
    let answered = || format!("the service answered {status}");
    match status {
        404 => (StoreErrorKind::Unavailable, "the bucket or the object is not there".to_owned()),
        401 | 403 => {
            (StoreErrorKind::Unavailable, "the service refuses the credentials".to_owned())
        }
        409 | 412 => {
            (StoreErrorKind::Busy, "another process changed it at the same time".to_owned())
        }
        507 => (StoreErrorKind::Full, answered()),
        429 | 500.. => (StoreErrorKind::Unavailable, answered()),
        _ => (StoreErrorKind::Failed, answered()),
    }
}

fn http_kind(error: &Error) -> Option<HttpErrorKind> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(http) = cause.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        source = cause.source();
    }
    None
}

/// Returns the status of a response, which only the text of the error has.
fn status(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let (_, after) = text.split_once("non-2xx status code: ")?;
    after.get(..3)?.parse().ok()
}
