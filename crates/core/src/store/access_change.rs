//! Changes of organisations, keys and admissions, with their outcomes and records.

use std::time::Duration;

use crate::access::{KeyId, KeyRecord, RateLimit, RateLimitStatus, Window};
use crate::tenant::{Organisation, PlanName};
use crate::time::{Timestamp, UnixMillis};

/// A change and its condition.
///
/// Not `#[non_exhaustive]`: an adapter that does not handle a change must not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// Registers an organisation that is not registered; [`AccessOutcome::Taken`] if it is.
    Register(Registration),
    /// Puts a registered organisation on another plan; [`AccessOutcome::NotFound`] if it is not
    /// registered. Its models stay as they are (QUOTA-5).
    SetPlan(Registration),
    /// Adds a key; [`AccessOutcome::NotFound`] if its organisation is not registered,
    /// [`AccessOutcome::Taken`] if a key with the same id or digest exists.
    AddKey(KeyRecord),
    /// Revokes a key; [`AccessOutcome::NotFound`] if no key has this id. A revoked key keeps the time of its
    /// first revocation, and the outcome is [`AccessOutcome::Done`].
    RevokeKey {
        /// The key.
        id: KeyId,
        /// The time of the revocation.
        at: Timestamp,
    },
    /// Admits a request if its window has room, by [`admit`](crate::store::admit) (RATE-1). A refused request
    /// leaves no trace (RATE-3).
    ///
    /// The store does not check that the key of the window exists.
    Admit {
        /// The window.
        window: Window,
        /// The limit of the window.
        limit: RateLimit,
        /// The time of the admission. A store that several machines share uses its own clock instead.
        now: UnixMillis,
    },
    /// Deletes admissions that are as old as the longest window or older, from every window. Admissions in
    /// the future, which a clock that was set back leaves, are moved to `now` (RATE-1).
    SweepWindows {
        /// The longest window in use.
        longest: Duration,
        /// The time of the sweep. A store that several machines share uses its own clock instead.
        now: UnixMillis,
        /// The most admissions to delete, so that other writes do not wait long.
        limit: u32,
    },
}

/// The outcome of a change to the access store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessOutcome {
    /// The change was made.
    Done,
    /// Not made: the registration or key exists already.
    Taken,
    /// Not made: the organisation or key does not exist.
    NotFound,
    /// The request is admitted and counts.
    Admitted(RateLimitStatus),
    /// The window is full, and the request does not count.
    Refused {
        /// The status of the window.
        rate_limit: RateLimitStatus,
        /// The whole seconds, by the clock that judged, until a request is admitted if no other is sent
        /// (RATE-5).
        retry_after: u64,
    },
    /// The number of admissions that were deleted.
    Swept(u64),
}

/// A registered organisation and its plan.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The organisation.
    pub organisation: Organisation,
    /// The name of its plan. The host decides how many models the plan allows.
    pub plan: PlanName,
}

/// A key and the plan of its organisation.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key.
    pub key: KeyRecord,
    /// The plan of its organisation.
    pub plan: PlanName,
}
