//! The failure of a command.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::tenant::UnknownPlan;
use custom_models_core::{Refusal, Violations};

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The rules refuse the request; the body that the API has for that.
    Refused(String),
    /// Parts of the input were refused, and reported; the result for the rest.
    Partial(String),
    /// The arguments are wrong; the reason.
    WrongUsage(String),
    /// The store failed.
    Store(StoreError),
    /// A file other than the store failed: a copy of the store, or training data.
    File(PathBuf, StoreError),
    /// The service failed, or cannot be reached.
    #[cfg(feature = "client")]
    Service(Box<dyn Error + Send + Sync>),
    /// The output of the command could not be written to this file, or to standard output.
    NotWritten(Option<PathBuf>, io::Error),
}

impl Failure {
    /// Makes a refusal in the form of the API.
    pub(crate) fn refused(error: &str, message: &str, error_code: &str) -> Self {
        Failure::Refused(format!(
            r#"{{"error":"{error}","message":"{message}","error_code":"{error_code}"}}"#
        ))
    }
}

/// A fault of the store keeps its cause, which the body of the API hides: the person at the terminal can act on
/// it.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Store(fault) => Failure::Store(fault),
            // The body of the API hides this cause too.
            Refusal::Internal { cause } => Failure::WrongUsage(cause.into_owned()),
            refusal => Failure::Refused(refusal.to_json()),
        }
    }
}

impl From<Violations> for Failure {
    fn from(violations: Violations) -> Self {
        Refusal::from(violations).into()
    }
}

impl From<StoreError> for Failure {
    fn from(fault: StoreError) -> Self {
        Failure::Store(fault)
    }
}

/// An unknown plan counts as wrong usage: the person at the terminal can correct the settings.
impl From<UnknownPlan> for Failure {
    fn from(unknown: UnknownPlan) -> Self {
        Failure::WrongUsage(unknown.to_string())
    }
}

/// Serialisation never fails in practice: everything that a store holds has a JSON form.
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Store(StoreError::new(StoreErrorKind::Damaged, error))
    }
}

/// An error and its causes, from the outside in.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}
