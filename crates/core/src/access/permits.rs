//! Concurrency permits: the requests of an identity that are in progress (RATE-2).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::operation::Operation;
use crate::access::rate_limit::WindowKey;

/// The permits in use, by identity and operation.
#[derive(Default)]
pub(crate) struct ConcurrencyPermits {
    /// INVARIANT: the number of existing [`ConcurrencyPermit`]s, without entries for 0.
    taken: Mutex<HashMap<(WindowKey, Operation), u32>>,
}

impl ConcurrencyPermits {
    /// Takes a permit, if fewer than `at_once` are in use.
    pub(super) fn take(
        self: &Arc<Self>,
        of: (WindowKey, Operation),
        at_once: NonZeroU32,
    ) -> Option<ConcurrencyPermit> {
        let mut all = self.taken();
        let taken = all.entry(of).or_default();
        if *taken >= at_once.get() {
            return None;
        }
        *taken += 1;
        drop(all);
        Some(ConcurrencyPermit { permits: Arc::clone(self), of })
    }

    /// Locks the counts. Nothing that can panic runs under the lock.
    fn taken(&self) -> MutexGuard<'_, HashMap<(WindowKey, Operation), u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit for one request in progress.
#[must_use = "dropping it releases the permit"]
pub(crate) struct ConcurrencyPermit {
    permits: Arc<ConcurrencyPermits>,
    of: (WindowKey, Operation),
}

impl fmt::Debug for ConcurrencyPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrencyPermit").finish_non_exhaustive()
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut taken) = self.permits.taken().entry(self.of) {
            match taken.get().checked_sub(1) {
                None | Some(0) => drop(taken.remove()),
                Some(others) => *taken.get_mut() = others,
            }
        }
    }
}
