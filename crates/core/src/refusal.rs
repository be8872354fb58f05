use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::wire::ErrorBody;
use crate::{
    CreateModel, DataFile, EditRefusal, Scope, Standing, StoreError, StoreErrorKind, Violations,
};

/// Every way in which the engine says no.
///
/// `Display` is for logs and shows more than the wire does. What a caller of the API may see is the
/// [`ErrorBody`] that a refusal turns into (section 6).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the request violates rules of sections 1, 2 or 7.
    #[error("invalid field values: {0}")]
    Invalid(#[source] Violations<'static>),
    /// 400: a request in HTTP/1.1 has no `Host`, or any request has two or one that names no host.
    #[error("not one Host that names a host")]
    InvalidHost,
    /// 401: no valid key, where a host uses keys (AUTH-1).
    #[error("invalid or missing API key")]
    Unauthorized,
    /// 402: the organisation has as many models as its plan allows, or more (QUOTA-6).
    #[error("model limit reached: {current_models} of {plan_limit} models on plan {plan:?}")]
    QuotaExceeded {
        /// How many models the organisation has.
        current_models: u64,
        /// How many its plan allows.
        plan_limit: u64,
        /// The plan's name.
        plan: Cow<'static, str>,
    },
    /// 403: a valid key lacks the scope that the operation needs (AUTH-2).
    #[error("the key lacks the scope {required}")]
    InsufficientScope {
        /// The scope that is needed.
        required: Scope,
    },
    /// 404: a host has nothing at this path.
    #[error("nothing at this path")]
    RouteNotFound,
    /// 404: the organisation has no model with this id (READ-3).
    #[error("no such model")]
    ModelNotFound,
    /// 404: the model has no pair of data with this number (DATA-6).
    #[error("no such pair of data")]
    DataNotFound,
    /// 405: a host has something at this path, but not for this method. The answer also says, in
    /// `Allow`, for which.
    #[error("not with this method")]
    MethodNotAllowed,
    /// 408: a request did not arrive in time.
    #[error("the request did not arrive in time")]
    RequestTimeout,
    /// 409: the model is being trained, and what was asked for has to wait for the end of it (EDIT-5).
    #[error("the model is being trained")]
    TrainingInProgress,
    /// 409: training cannot start from the state that the model is in (TRAIN-2).
    #[error("the model cannot be trained: {missing_seconds} s of audio are missing")]
    ModelNotReady {
        /// How many seconds of audio are missing to train with.
        missing_seconds: u64,
    },
    /// 409: no training runs that could be called off (TRAIN-6).
    #[error("no training runs")]
    TrainingNotRunning,
    /// 409: the last training of the model did not end well (READ-5).
    #[error("the model is not trained")]
    ModelNotTrained,
    /// 409: the training is not the worker's, or not any more: its lease has run out, or the training
    /// was called off or is over (TRAIN-4).
    #[error("the training is another's, or over")]
    LeaseLost,
    /// 410: events behind the position are forgotten already (LOG-1).
    #[error("events before {first_position} are forgotten")]
    EventsExpired {
        /// The position of the first event that is still kept.
        first_position: u64,
    },
    /// 412: the model is at another revision than the caller expects (EDIT-4).
    #[error("the model is at another revision")]
    PreconditionFailed,
    /// 413: a body is longer than [`CreateModel::MAX_BODY_BYTES`]; it was not read (BODY-6).
    #[error("the body is longer than {} bytes", CreateModel::MAX_BODY_BYTES)]
    BodyTooLarge,
    /// 413: a file is longer than [`DataFile::MAX_BYTES`]; nothing of it is kept (DATA-3).
    ///
    /// [`DataFile::MAX_BYTES`]: crate::DataFile::MAX_BYTES
    #[error("a file is longer than {} bytes", DataFile::MAX_BYTES)]
    FileTooLarge,
    /// 415: a body is not said to be JSON.
    #[error("the body is not said to be JSON")]
    UnsupportedMediaType,
    /// 415: a body is not said to be of parts, as an upload is (DATA-1).
    #[error("the body is not said to be of parts")]
    NotMultipart,
    /// 415: a body is said to be encoded, compressed for example.
    #[error("the body is said to be encoded")]
    UnsupportedContentEncoding,
    /// 422: another request was sent under the same idempotency key (IDEM-1).
    #[error("the key is another request's")]
    IdempotencyKeyReused,
    /// 429: as many requests of the key as may be at a time are at work (RATE-2).
    #[error("{at_once} requests of the key are at work already")]
    TooManyAtOnce {
        /// How many may be.
        at_once: NonZeroU32,
        /// How the key stands in its window, if there is one.
        standing: Option<Standing>,
    },
    /// 429: the window of the key is full (RATE-1).
    #[error("{} requests were admitted already; retry after {retry_after} s", standing.limit)]
    RateLimited {
        /// How the key stands.
        standing: Standing,
        /// After how many whole seconds a request is admitted if nothing else is sent (RATE-5).
        retry_after: u64,
    },
    /// 500: something that nobody foresaw, or that a host has set up wrongly.
    #[error("{cause}")]
    Internal {
        /// For the log alone.
        cause: Cow<'static, str>,
    },
    /// 501: a body is sent in a transfer coding other than `chunked` alone.
    #[error("the body is in a transfer coding other than chunked")]
    UnsupportedTransferEncoding,
    /// 503: all organisations together have taken the places that there are for such requests.
    #[error("all places for such requests are taken")]
    AtCapacity,
    /// 503: the organisation has taken its share of the places for such requests (PLACE-4).
    #[error("the organisation has taken its share of {places} places")]
    ShareExceeded {
        /// The number of places that it may take.
        places: usize,
    },
    /// 500, or 503 where trying again is right: the store failed. The cause is for the log alone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The body of [`Refusal::Invalid`] up to its details.
const INVALID: &str = r#"{"error":"Validation Error","message":"Invalid field values","details":"#;

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        ErrorBody::from(self).status
    }

    /// The `error_code` of the body, for programs; those that the specification gives none have none.
    pub fn error_code(&self) -> Option<&'static str> {
        ErrorBody::from(self).error_code
    }

    /// The body of the answer, compact JSON to the byte of section 6.
    pub fn to_json(&self) -> String {
        match self {
            // The most frequent refusal, without a detour.
            Refusal::Invalid(violations) => {
                let mut body = String::with_capacity(512);
                body.push_str(INVALID);
                violations.push_json(&mut body);
                body.push('}');
                body
            }
            refusal => ErrorBody::from(refusal).to_json(),
        }
    }
}

