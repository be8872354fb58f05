use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::access::operation::Operation;
use crate::access::rate_limit::RateLimit;

/// The limits of one operation, per key.
///
/// Not `#[non_exhaustive]`: a host writes it as a literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationLimit {
    /// The most requests in a window, over all processes that share a store (RATE-1); `None` is unlimited.
    pub requests: Option<RateLimit>,
    /// The most concurrent requests in one process (RATE-2); `None` is unlimited.
    pub at_once: Option<NonZeroU32>,
}

impl OperationLimit {
    /// No limits.
    pub const NONE: OperationLimit = OperationLimit { requests: None, at_once: None };

    /// The specification's limits for creates: 10 in any 60 minutes, 3 at a time.
    pub const CREATE: OperationLimit =
        OperationLimit { requests: Some(RateLimit::CREATE), at_once: NonZeroU32::new(3) };
}

/// The limits of every operation, per key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits {
    /// The operations with limits.
    limits: BTreeMap<Operation, OperationLimit>,
}

impl Limits {
    /// No limits on any operation.
    pub const NONE: Limits = Limits { limits: BTreeMap::new() };

    /// Sets the limits of an operation.
    #[must_use]
    pub fn with(mut self, operation: Operation, limit: OperationLimit) -> Self {
        self.limits.insert(operation, limit);
        self
    }

    /// Returns true if any operation has a rate limit.
    pub(crate) fn has_windows(&self) -> bool {
        self.limits.values().any(|limit| limit.requests.is_some())
    }

    /// Returns the longest window; [`RateLimit::MAX_WINDOW`] if there is none.
    pub fn longest_window(&self) -> Duration {
        let windows = self.limits.values().filter_map(|limit| limit.requests);
        let longest = windows.map(|limit| limit.window()).max();
        longest.unwrap_or(RateLimit::MAX_WINDOW)
    }

    /// Returns the limits of an operation.
    pub fn of(&self, operation: Operation) -> OperationLimit {
        self.limits.get(&operation).copied().unwrap_or(OperationLimit::NONE)
    }
}

/// The specification's limits for creates, and no others.
impl Default for Limits {
    fn default() -> Self {
        Limits::NONE.with(Operation::Create, OperationLimit::CREATE)
    }
}
