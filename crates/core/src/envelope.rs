//! What stands in the body of each refusal (section 6).

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Refusal, StoreErrorKind};

/// The keys that bodies have in common.
pub(crate) struct Envelope {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) message: &'static str,
    pub(crate) error_code: Option<&'static str>,
}

impl Envelope {
    /// The body of a 500, whatever the cause.
    pub(crate) const INTERNAL: Envelope = Envelope::new(
        500,
        "Internal Server Error",
        "An unexpected error occurred. Please try again.",
        None,
    );

    pub(crate) const fn new(
        status: u16,
        error: &'static str,
        message: &'static str,
        error_code: Option<&'static str>,
    ) -> Self {
        Envelope { status, error, message, error_code }
    }

    const fn conflict(message: &'static str, error_code: &'static str) -> Self {
        Envelope::new(409, "Conflict", message, Some(error_code))
    }

    const fn unavailable(message: &'static str, error_code: &'static str) -> Self {
        Envelope::new(503, "Service Unavailable", message, Some(error_code))
    }
}

impl Refusal {
    pub(crate) fn envelope(&self) -> Envelope {
        match self {
            Refusal::Invalid(_) => {
                Envelope::new(400, "Validation Error", "Invalid field values", None)
            }
            Refusal::InvalidHost => Envelope::new(
                400,
                "Bad Request",
                "The request must have exactly one valid Host header",
                Some("INVALID_HOST"),
            ),
            Refusal::Unauthorized => {
                Envelope::new(401, "Unauthorized", "Invalid or missing API key", None)
            }
            Refusal::QuotaExceeded { .. } => Envelope::new(
                402,
                "Quota Exceeded",
                "Custom model limit reached for your plan",
                Some("MODEL_LIMIT_EXCEEDED"),
            ),
            Refusal::InsufficientScope { .. } => Envelope::new(
                403,
                "Forbidden",
                "The API key lacks the scope that this operation needs",
                Some("INSUFFICIENT_SCOPE"),
            ),
            Refusal::RouteNotFound => Envelope::new(
                404,
                "Not Found",
                "There is nothing at this path",
                Some("ROUTE_NOT_FOUND"),
            ),
            Refusal::ModelNotFound => {
                Envelope::new(404, "Not Found", "Custom model not found", Some("MODEL_NOT_FOUND"))
            }
            Refusal::MethodNotAllowed => Envelope::new(
                405,
                "Method Not Allowed",
                "This path does not take this method",
                Some("METHOD_NOT_ALLOWED"),
            ),
            Refusal::RequestTimeout => Envelope::new(
                408,
                "Request Timeout",
                "The request did not arrive in time",
                Some("REQUEST_TIMEOUT"),
            ),
            Refusal::TrainingInProgress => {
                Envelope::conflict("The model is being trained", "TRAINING_IN_PROGRESS")
            }
            Refusal::DataNotFound => {
                Envelope::new(404, "Not Found", "Training data not found", Some("DATA_NOT_FOUND"))
            }
            Refusal::ModelNotReady { .. } => {
                Envelope::conflict("The model is not ready to be trained", "MODEL_NOT_READY")
            }
            Refusal::TrainingNotRunning => {
                Envelope::conflict("The model is not being trained", "TRAINING_NOT_RUNNING")
            }
            Refusal::ModelNotTrained => {
                Envelope::conflict("The model is not trained", "MODEL_NOT_TRAINED")
            }
            Refusal::LeaseLost => {
                Envelope::conflict("The training is held by another lease, or over", "LEASE_LOST")
            }
            Refusal::EventsExpired { .. } => Envelope::new(
                410,
                "Gone",
                "Events behind this position are not kept any more",
                Some("EVENTS_EXPIRED"),
            ),
            Refusal::PreconditionFailed => Envelope::new(
                412,
                "Precondition Failed",
                "The model was changed since",
                Some("PRECONDITION_FAILED"),
            ),
            Refusal::IdempotencyKeyReused => Envelope::new(
                422,
                "Unprocessable Content",
                "Another request was sent under this idempotency key",
                Some("IDEMPOTENCY_KEY_REUSED"),
            ),
            Refusal::BodyTooLarge => Envelope::new(
                413,
                "Payload Too Large",
                "Request body cannot exceed 65536 bytes",
                Some("PAYLOAD_TOO_LARGE"),
            ),
            Refusal::FileTooLarge => Envelope::new(
                413,
                "Payload Too Large",
                "A file cannot exceed 10737418240 bytes",
                Some("PAYLOAD_TOO_LARGE"),
            ),
            Refusal::UnsupportedMediaType => Envelope::new(
                415,
                "Unsupported Media Type",
                "Content-Type must be application/json",
                Some("UNSUPPORTED_MEDIA_TYPE"),
            ),
            Refusal::NotMultipart => Envelope::new(
                415,
                "Unsupported Media Type",
                "Content-Type must be multipart/form-data",
                Some("UNSUPPORTED_MEDIA_TYPE"),
            ),
            Refusal::UnsupportedContentEncoding => Envelope::new(
                415,
                "Unsupported Media Type",
                "Content-Encoding must be identity",
                Some("UNSUPPORTED_MEDIA_TYPE"),
            ),
            Refusal::UnsupportedTransferEncoding => Envelope::new(
                501,
                "Not Implemented",
                "Transfer-Encoding must be chunked",
                Some("UNSUPPORTED_TRANSFER_ENCODING"),
            ),
            Refusal::TooManyAtOnce { .. } => Envelope::new(
                429,
                "Too Many Requests",
                "Too many requests at a time",
                Some("CONCURRENCY_LIMIT_EXCEEDED"),
            ),
            Refusal::RateLimited { .. } => Envelope::new(
                429,
                "Too Many Requests",
                "Request limit reached",
                Some("RATE_LIMIT_EXCEEDED"),
            ),
            Refusal::Internal { .. } => Envelope::INTERNAL,
            Refusal::AtCapacity => Envelope::unavailable(
                "All places for such requests are taken. Please try again.",
                "AT_CAPACITY",
            ),
            Refusal::ShareExceeded { .. } => Envelope::unavailable(
                "Your organisation has taken its share of the places for such requests. \
                Please try again.",
                "SHARE_EXCEEDED",
            ),
            Refusal::Store(fault) => match fault.kind() {
                StoreErrorKind::Busy => {
                    Envelope::unavailable("The service is busy. Please try again.", "STORE_BUSY")
                }
                StoreErrorKind::OutcomeUnknown => Envelope::unavailable(
                    "It is unknown whether the change was made. Check before you try again.",
                    "OUTCOME_UNKNOWN",
                ),
                StoreErrorKind::Closed
                | StoreErrorKind::Unavailable
                | StoreErrorKind::ForeignData => Envelope::unavailable(
                    "The service is unavailable. Please try again.",
                    "STORE_UNAVAILABLE",
                ),
                _ => Envelope::INTERNAL,
            },
        }
    }
}

