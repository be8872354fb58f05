//! The revision and the version of a model.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU64;

/// The revision of a model: 1 at first, one more with each change. Callers name it to guard against changes
/// in between (EDIT-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(NonZeroU64);

impl Revision {
    /// The revision of a new model.
    pub const FIRST: Revision = Revision(NonZeroU64::MIN);

    /// Creates a revision from a number; `None` for zero.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Revision(number)),
            None => None,
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// Returns the next revision.
    pub const fn next(self) -> Self {
        Revision(self.0.saturating_add(1))
    }
}

/// Displays the number.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Converts a revision into the version right after that change.
impl From<Revision> for Version {
    fn from(revision: Revision) -> Self {
        Version { revision, heartbeats: 0 }
    }
}

/// The version of a model: its revision, and the number of claims and heartbeats since, which do not raise
/// the revision (TRAIN-3). Every write changes it.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The revision of the model.
    pub revision: Revision,
    /// The number of claims and heartbeats since that revision.
    pub heartbeats: u32,
}
