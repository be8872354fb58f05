//! The settings: plans, limits and retention, from a file and from options.

use std::fmt;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use custom_models_core::Plan;
use custom_models_core::access::{Limits, Operation, RateLimit};
use custom_models_core::engine::Retention;
use custom_models_core::tenant::{PlanName, Plans};
use serde::{Deserialize, Deserializer};

use crate::config::span::{OrOff, Span, parsed};
use crate::output::failure::Failure;
use crate::output::path_errors::{self, Quoted};

/// The most bytes of a file of settings.
const LONGEST: u64 = 1 << 20;

/// The plans, the limits of each operation, and the retention of records.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) plans: Plans,
    pub(crate) limits: Limits,
    /// The time that old records are kept.
    pub(crate) retention: Retention,
    /// The percentage of concurrent uploads and waiting requests that an organisation may use, if it is set.
    #[cfg(feature = "serve")]
    pub(crate) org_share: Option<u8>,
}

impl Settings {
    /// Reads the settings from a file. Without a file, returns the defaults.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Settings::default());
        };
        let wrong = |reason: &dyn fmt::Display| {
            Failure::WrongUsage(format!("--config {}: {reason}", Quoted(path)))
        };
        let unreadable = |error| wrong(&path_errors::reason(path, &error));
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

    /// Finds the plan that `--plan` names, in any case; Enterprise if it names none.
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

    /// Replaces the limits of creates.
    #[cfg(feature = "serve")]
    pub(crate) fn limit_creates(
        &mut self,
        requests: Option<OrOff<RateLimit>>,
        at_once: Option<OrOff<NonZeroU32>>,
    ) {
        let mut limit = self.limits.of(Operation::Create);
        limit.requests = requests.map_or(limit.requests, |requests| requests.0);
        limit.at_once = at_once.map_or(limit.at_once, |at_once| at_once.0);
        self.limits = std::mem::take(&mut self.limits).with(Operation::Create, limit);
    }
}

/// The file of settings. The help of `serve` has all its keys.
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
    /// Absent and off mean for ever.
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
    requests: Option<OrOff<RateLimit>>,
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

#[cfg(test)]
mod tests;