impl<'a> From<&'a Refusal> for ErrorBody<'a> {
    fn from(refusal: &'a Refusal) -> Self {
        match refusal {
            Refusal::Invalid(violations) => {
                ErrorBody::new(400, "Validation Error", "Invalid field values")
                    .with_fields(violations)
            }
            Refusal::InvalidHost => {
                let message = "The request must have exactly one valid Host header";
                ErrorBody::new(400, "Bad Request", message).with_code("INVALID_HOST")
            }
            Refusal::Unauthorized => {
                ErrorBody::new(401, "Unauthorized", "Invalid or missing API key")
                    .with_header("WWW-Authenticate", "Bearer")
            }
            Refusal::QuotaExceeded { current_models, plan_limit, plan } => {
                let message = "Custom model limit reached for your plan";
                ErrorBody::new(402, "Quota Exceeded", message)
                    .with_code("MODEL_LIMIT_EXCEEDED")
                    .with_detail("current_models", *current_models)
                    .with_detail("plan_limit", *plan_limit)
                    .with_detail("plan", &**plan)
            }
            Refusal::InsufficientScope { required } => {
                let message = "The API key lacks the scope that this operation needs";
                ErrorBody::new(403, "Forbidden", message)
                    .with_code("INSUFFICIENT_SCOPE")
                    .with_detail("required_scope", required.as_str())
            }
            Refusal::RouteNotFound => not_found("There is nothing at this path", "ROUTE_NOT_FOUND"),
            Refusal::ModelNotFound => not_found("Custom model not found", "MODEL_NOT_FOUND"),
            Refusal::DataNotFound => not_found("Training data not found", "DATA_NOT_FOUND"),
            Refusal::MethodNotAllowed => {
                let message = "This path does not take this method";
                ErrorBody::new(405, "Method Not Allowed", message).with_code("METHOD_NOT_ALLOWED")
            }
            Refusal::RequestTimeout => {
                let message = "The request did not arrive in time";
                ErrorBody::new(408, "Request Timeout", message).with_code("REQUEST_TIMEOUT")
            }
            Refusal::TrainingInProgress => {
                conflict("The model is being trained", "TRAINING_IN_PROGRESS")
            }
            Refusal::ModelNotReady { missing_seconds } => {
                let body = conflict("The model is not ready to be trained", "MODEL_NOT_READY");
                match missing_seconds {
                    0 => body,
                    missing => body.with_detail("missing_seconds", *missing),
                }
            }
            Refusal::TrainingNotRunning => {
                conflict("The model is not being trained", "TRAINING_NOT_RUNNING")
            }
            Refusal::ModelNotTrained => conflict("The model is not trained", "MODEL_NOT_TRAINED"),
            Refusal::LeaseLost => {
                conflict("The training is held by another lease, or over", "LEASE_LOST")
            }
            Refusal::EventsExpired { first_position } => {
                let message = "Events behind this position are not kept any more";
                ErrorBody::new(410, "Gone", message)
                    .with_code("EVENTS_EXPIRED")
                    .with_detail("first_position", *first_position)
            }
            Refusal::PreconditionFailed => {
                ErrorBody::new(412, "Precondition Failed", "The model was changed since")
                    .with_code("PRECONDITION_FAILED")
            }
            Refusal::BodyTooLarge => too_large("Request body cannot exceed 65536 bytes"),
            Refusal::FileTooLarge => too_large("A file cannot exceed 10737418240 bytes"),
            Refusal::UnsupportedMediaType => unsupported("Content-Type must be application/json"),
            Refusal::NotMultipart => unsupported("Content-Type must be multipart/form-data"),
            Refusal::UnsupportedContentEncoding => unsupported("Content-Encoding must be identity")
                .with_header("Accept-Encoding", "identity"),
            Refusal::IdempotencyKeyReused => {
                let message = "Another request was sent under this idempotency key";
                ErrorBody::new(422, "Unprocessable Content", message)
                    .with_code("IDEMPOTENCY_KEY_REUSED")
            }
            Refusal::TooManyAtOnce { at_once, standing } => {
                let body = ErrorBody::new(429, "Too Many Requests", "Too many requests at a time")
                    .with_code("CONCURRENCY_LIMIT_EXCEEDED")
                    .with_detail("at_once", at_once.get())
                    .with_retry_after(1);
                standing.iter().fold(body, with_standing)
            }
            Refusal::RateLimited { standing, retry_after } => {
                let body = ErrorBody::new(429, "Too Many Requests", "Request limit reached")
                    .with_code("RATE_LIMIT_EXCEEDED")
                    .with_detail("limit", standing.limit)
                    .with_detail("retry_after", *retry_after)
                    .with_retry_after(*retry_after);
                with_standing(body, standing)
            }
            Refusal::Internal { .. } => ErrorBody::internal(),
            Refusal::UnsupportedTransferEncoding => {
                ErrorBody::new(501, "Not Implemented", "Transfer-Encoding must be chunked")
                    .with_code("UNSUPPORTED_TRANSFER_ENCODING")
            }
            Refusal::AtCapacity => ErrorBody::unavailable(
                "All places for such requests are taken. Please try again.",
                "AT_CAPACITY",
            ),
            Refusal::ShareExceeded { places } => ErrorBody::unavailable(
                "Your organisation has taken its share of the places for such requests. \
                Please try again.",
                "SHARE_EXCEEDED",
            )
            .with_detail("places", *places),
            Refusal::Store(fault) => fault.into(),
        }
    }
}