/// The body of the wire: `error`, `message`, `error_code`, `details`, those that there are.
impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Envelope { error, message, error_code, .. } = self.envelope();
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("error", error)?;
        body.serialize_entry("message", message)?;
        if let Some(error_code) = error_code {
            body.serialize_entry("error_code", error_code)?;
        }
        match self {
            Refusal::Invalid(violations) => body.serialize_entry("details", violations)?,
            Refusal::QuotaExceeded { current_models, plan_limit, plan } => {
                body.serialize_entry(
                    "details",
                    &QuotaDetails {
                        current_models: *current_models,
                        plan_limit: *plan_limit,
                        plan,
                    },
                )?;
            }
            Refusal::InsufficientScope { required } => {
                body.serialize_entry(
                    "details",
                    &ScopeDetails { required_scope: required.as_str() },
                )?;
            }
            Refusal::TooManyAtOnce { at_once, .. } => {
                body.serialize_entry("details", &PlacesDetails { at_once: at_once.get() })?;
            }
            Refusal::RateLimited { standing, retry_after } => {
                let details = WindowDetails { limit: standing.limit, retry_after: *retry_after };
                body.serialize_entry("details", &details)?;
            }
            Refusal::ModelNotReady { missing_seconds } if *missing_seconds > 0 => {
                let details = ReadyDetails { missing_seconds: *missing_seconds };
                body.serialize_entry("details", &details)?;
            }
            Refusal::EventsExpired { first_position } => {
                let details = EventsDetails { first_position: *first_position };
                body.serialize_entry("details", &details)?;
            }
            Refusal::ShareExceeded { places } => {
                body.serialize_entry("details", &ShareDetails { places: *places })?;
            }
            Refusal::InvalidHost
            | Refusal::UnsupportedContentEncoding
            | Refusal::UnsupportedTransferEncoding
            | Refusal::AtCapacity
            | Refusal::Unauthorized
            | Refusal::DataNotFound
            | Refusal::ModelNotReady { .. }
            | Refusal::TrainingNotRunning
            | Refusal::ModelNotTrained
            | Refusal::LeaseLost
            | Refusal::PreconditionFailed
            | Refusal::IdempotencyKeyReused
            | Refusal::RouteNotFound
            | Refusal::ModelNotFound
            | Refusal::MethodNotAllowed
            | Refusal::RequestTimeout
            | Refusal::TrainingInProgress
            | Refusal::BodyTooLarge
            | Refusal::FileTooLarge
            | Refusal::NotMultipart
            | Refusal::UnsupportedMediaType
            | Refusal::Internal { .. }
            | Refusal::Store(_) => {}
        }
        body.end()
    }
}

#[derive(serde::Serialize)]
struct QuotaDetails<'a> {
    current_models: u64,
    plan_limit: u64,
    plan: &'a str,
}

#[derive(serde::Serialize)]
struct ScopeDetails {
    required_scope: &'static str,
}

#[derive(serde::Serialize)]
struct PlacesDetails {
    at_once: u32,
}

#[derive(serde::Serialize)]
struct WindowDetails {
    limit: u32,
    retry_after: u64,
}

#[derive(serde::Serialize)]
struct ReadyDetails {
    missing_seconds: u64,
}

#[derive(serde::Serialize)]
struct ShareDetails {
    places: usize,
}

#[derive(serde::Serialize)]
struct EventsDetails {
    first_position: u64,
}
