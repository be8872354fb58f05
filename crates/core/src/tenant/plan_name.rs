//! The name of a plan.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a plan: 1 to 64 characters without control characters.
///
/// Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName(Arc<str>);

impl PlanName {
    /// The most characters in a name.
    pub const MAX_CHARACTERS: usize = 64;

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlanName {
    type Err = InvalidPlanName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let characters = name.chars().take(Self::MAX_CHARACTERS + 1).count();
        let is_name = (1..=Self::MAX_CHARACTERS).contains(&characters);
        if is_name && !name.contains(char::is_control) {
            Ok(PlanName(name.into()))
        } else {
            Err(InvalidPlanName)
        }
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for PlanName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlanName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The error for a text that is not the name of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a plan is named by 1 to 64 characters, none of them a control character")]
pub struct InvalidPlanName;
