//! The requests of workers. An invalid one yields all its violations at once (TRAIN-3).

use std::borrow::Cow;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::field::{Field, MetricFault, Violation, ViolationKind, is_blank};
use crate::model::{
    Fence, Figure, LeaseTime, MetricName, Progress, TooManyMetrics, TrainingMetrics,
};
use crate::request::json::{members, text};
use crate::request::parameters::{NamedValues, named};
use crate::request::raw::BodyFault;
use crate::request::violations::Violations;

/// A valid request to claim a waiting training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClaimTraining {
    /// The length of the lease without a heartbeat.
    #[serde(rename = "lease_seconds", default)]
    pub time: LeaseTime,
}

/// A valid heartbeat of a worker, with its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Heartbeat {
    /// The fence of the worker's claim.
    pub fence: Fence,
    /// The progress of the training.
    #[serde(rename = "training_progress")]
    pub progress: Progress,
    /// The length of the lease from now on without a heartbeat.
    #[serde(rename = "lease_seconds", default)]
    pub time: LeaseTime,
}

/// A worker's valid report that a training succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingSucceeded {
    /// The fence of the worker's claim.
    pub fence: Fence,
    /// The metrics of the model.
    #[serde(rename = "training_metrics")]
    pub metrics: TrainingMetrics,
}

/// A worker's valid report that a training failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingFailed {
    /// The fence of the worker's claim.
    pub fence: Fence,
    /// The reason for the failure.
    #[serde(deserialize_with = "reason")]
    pub error: String,
}

impl ClaimTraining {
    /// Parses a request body: `lease_seconds`, one minute by default.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        let mut given = NamedValues::of_body(body, &[Field::LeaseSeconds])?;
        let time = given.lease_time();
        given.finish(time.map(|time| ClaimTraining { time }))
    }
}

impl Heartbeat {
    /// Parses a request body: `fence`, `training_progress`, and `lease_seconds`, one minute by default.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        let fields = [Field::LeaseSeconds, Field::Fence, Field::TrainingProgress];
        let mut given = NamedValues::of_body(body, &fields)?;
        let fence = given.required(Field::Fence, fence);
        let progress = given.required(Field::TrainingProgress, progress);
        let time = given.lease_time();
        let request = || Some(Heartbeat { fence: fence?, progress: progress?, time: time? });
        given.finish(request())
    }
}

impl TrainingSucceeded {
    /// Parses a request body: `fence` and `training_metrics`.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        let mut given = NamedValues::of_body(body, &[Field::Fence, Field::TrainingMetrics])?;
        let fence = given.required(Field::Fence, fence);
        let metrics = given.metrics();
        let request = || Some(TrainingSucceeded { fence: fence?, metrics: metrics? });
        given.finish(request())
    }
}

impl TrainingFailed {
    /// Parses a request body: `fence` and `error`.
    pub fn from_json(body: &[u8]) -> Result<Self, Violations> {
        let mut given = NamedValues::of_body(body, &[Field::Fence, Field::Error])?;
        let fence = given.required(Field::Fence, fence);
        let error = given.required(Field::Error, error);
        let request = || Some(TrainingFailed { fence: fence?, error: error? });
        given.finish(request())
    }
}

impl<'a> NamedValues<'a> {
    /// Takes the members of a body that `fields` name, and no others.
    pub(super) fn of_body(body: &'a [u8], fields: &[Field]) -> Result<Self, Violations> {
        let mut given = NamedValues::none();
        let add = |key: &str, value| {
            if let Some(field) = named(fields, key) {
                given.add(field, value);
            }
        };
        members(body, add).map_err(BodyFault::violations)?;
        Ok(given)
    }

    /// Returns a required field; `null` counts as missing.
    pub(super) fn required<T>(
        &mut self,
        field: Field,
        judge: impl FnOnce(&str) -> Judged<T>,
    ) -> Option<T> {
        let judged = match self.value(field) {
            None | Some("null") => Err(ViolationKind::Missing),
            Some(value) => judge(value),
        };
        judged.map_err(|kind| self.note(Violation::new(field, kind))).ok()
    }

