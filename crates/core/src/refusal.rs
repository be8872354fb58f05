use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;

use crate::envelope::Envelope;
use crate::{CreateModel, DataFile, EditRefusal, Scope, Standing, StoreError, Violations};

/// Every way in which the engine says no, with its status and its body on the wire (section 6).
///
/// `Display` is for logs and shows more than the wire does; [`Refusal::to_json`] is what a caller
/// of the API may see.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the request violates rules of sections 1, 2 or 7.
    Invalid(Violations<'static>),
    /// 400: a request in HTTP/1.1 has no `Host`, or any request has two or one that names no host.
    InvalidHost,
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
    /// 403: a valid key lacks the scope that the operation needs (AUTH-2).
    InsufficientScope {
        /// The scope that is needed.
        required: Scope,
    },
    /// 404: a host has nothing at this path.
    RouteNotFound,
    /// 404: the organisation has no model with this id (READ-3).
    ModelNotFound,
    /// 404: the model has no pair of data with this number (DATA-6).
    DataNotFound,
    /// 405: a host has something at this path, but not for this method. The answer also says, in
    /// `Allow`, for which.
    MethodNotAllowed,
    /// 408: a request did not arrive in time.
    RequestTimeout,
    /// 409: the model is being trained, and what was asked for has to wait for the end of it (EDIT-5).
    TrainingInProgress,
    /// 409: training cannot start from the state that the model is in (TRAIN-2).
    ModelNotReady {
        /// How many seconds of audio are missing to train with.
        missing_seconds: u64,
    },
    /// 409: no training runs that could be called off (TRAIN-6).
    TrainingNotRunning,
    /// 409: the last training of the model did not end well (READ-5).
    ModelNotTrained,
    /// 409: the training is not the worker's, or not any more: its lease has run out, or the training
    /// was called off or is over (TRAIN-4).
    LeaseLost,
    /// 410: events behind the position are forgotten already (LOG-1).
    EventsExpired {
        /// The position of the first event that is still kept.
        first_position: u64,
    },
    /// 412: the model is at another revision than the caller expects (EDIT-4).
    PreconditionFailed,
    /// 413: a body is longer than [`CreateModel::MAX_BODY_BYTES`]; it was not read (BODY-6).
    BodyTooLarge,
    /// 413: a file is longer than [`DataFile::MAX_BYTES`]; nothing of it is kept (DATA-3).
    ///
    /// [`DataFile::MAX_BYTES`]: crate::DataFile::MAX_BYTES
    FileTooLarge,
    /// 415: a body is not said to be JSON.
    UnsupportedMediaType,
    /// 415: a body is not said to be of parts, as an upload is (DATA-1).
    NotMultipart,
    /// 415: a body is said to be encoded, compressed for example.
    UnsupportedContentEncoding,
    /// 422: another request was sent under the same idempotency key (IDEM-1).
    IdempotencyKeyReused,
    /// 429: as many requests of the key as may be at a time are at work (RATE-2).
    TooManyAtOnce {
        /// How many may be.
        at_once: NonZeroU32,
        /// How the key stands in its window, if there is one.
        standing: Option<Standing>,
    },
    /// 429: the window of the key is full (RATE-1).
    RateLimited {
        /// How the key stands.
        standing: Standing,
        /// After how many whole seconds a request is admitted if nothing else is sent (RATE-5).
        retry_after: u64,
    },
    /// 500: something that nobody foresaw, or that a host has set up wrongly.
    Internal {
        /// For the log alone.
        cause: Cow<'static, str>,
    },
    /// 501: a body is sent in a transfer coding other than `chunked` alone.
    UnsupportedTransferEncoding,
    /// 503: all organisations together have taken the places that there are for such requests.
    AtCapacity,
    /// 503: the organisation has taken its share of the places for such requests (PLACE-4).
    ShareExceeded {
        /// The number of places that it may take.
        places: usize,
    },
    /// 500, or 503 where trying again is right: the store failed. The cause is for the log alone.
    Store(StoreError),
}

impl Refusal {
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
            let Envelope { error, message, .. } = Envelope::INTERNAL;
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
        match self {
            Refusal::TooManyAtOnce { .. } => Some(1),
            Refusal::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => (self.status() == 503).then_some(1),
        }
    }

    /// How the key stands in its window, for the `X-RateLimit-` headers; only the refusals of limits
    /// know it (RATE-5).
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Refusal::TooManyAtOnce { standing, .. } => *standing,
            Refusal::RateLimited { standing, .. } => Some(*standing),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Invalid(violations) => write!(f, "invalid field values: {violations}"),
            Refusal::InvalidHost => f.write_str("not one Host that names a host"),
            Refusal::Unauthorized => f.write_str("invalid or missing API key"),
            Refusal::QuotaExceeded { current_models, plan_limit, plan } => write!(
                f,
                "model limit reached: {current_models} of {plan_limit} models on plan {plan:?}"
            ),
            Refusal::InsufficientScope { required } => {
                write!(f, "the key lacks the scope {required}")
            }
            Refusal::RouteNotFound => f.write_str("nothing at this path"),
            Refusal::ModelNotFound => f.write_str("no such model"),
            Refusal::MethodNotAllowed => f.write_str("not with this method"),
            Refusal::RequestTimeout => f.write_str("the request did not arrive in time"),
            Refusal::TrainingInProgress => f.write_str("the model is being trained"),
            Refusal::DataNotFound => f.write_str("no such pair of data"),
            Refusal::ModelNotReady { missing_seconds } => {
                write!(f, "the model cannot be trained: {missing_seconds} s of audio are missing")
            }
            Refusal::TrainingNotRunning => f.write_str("no training runs"),
            Refusal::ModelNotTrained => f.write_str("the model is not trained"),
            Refusal::LeaseLost => f.write_str("the training is another's, or over"),
            Refusal::EventsExpired { first_position } => {
                write!(f, "events before {first_position} are forgotten")
            }
            Refusal::PreconditionFailed => f.write_str("the model is at another revision"),
            Refusal::IdempotencyKeyReused => f.write_str("the key is another request's"),
            Refusal::BodyTooLarge => {
                write!(f, "the body is longer than {} bytes", CreateModel::MAX_BODY_BYTES)
            }
            Refusal::FileTooLarge => {
                write!(f, "a file is longer than {} bytes", DataFile::MAX_BYTES)
            }
            Refusal::UnsupportedMediaType => f.write_str("the body is not said to be JSON"),
            Refusal::NotMultipart => f.write_str("the body is not said to be of parts"),
            Refusal::UnsupportedContentEncoding => f.write_str("the body is said to be encoded"),
            Refusal::UnsupportedTransferEncoding => {
                f.write_str("the body is in a transfer coding other than chunked")
            }
            Refusal::AtCapacity => f.write_str("all places for such requests are taken"),
            Refusal::ShareExceeded { places } => {
                write!(f, "the organisation has taken its share of {places} places")
            }
            Refusal::TooManyAtOnce { at_once, .. } => {
                write!(f, "{at_once} requests of the key are at work already")
            }
            Refusal::RateLimited { standing, retry_after } => write!(
                f,
                "{} requests were admitted already; retry after {retry_after} s",
                standing.limit
            ),
            Refusal::Internal { cause } => f.write_str(cause),
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
    fn data_3_the_refusal_of_a_large_file_names_the_limit() {
        let message = Refusal::FileTooLarge.envelope().message;
        assert!(message.ends_with(&format!(" {} bytes", DataFile::MAX_BYTES)), "{message}");
        assert_eq!(Refusal::FileTooLarge.status(), 413);
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
