use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::access::operation::Operation;
use crate::access::rate_limit::RateLimit;

/// The limits of one operation, for each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationLimit {
    /// In any window, over all processes that share a store (RATE-1); `None` is unlimited.
    pub requests: Option<RateLimit>,
    /// At a time, in one process (RATE-2); `None` is unlimited.
    pub at_once: Option<NonZeroU32>,
}

impl OperationLimit {
    /// No limits.
    pub const NONE: OperationLimit = OperationLimit { requests: None, at_once: None };

    /// The limits that the specification sets for creates: 10 in any 60 minutes, 3 at a time.
    pub const CREATE: OperationLimit =
        OperationLimit { requests: Some(RateLimit::CREATE), at_once: NonZeroU32::new(3) };
}

/// The limits of every operation, for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The limits of the operations that have any.
    limits: BTreeMap<Operation, OperationLimit>,
}

impl Limits {
    /// No limit on anything.
    pub const NONE: Limits = Limits { limits: BTreeMap::new() };

    /// Gives an operation other limits.
    #[must_use]
    pub fn with(mut self, operation: Operation, limit: OperationLimit) -> Self {
        self.limits.insert(operation, limit);
        self
    }

    /// True if any operation has a window.
    pub(crate) fn has_windows(&self) -> bool {
        self.limits.values().any(|limit| limit.requests.is_some())
    }

    /// The longest window there is; [`RateLimit::MAX_WINDOW`] where there is none.
    pub fn longest_window(&self) -> Duration {
        let windows = self.limits.values().filter_map(|limit| limit.requests);
        let longest = windows.map(|limit| limit.window()).max();
        longest.unwrap_or(RateLimit::MAX_WINDOW)
    }

    /// The limits of an operation.
    pub fn of(&self, operation: Operation) -> OperationLimit {
        self.limits.get(&operation).copied().unwrap_or(OperationLimit::NONE)
    }
}

/// Creates are limited as the specification says, and nothing else is.
impl Default for Limits {
    fn default() -> Self {
        Limits::NONE.with(Operation::Create, OperationLimit::CREATE)
    }
}