fn not_found(message: &'static str, error_code: &'static str) -> ErrorBody<'static> {
    ErrorBody::new(404, "Not Found", message).with_code(error_code)
}

fn conflict(message: &'static str, error_code: &'static str) -> ErrorBody<'static> {
    ErrorBody::new(409, "Conflict", message).with_code(error_code)
}

fn too_large(message: &'static str) -> ErrorBody<'static> {
    ErrorBody::new(413, "Payload Too Large", message).with_code("PAYLOAD_TOO_LARGE")
}

fn unsupported(message: &'static str) -> ErrorBody<'static> {
    ErrorBody::new(415, "Unsupported Media Type", message).with_code("UNSUPPORTED_MEDIA_TYPE")
}

fn with_standing<'a>(body: ErrorBody<'a>, standing: &Standing) -> ErrorBody<'a> {
    standing.headers().into_iter().fold(body, |body, (name, value)| body.with_header(name, value))
}

impl From<&StoreError> for ErrorBody<'_> {
    fn from(fault: &StoreError) -> Self {
        match fault.kind() {
            StoreErrorKind::Busy => {
                ErrorBody::unavailable("The service is busy. Please try again.", "STORE_BUSY")
            }
            StoreErrorKind::OutcomeUnknown => ErrorBody::unavailable(
                "It is unknown whether the change was made. Check before you try again.",
                "OUTCOME_UNKNOWN",
            ),
            StoreErrorKind::Closed | StoreErrorKind::Unavailable | StoreErrorKind::ForeignData => {
                ErrorBody::unavailable(
                    "The service is unavailable. Please try again.",
                    "STORE_UNAVAILABLE",
                )
            }
            _ => ErrorBody::internal(),
        }
    }
}

