use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The actor of a change, for the history (LOG-1): the id of an API key over HTTP, or a name that another
/// host chooses. 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Actor(Cow<'static, str>);

/// The error for a text that is not an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor is named by 1 to 128 visible ASCII characters")]
pub struct InvalidActor;

impl Actor {
    /// The actor of a caller without a name of its own.
    pub const HOST: Actor = Actor(Cow::Borrowed("host"));

    /// The actor of the command line.
    pub const COMMAND_LINE: Actor = Actor(Cow::Borrowed("command-line"));

    /// The actor of changes that the engine makes by itself, when the last lease of a training has run out
    /// (TRAIN-5).
    pub const SWEEP: Actor = Actor(Cow::Borrowed("sweep"));

    /// The most characters in a name.
    pub const MAX_CHARACTERS: usize = 128;

    /// Validates a name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, InvalidActor> {
        let name = name.into();
        let is_visible = |byte: u8| byte.is_ascii_graphic();
        let is_allowed =
            (1..=Self::MAX_CHARACTERS).contains(&name.len()) && name.bytes().all(is_visible);
        if is_allowed { Ok(Actor(name)) } else { Err(InvalidActor) }
    }

    /// Wraps a name that was validated before.
    #[cfg(feature = "engine")]
    pub(crate) const fn from_validated(name: String) -> Self {
        Actor(Cow::Owned(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Actor {
    type Err = InvalidActor;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Actor::new(name.to_owned())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Actor::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
