//! Settings: plans and limits, from a file and from options.

use std::fmt;
use std::fs;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use custom_models_core::{
    Limits, Operation, Plan, PlanName, Plans, RequestLimit, Retention, Timestamp,
};
use serde::{Deserialize, Deserializer};

use crate::args::Global;
use crate::output::failure::Failure;
use crate::output::places::{self, Shown};

/// The longest configuration that is read.
const LONGEST: u64 = 1 << 20;

/// The plans there are, and the limits of each operation.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) plans: Plans,
    pub(crate) limits: Limits,
    /// For how long what is old is kept.
    pub(crate) retention: Retention,
    /// The percentage of shared places that an organisation may take, if anything is said of it.
    #[cfg(feature = "serve")]
    pub(crate) org_share: Option<u8>,
}

impl Settings {
    /// Reads the settings from the file that the command line names. Without a file, returns the defaults.
    pub(crate) fn of(global: &Global) -> Result<Self, Failure> {
        let Some(path) = &global.config else {
            return Ok(Settings::default());
        };
        let wrong = |reason: &dyn fmt::Display| {
            Failure::WrongUsage(format!("--config {}: {reason}", Shown(path)))
        };
        let unreadable = |error| wrong(&places::reason(path, &error));
        let length = fs::metadata(path).map_err(unreadable)?.len();
        if length > LONGEST {
            return Err(wrong(&"longer than 1 MiB"));
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        Settings::from_toml(&text).map_err(|reason| wrong(&reason))
    }

    fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        let File { plans, limits, retention } = toml::from_str(text)?;
        let mut settings = Settings::default();
        let OrOff(events) = retention.events.unwrap_or(OrOff(None));
        settings.retention.events = events.map(Span::get);
        for (PlanKey(name), PlanTable { models }) in plans {
            let plan = Plan::new(name.as_str().to_owned(), models.map(u64::from));
            settings.plans = settings.plans.with(plan);
        }
        for (OperationKey(operation), LimitTable { requests, at_once }) in limits {
            let mut limit = settings.limits.of(operation);
            if let Some(OrOff(requests)) = requests {
                limit.requests = requests;
            }
            if let Some(OrOff(at_once)) = at_once {
                limit.at_once = at_once;
            }
            settings.limits = settings.limits.with(operation, limit);
        }
        Ok(settings)
    }

    /// The plan that a command line means, in whatever case; Enterprise, if it means none.
    pub(crate) fn plan(&self, name: Option<&str>) -> Result<Plan, Failure> {
        let Some(name) = name else { return Ok(Plan::enterprise()) };
        if let Some(plan) = self.plans.get(name) {
            return Ok(plan.clone());
        }
        let found = self.plans.iter().find(|plan| plan.name().eq_ignore_ascii_case(name));
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.plans.iter().map(Plan::name).collect();
            Failure::WrongUsage(format!(
                "there is no plan {name:?} [possible values: {}]",
                names.join(", ")
            ))
        })
    }

    /// Other limits for creates.
    #[cfg(feature = "serve")]
    pub(crate) fn limit_creates(
        &mut self,
        requests: Option<OrOff<RequestLimit>>,
        at_once: Option<OrOff<NonZeroU32>>,
    ) {
        let mut limit = self.limits.of(Operation::Create);
        limit.requests = requests.map_or(limit.requests, |requests| requests.0);
        limit.at_once = at_once.map_or(limit.at_once, |at_once| at_once.0);
        self.limits = std::mem::take(&mut self.limits).with(Operation::Create, limit);
    }
}

/// The file. Every key of it stands in the help of `serve`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    plans: std::collections::BTreeMap<PlanKey, PlanTable>,
    #[serde(default)]
    limits: std::collections::BTreeMap<OperationKey, LimitTable>,
    #[serde(default)]
    retention: RetentionTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionTable {
    /// Absent and off is for ever.
    events: Option<OrOff<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanTable {
    /// The largest number of models on the plan; absent means any number.
    models: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitTable {
    requests: Option<OrOff<RequestLimit>>,
    at_once: Option<OrOff<NonZeroU32>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PlanKey(PlanName);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OperationKey(Operation);

impl<'de> Deserialize<'de> for PlanKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer).map(PlanKey)
    }
}

impl<'de> Deserialize<'de> for OperationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer).map(OperationKey)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A limit, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrOff<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for OrOff<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(OrOff(None)),
            _ => text.parse().map(|limit| OrOff(Some(limit))),
        }
    }
}

impl<'de> Deserialize<'de> for OrOff<RequestLimit> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for OrOff<Span> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for OrOff<NonZeroU32> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number from 1, or \"off\"")]
        enum Given {
            Number(NonZeroU32),
            Off(Off),
        }
        #[derive(Deserialize)]
        enum Off {
            #[serde(rename = "off")]
            Off,
        }
        Ok(OrOff(match Given::deserialize(deserializer)? {
            Given::Number(number) => Some(number),
            Given::Off(Off::Off) => None,
        }))
    }
}

/// A span of time in whole seconds, written as `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(Duration);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a span is a number from 1 and a unit (s, m, h, d), such as 90d; 36500d at most")]
pub(crate) struct InvalidSpan;

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LONGEST: u64 = 36_500 * 86_400;
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let found =
            units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
        let (number, seconds) = found.ok_or(InvalidSpan)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSpan);
        }
        let number: u64 = number.parse().map_err(|_| InvalidSpan)?;
        let span = number.checked_mul(*seconds).filter(|span| (1..=LONGEST).contains(span));
        span.map(|span| Span(Duration::from_secs(span))).ok_or(InvalidSpan)
    }
}

impl Span {
    /// Returns the length of the span.
    pub(crate) const fn get(self) -> Duration {
        self.0
    }

    /// The moment so long after another.
    pub(crate) fn after(self, start: Timestamp) -> Timestamp {
        let span = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        let end = start.unix_seconds().saturating_add(span);
        Timestamp::from_unix_seconds(end).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests;
