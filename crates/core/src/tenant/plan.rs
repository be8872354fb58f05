use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A plan: a name, and an optional limit on the number of models of an organisation (QUOTA-1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    name: Cow<'static, str>,
    model_limit: Option<u64>,
}

impl Plan {
    /// Gold: 5 models.
    pub const fn gold() -> Self {
        Plan { name: Cow::Borrowed("Gold"), model_limit: Some(5) }
    }

    /// Enterprise: an unlimited number of models.
    pub const fn enterprise() -> Self {
        Plan { name: Cow::Borrowed("Enterprise"), model_limit: None }
    }

    /// Creates a plan of the host's own; `None` is unlimited.
    pub fn new(name: impl Into<Cow<'static, str>>, model_limit: Option<u64>) -> Self {
        Plan { name: name.into(), model_limit }
    }

    /// Returns the name, as refusals show it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the most models of an organisation on this plan; `None` is unlimited.
    pub const fn model_limit(&self) -> Option<u64> {
        self.model_limit
    }
}

/// Formats as the name.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}
