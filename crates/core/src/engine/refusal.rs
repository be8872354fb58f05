use std::borrow::Cow;

use crate::model::{DataFile, EditRefusal};
use crate::request::{CreateModel, Violations};
use crate::store::{Outcome, StoreError, StoreErrorKind};
use crate::wire::ErrorBody;

/// A refusal by the engine.
///
/// `Display` is for logs and shows more than the API does. A caller of the API may see only the [`ErrorBody`]
/// of a refusal (WIRE). Two errors of a store are equal if their kinds are, whatever their causes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the request violates rules of its body, its fields or its parameters (WIRE-400).
    #[error("invalid field values: {0}")]
    Invalid(#[source] Violations),
    /// 402: the number of models has reached the limit of the plan (QUOTA-6).
    #[error("model limit reached: {current_models} of {plan_limit} models on plan {plan:?}")]
    QuotaExceeded {
        /// The number of models of the organisation.
        current_models: u64,
        /// The number of models that the plan allows.
        plan_limit: u64,
        /// The plan's name.
        plan: Cow<'static, str>,
    },
    /// 404: the organisation has no model with this id (READ-3).
    #[error("no such model")]
    ModelNotFound,
    /// 404: the model has no data pair with this id (DATA-6).
    #[error("no such pair of data")]
    DataNotFound,
    /// 409: a training runs, and the request has to wait for its end (EDIT-5).
    #[error("the model is being trained")]
    TrainingInProgress,
    /// 409: training cannot start in the state of the model (TRAIN-2).
    #[error("the model cannot be trained: {missing_seconds} s of audio are missing")]
    ModelNotReady {
        /// The seconds of training audio that are missing.
        missing_seconds: u64,
    },
    /// 409: no training runs that could be cancelled (TRAIN-6).
    #[error("no training runs")]
    TrainingNotRunning,
    /// 409: the last training of the model did not succeed (READ-5).
    #[error("the model is not trained")]
    ModelNotTrained,
    /// 409: the worker does not hold the lease of the training, or not any more: it expired, or the training
    /// was cancelled or has ended (TRAIN-4).
    #[error("the training is another's, or over")]
    LeaseLost,
    /// 410: some events after the position are deleted already (LOG-1).
    #[error("events before {first_position} are forgotten")]
    EventsExpired {
        /// The position of the first event that is still stored.
        first_position: u64,
    },
    /// 412: the revision of the model is not an expected one (EDIT-4).
    #[error("the model is at another revision")]
    PreconditionFailed,
    /// 413: the body exceeds [`CreateModel::MAX_BODY_BYTES`]; it was not read (BODY-6).
    #[error("the body is longer than {} bytes", CreateModel::MAX_BODY_BYTES)]
    BodyTooLarge,
    /// 413: a file exceeds [`DataFile::MAX_BYTES`]; no part of it is stored (DATA-3).
    ///
    /// [`DataFile::MAX_BYTES`]: crate::model::DataFile::MAX_BYTES
    #[error("a file is longer than {} bytes", DataFile::MAX_BYTES)]
    FileTooLarge,
    /// 422: another request was sent under the same idempotency key (IDEM-1).
    #[error("the key is another request's")]
    IdempotencyKeyReused,
    /// 500: an unforeseen failure.
    #[error("{cause}")]
    Internal {
        /// The cause, for the log alone.
        cause: Cow<'static, str>,
    },
    /// 500, or 503 if the caller may retry: the store failed. The cause is for the log alone.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The beginning of the body of [`Refusal::Invalid`], up to its details.
const INVALID: &str = r#"{"error":"Validation Error","message":"Invalid field values","details":"#;

impl Refusal {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        ErrorBody::from(self).status
    }

    /// Returns the `error_code` of the body, for programs; `None` if the specification gives none.
    pub fn error_code(&self) -> Option<&'static str> {
        ErrorBody::from(self).error_code
    }

    /// Returns the body of the response: compact JSON, to the byte (WIRE).
    pub fn to_json(&self) -> String {
        match self {
            // The most frequent refusal, written without an `ErrorBody`.
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
            Refusal::Invalid(violations) => violations.into(),
            Refusal::QuotaExceeded { current_models, plan_limit, plan } => {
                let message = "Custom model limit reached for your plan";
                ErrorBody::new(402, "Quota Exceeded", message)
                    .with_code("MODEL_LIMIT_EXCEEDED")
                    .with_detail("current_models", *current_models)
                    .with_detail("plan_limit", *plan_limit)
                    .with_detail("plan", &**plan)
            }
            Refusal::ModelNotFound => not_found("Custom model not found", "MODEL_NOT_FOUND"),
            Refusal::DataNotFound => not_found("Training data not found", "DATA_NOT_FOUND"),
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
            Refusal::IdempotencyKeyReused => {
                let message = "Another request was sent under this idempotency key";
                ErrorBody::new(422, "Unprocessable Content", message)
                    .with_code("IDEMPOTENCY_KEY_REUSED")
            }
            Refusal::Internal { .. } => ErrorBody::internal(),
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

impl From<Violations> for Refusal {
    fn from(violations: Violations) -> Self {
        Refusal::Invalid(violations)
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

/// Returns the refusal for an outcome that breaks the contract of the store: an error, never a panic.
pub(crate) fn unexpected(outcome: &Outcome) -> Refusal {
    StoreError::unexpected(outcome).into()
}

#[cfg(test)]
mod tests;
