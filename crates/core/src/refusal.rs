use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{CreateModel, StoreError, StoreErrorKind, Violations};

/// Every way in which the engine says no, with its status and its body on the wire (section 6).
///
/// `Display` is for logs and shows more than the wire does; [`Refusal::to_json`] is what a caller
/// of the API may see.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the request violates rules of sections 1, 2 or 7.
    Invalid(Violations<'static>),
    /// 401: no valid key, where a host uses keys (AUTH-1).
    Unauthorized,
    /// 402: the organisation has as many models as its plan allows, or more (QUOTA-6).
    QuotaExceeded {
        /// How many models the organisation has.
        current_models: u64,
        /// How many its plan allows.
        plan_limit: u64,
        /// The plan's name.
        plan: Cow<'static, str>,
    },
    /// 404: the organisation has no model with this id (READ-3).
    ModelNotFound,
    /// 409: the model is being trained, and what was asked for has to wait for the end of it (EDIT-5).
    TrainingInProgress,
    /// 413: a body is longer than [`CreateModel::MAX_BODY_BYTES`]; it was not read (BODY-6).
    BodyTooLarge,
    /// 503: others kept changing the model, and the bounded retries ran out (section 6).
    Contended,
    /// 500, or 503 where trying again is right: the store failed. The cause is for the log alone.
    Store(StoreError),
}

impl Refusal {
    /// The body of a 500, whatever the cause.
    const INTERNAL: Envelope = Envelope::new(
        500,
        "Internal Server Error",
        "An unexpected error occurred. Please try again.",
        None,
    );

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.envelope().status
    }

    /// The `error_code` of the body, for programs; those that the specification gives none have none.
    pub fn error_code(&self) -> Option<&'static str> {
        self.envelope().error_code
    }

    /// The body of the answer, compact JSON to the byte of section 6.
    pub fn to_json(&self) -> String {
        if let Refusal::Invalid(violations) = self {
            return self.invalid_json(violations);
        }
        serde_json::to_string(self).unwrap_or_else(|_| {
            let Envelope { error, message, .. } = Self::INTERNAL;
            format!(r#"{{"error":"{error}","message":"{message}"}}"#)
        })
    }

    /// What serde makes of the most frequent refusal, written without its detours.
    fn invalid_json(&self, violations: &Violations<'_>) -> String {
        let Envelope { error, message, .. } = self.envelope();
        let mut body = String::with_capacity(512);
        for piece in [r#"{"error":""#, error, r#"","message":""#, message, r#"","details":"#] {
            body.push_str(piece);
        }
        violations.push_json(&mut body);
        body.push('}');
        body
    }

    /// After how many whole seconds a caller should try again, for the `Retry-After` header.
    pub fn retry_after(&self) -> Option<u64> {
        (self.status() == 503).then_some(1)
    }

    fn envelope(&self) -> Envelope {
        match self {
            Refusal::Invalid(_) => {
                Envelope::new(400, "Validation Error", "Invalid field values", None)
            }
            Refusal::Unauthorized => {
                Envelope::new(401, "Unauthorized", "Invalid or missing API key", None)
            }
            Refusal::QuotaExceeded { .. } => Envelope::new(
                402,
                "Quota Exceeded",
                "Custom model limit reached for your plan",
                Some("MODEL_LIMIT_EXCEEDED"),
            ),
            Refusal::ModelNotFound => {
                Envelope::new(404, "Not Found", "Custom model not found", Some("MODEL_NOT_FOUND"))
            }
            Refusal::TrainingInProgress => Envelope::new(
                409,
                "Conflict",
                "The model is being trained",
                Some("TRAINING_IN_PROGRESS"),
            ),
            Refusal::BodyTooLarge => Envelope::new(
                413,
                "Payload Too Large",
                "Request body cannot exceed 65536 bytes",
                Some("PAYLOAD_TOO_LARGE"),
            ),
            Refusal::Contended => Envelope::unavailable(
                "The model is being changed by others. Please try again.",
                "CONTENDED",
            ),
            Refusal::Store(fault) => match fault.kind() {
                StoreErrorKind::Busy => {
                    Envelope::unavailable("The service is busy. Please try again.", "STORE_BUSY")
                }
                StoreErrorKind::OutcomeUnknown => Envelope::unavailable(
                    "It is unknown whether the change was made. Check before you try again.",
                    "OUTCOME_UNKNOWN",
                ),
                StoreErrorKind::Closed | StoreErrorKind::Unavailable => Envelope::unavailable(
                    "The service is unavailable. Please try again.",
                    "STORE_UNAVAILABLE",
                ),
                _ => Self::INTERNAL,
            },
        }
    }
}

/// The keys that bodies have in common.
struct Envelope {
    status: u16,
    error: &'static str,
    message: &'static str,
    error_code: Option<&'static str>,
}

impl Envelope {
    const fn new(
        status: u16,
        error: &'static str,
        message: &'static str,
        error_code: Option<&'static str>,
    ) -> Self {
        Envelope { status, error, message, error_code }
    }

    const fn unavailable(message: &'static str, error_code: &'static str) -> Self {
        Envelope::new(503, "Service Unavailable", message, Some(error_code))
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
            Refusal::Unauthorized
            | Refusal::ModelNotFound
            | Refusal::TrainingInProgress
            | Refusal::BodyTooLarge
            | Refusal::Contended
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(violations) => write!(f, "invalid field values: {violations}"),
            Refusal::Unauthorized => f.write_str("invalid or missing API key"),
            Refusal::QuotaExceeded { current_models, plan_limit, plan } => write!(
                f,
                "model limit reached: {current_models} of {plan_limit} models on plan {plan:?}"
            ),
            Refusal::ModelNotFound => f.write_str("no such model"),
            Refusal::TrainingInProgress => f.write_str("the model is being trained"),
            Refusal::BodyTooLarge => {
                write!(f, "the body is longer than {} bytes", CreateModel::MAX_BODY_BYTES)
            }
            Refusal::Contended => f.write_str("the model was changed by others at every attempt"),
            Refusal::Store(fault) => fault.fmt(f),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Refusal::Invalid(violations) => Some(violations),
            Refusal::Store(fault) => fault.source(),
            _ => None,
        }
    }
}

impl From<Violations<'_>> for Refusal {
    fn from(violations: Violations<'_>) -> Self {
        Refusal::Invalid(violations.into_owned())
    }
}

impl From<StoreError> for Refusal {
    fn from(fault: StoreError) -> Self {
        Refusal::Store(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_6_the_refusal_of_a_long_body_names_the_limit() {
        let message = Refusal::BodyTooLarge.envelope().message;
        assert!(message.contains(&format!(" {} bytes", CreateModel::MAX_BODY_BYTES)), "{message}");
        assert_eq!(Refusal::BodyTooLarge.status(), 413);
    }

    #[test]
    fn both_renderings_are_the_same_whatever_was_sent() {
        for sent in
            ["", "xx", "\"", "\\", "\\u{7}", "a\"b\\c", "\u{7}\n\0", "\u{202E}", "é語😀", "</x>"]
        {
            let long = sent.repeat(50);
            for sent in [sent, &long] {
                let request = CreateModel::builder().language(sent).base_model(sent).build();
                let refusal = Refusal::from(request.unwrap_err());
                assert_eq!(refusal.to_json(), serde_json::to_string(&refusal).unwrap());
            }
        }
    }
}
