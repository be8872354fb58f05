use std::borrow::Cow;
use std::fmt;

/// A name with an optional limit on the number of models that an organisation may hold (QUOTA-1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    name: Cow<'static, str>,
    model_limit: Option<u64>,
}

impl Plan {
    /// Gold: 5 models.
    pub const fn gold() -> Self {
        Plan { name: Cow::Borrowed("Gold"), model_limit: Some(5) }
    }

    /// Enterprise: as many models as one likes.
    pub const fn enterprise() -> Self {
        Plan { name: Cow::Borrowed("Enterprise"), model_limit: None }
    }

    /// A host's own plan; no limit is `None`.
    pub fn new(name: impl Into<Cow<'static, str>>, model_limit: Option<u64>) -> Self {
        Plan { name: name.into(), model_limit }
    }

    /// The name, as a refusal shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// The number of models that an organisation on this plan may hold; `None` is unlimited.
    pub const fn model_limit(&self) -> Option<u64> {
        self.model_limit
    }
}

/// The name.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}