impl From<Violations<'_>> for Refusal {
    fn from(violations: Violations<'_>) -> Self {
        Refusal::Invalid(violations.into_owned())
    }
}

impl From<EditRefusal> for Refusal {
    fn from(refusal: EditRefusal) -> Self {
        match refusal {
            EditRefusal::TrainingInProgress => Refusal::TrainingInProgress,
            EditRefusal::ModelNotReady { missing_seconds } => {
                Refusal::ModelNotReady { missing_seconds }
            }
            EditRefusal::TrainingNotRunning => Refusal::TrainingNotRunning,
            EditRefusal::LeaseLost => Refusal::LeaseLost,
            EditRefusal::DataNotFound => Refusal::DataNotFound,
            EditRefusal::PreconditionFailed => Refusal::PreconditionFailed,
            EditRefusal::DataUncountable => Refusal::Internal { cause: refusal.to_string().into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_6_the_refusal_of_a_long_body_names_the_limit() {
        let message = ErrorBody::from(&Refusal::BodyTooLarge).message;
        assert!(message.contains(&format!(" {} bytes", CreateModel::MAX_BODY_BYTES)), "{message}");
        assert_eq!(Refusal::BodyTooLarge.status(), 413);
    }

    #[test]
    fn data_3_the_refusal_of_a_large_file_names_the_limit() {
        let message = ErrorBody::from(&Refusal::FileTooLarge).message;
        assert!(message.ends_with(&format!(" {} bytes", DataFile::MAX_BYTES)), "{message}");
        assert_eq!(Refusal::FileTooLarge.status(), 413);
    }

    #[test]
    fn every_rendering_is_the_same_whatever_was_sent() {
        for sent in
            ["", "xx", "\"", "\\", "\\u{7}", "a\"b\\c", "\u{7}\n\0", "\u{202E}", "é語😀", "</x>"]
        {
            let long = sent.repeat(50);
            for sent in [sent, &long] {
                let request = CreateModel::builder().language(sent).base_model(sent).build();
                let refusal = Refusal::from(request.unwrap_err());
                let error = ErrorBody::from(&refusal);
                assert_eq!(refusal.to_json(), error.to_json());
                assert_eq!(error.to_json(), serde_json::to_string(&error).unwrap());
            }
        }
    }
}
