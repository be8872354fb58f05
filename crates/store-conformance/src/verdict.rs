use std::error::Error;
use std::fmt;
use std::panic::Location;

use custom_models_core::Refusal;
use custom_models_core::store::StoreError;

use crate::{Ability, BoxError};

/// The verdict on one case.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The store does what the case tests.
    Passed,
    /// The case needs an ability that the builder lacks, and declares to lack. Not a pass.
    Untested(Ability),
    /// The store breaks its contract, or could not be set up.
    Failed(Failure),
}

/// The reason why a case failed, and its location in the suite.
#[derive(Clone)]
pub struct Failure {
    message: String,
    place: &'static Location<'static>,
}

impl Failure {
    #[track_caller]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), place: Location::caller() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.message, self.place)
    }
}

/// Formats like `Display`, because a test that returns an error shows its `Debug` form.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {}

/// The result of a step of a case.
pub(crate) type Checked<T = ()> = Result<T, Stop>;

/// The reason why a case ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(Failure),
    Untested(Ability),
}

impl Stop {
    #[track_caller]
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Stop::Failed(Failure::new(message))
    }
}

impl From<Stop> for Failure {
    #[track_caller]
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure) => failure,
            Stop::Untested(ability) => Failure::new(ability.to_string()),
        }
    }
}

impl From<BoxError> for Stop {
    #[track_caller]
    fn from(error: BoxError) -> Self {
        match error.downcast_ref() {
            Some(ability) => Stop::Untested(*ability),
            None => Stop::failed(with_causes(&*error)),
        }
    }
}

impl From<StoreError> for Stop {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        Stop::failed(with_causes(&error))
    }
}

impl From<Refusal> for Stop {
    #[track_caller]
    fn from(refusal: Refusal) -> Self {
        Stop::failed(with_causes(&refusal))
    }
}

pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Ends a case unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::verdict::Stop::failed(format!($($message)+)));
        }
    };
}

/// Ends a case unless two values are equal.
macro_rules! ensure_eq {
    ($found:expr, $right:expr, $($message:tt)+) => {
        match (&$found, &$right) {
            (found, right) => {
                $crate::verdict::ensure!(
                    found == right,
                    "{}: found {found:?}, expected {right:?}",
                    format_args!($($message)+)
                );
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};
