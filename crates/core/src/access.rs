use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Actor, Plan};

/// The name of an organisation: ASCII letters, digits, `_` and `-`, 64 of them at most (section 4).
///
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Organisation(Arc<str>);

/// A text is not the name of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an organisation is named by 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidOrganisation;

impl Organisation {
    /// The most characters that a name may have.
    pub const MAX_CHARACTERS: usize = 64;

    /// Accepts a name.
    pub fn new(name: &str) -> Result<Self, InvalidOrganisation> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=Self::MAX_CHARACTERS).contains(&name.len()) && name.bytes().all(is_allowed) {
            Ok(Organisation(name.into()))
        } else {
            Err(InvalidOrganisation)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Organisation {
    type Err = InvalidOrganisation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Organisation::new(name)
    }
}

impl TryFrom<&str> for Organisation {
    type Error = InvalidOrganisation;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Organisation::new(name)
    }
}

impl Serialize for Organisation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Organisation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Organisation::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl AsRef<str> for Organisation {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Organisation {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Organisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The caller of an engine: an organisation, its plan, and the actor for the history (section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    organisation: Organisation,
    plan: Plan,
    actor: Actor,
}

impl Caller {
    /// A caller that acts for `organisation`, which is on `plan`, as [`Actor::HOST`].
    pub const fn new(organisation: Organisation, plan: Plan) -> Self {
        Caller { organisation, plan, actor: Actor::HOST }
    }

    /// The same caller under another name in the history (LOG-1).
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Caller { actor, ..self }
    }

    /// The organisation that the caller acts for, and the only one that it sees.
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// The organisation's plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The actor that the history names (LOG-1).
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}
