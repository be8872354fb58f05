use std::fmt;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tenant::Actor;
use crate::time::UnixMillis;

/// The fencing token of a claim: larger than that of every earlier claim on the same model. A worker sends it
/// with every report, and a report with the token of an earlier claim is refused (TRAIN-4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fence(u64);

impl Fence {
    /// Creates a fence from a number.
    pub const fn new(number: u64) -> Self {
        Fence(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The length of a lease without a heartbeat: a second to a day (TRAIN-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseTime(Duration);

/// The error for a duration that is too short or too long for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lease is for 1 second to 1 day")]
pub struct InvalidLeaseTime;

impl LeaseTime {
    /// The shortest lease.
    pub const MIN: Duration = Duration::from_secs(1);

    /// The longest lease.
    pub const MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// Accepts a duration from [`LeaseTime::MIN`] to [`LeaseTime::MAX`].
    pub fn new(span: Duration) -> Result<Self, InvalidLeaseTime> {
        if (Self::MIN..=Self::MAX).contains(&span) {
            Ok(LeaseTime(span))
        } else {
            Err(InvalidLeaseTime)
        }
    }

    /// Returns the duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

/// One minute.
impl Default for LeaseTime {
    fn default() -> Self {
        LeaseTime(Duration::from_secs(60))
    }
}

/// A number of whole seconds.
impl Serialize for LeaseTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_secs())
    }
}

impl<'de> Deserialize<'de> for LeaseTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        LeaseTime::new(Duration::from_secs(seconds)).map_err(D::Error::custom)
    }
}

/// A worker's claim on a running training (TRAIN-3).
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// The fencing token of the claim.
    pub fence: Fence,
    /// The time at which the lease ends.
    pub expires_at: UnixMillis,
    /// The worker that holds the lease.
    pub worker: Actor,
}

impl Lease {
    /// Returns true if the lease holds at `now`.
    pub fn is_live_at(&self, now: UnixMillis) -> bool {
        now < self.expires_at
    }
}
