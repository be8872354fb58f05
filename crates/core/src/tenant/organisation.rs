use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of an organisation: at most 64 ASCII letters, digits, `_` and `-` (QUOTA-2).
///
/// Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Organisation(Arc<str>);

/// The error for a text that is not the name of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an organisation is named by 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidOrganisation;

impl Organisation {
    /// The most characters in a name.
    pub const MAX_CHARACTERS: usize = 64;

    /// Validates a name.
    pub fn new(name: &str) -> Result<Self, InvalidOrganisation> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=Self::MAX_CHARACTERS).contains(&name.len()) && name.bytes().all(is_allowed) {
            Ok(Organisation(name.into()))
        } else {
            Err(InvalidOrganisation)
        }
    }

    /// Returns the name.
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