    /// Returns the metrics, or notes the name of the first invalid one (TRAIN-3).
    fn metrics(&mut self) -> Option<TrainingMetrics> {
        let (mut metrics, mut faulty) = (TrainingMetrics::default(), None);
        self.required(Field::TrainingMetrics, |value| {
            let read = members(value.as_bytes(), |name, value| {
                if faulty.is_none() {
                    let added = add(&mut metrics, name, value);
                    faulty = added.err().map(|fault| (fault, name.to_owned()));
                }
            });
            read.map_err(|_| ViolationKind::WrongType)
        })?;
        match faulty {
            None => Some(metrics),
            Some((fault, name)) => {
                let (field, kind) = (Field::TrainingMetrics, ViolationKind::Metric(fault));
                self.note(Violation { field, kind, sent: name.into() });
                None
            }
        }
    }

    fn lease_time(&mut self) -> Option<LeaseTime> {
        match self.value(Field::LeaseSeconds) {
            None => Some(LeaseTime::default()),
            // `null` is invalid: an optional field is left out instead.
            Some("null") => {
                let kind = ViolationKind::WrongType;
                self.note(Violation::new(Field::LeaseSeconds, kind));
                None
            }
            Some(_) => self.required(Field::LeaseSeconds, lease_time),
        }
    }
}

pub(super) type Judged<T> = Result<T, ViolationKind>;

fn fence(value: &str) -> Judged<Fence> {
    integer(value).map(Fence::new)
}

fn progress(value: &str) -> Judged<Progress> {
    let percent = u8::try_from(integer(value)?).map_err(|_| ViolationKind::Unsupported)?;
    Progress::new(percent).map_err(|_| ViolationKind::Unsupported)
}

fn lease_time(value: &str) -> Judged<LeaseTime> {
    let time = LeaseTime::new(Duration::from_secs(integer(value)?));
    time.map_err(|_| ViolationKind::Unsupported)
}

/// Parses an integer in any notation: `5`, `5.0` and `5e0` are equal in JSON. A negative or too large one is
/// out of range.
fn integer(value: &str) -> Judged<u64> {
    if let Ok(number) = value.parse() {
        return Ok(number);
    }
    let begins_as_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let number: f64 = value.parse().map_err(|_| ViolationKind::WrongType)?;
    if !begins_as_number || number.fract() != 0.0 {
        return Err(ViolationKind::WrongType);
    }
    // An integral number formats as digits alone; an infinite one fails as too large.
    format!("{number:.0}").parse().map_err(|_| ViolationKind::Unsupported)
}

/// Adds a metric from its text.
fn add(metrics: &mut TrainingMetrics, name: &str, value: &str) -> Result<(), MetricFault> {
    let name = MetricName::new(name).map_err(|_| MetricFault::Name)?;
    let figure = figure(value).ok_or(MetricFault::Value)?;
    match metrics.insert(name, figure) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(MetricFault::Repeated),
        Err(TooManyMetrics) => Err(MetricFault::TooMany),
    }
}

/// Parses a JSON number, without the words (`inf`, `nan`) that `parse` accepts.
fn figure(value: &str) -> Option<Figure> {
    let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let number = is_number.then(|| value.parse().ok())??;
    Figure::new(number).ok()
}

fn error(value: &str) -> Judged<String> {
    let error = string(value)?;
    if is_blank(&error) { Err(ViolationKind::Blank) } else { Ok(error) }
}

/// Reads a JSON string.
pub(super) fn string(value: &str) -> Judged<String> {
    text(value).map(Cow::into_owned).ok_or(ViolationKind::WrongType)
}

/// Reads the reason of a failure, which is not blank.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let error = String::deserialize(deserializer)?;
    if is_blank(&error) {
        return Err(D::Error::custom(Violation::new(Field::Error, ViolationKind::Blank)));
    }
    Ok(error)
}

#[cfg(test)]
mod tests;
