use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A permission of a key (AUTH-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `custom_models:write`: create, update, delete, upload and train.
    Write,
    /// `custom_models:read`: list and get.
    Read,
    /// `training:work`: claim and finish trainings.
    TrainingWork,
}

/// The error for a text that is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is one of custom_models:write, custom_models:read, training:work")]
pub struct InvalidScope;

impl Scope {
    /// Every scope, in the order of lists.
    pub const ALL: [Scope; 3] = [Scope::Write, Scope::Read, Scope::TrainingWork];

    /// Returns the name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Write => "custom_models:write",
            Scope::Read => "custom_models:read",
            Scope::TrainingWork => "training:work",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == name).ok_or(InvalidScope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A set of scopes.
///
/// ```
/// use custom_models_core::access::{Scope, Scopes};
///
/// let scopes: Scopes = [Scope::Read, Scope::Write].into_iter().collect();
/// assert!(scopes.contains(Scope::Write) && !scopes.contains(Scope::TrainingWork));
/// assert_eq!(scopes.to_string(), "custom_models:write custom_models:read");
/// assert_eq!(scopes.to_string().parse(), Ok(scopes));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Returns true if the scope is in the set.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Returns true if no scope is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the scopes in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |&scope| self.contains(scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Formats as names separated by spaces.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// Parses what `Display` writes: names separated by spaces, empty for the empty set.
impl FromStr for Scopes {
    type Err = InvalidScope;

    fn from_str(names: &str) -> Result<Self, Self::Err> {
        names.split_ascii_whitespace().map(str::parse).collect()
    }
}

/// Serialises as a list of names.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Reads a list of names.
impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Scope>::deserialize(deserializer)?.into_iter().collect())
    }
}
