//! The requests of a key that are at work now (RATE-2).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::api_key::KeyId;
use crate::access::operation::Operation;

/// The places that are taken, by key and operation.
#[derive(Default)]
pub(crate) struct Places {
    /// INVARIANT: how many [`Place`]s there are, where there are any.
    taken: Mutex<HashMap<(KeyId, Operation), u32>>,
}

impl Places {
    /// Takes a place, if fewer than `at_once` are taken.
    pub(super) fn take(
        self: &Arc<Self>,
        of: (KeyId, Operation),
        at_once: NonZeroU32,
    ) -> Option<Place> {
        let mut all = self.taken();
        let taken = all.entry(of).or_default();
        if *taken >= at_once.get() {
            return None;
        }
        *taken += 1;
        drop(all);
        Some(Place { places: Arc::clone(self), of })
    }

    /// Nothing that can panic runs under the lock.
    fn taken(&self) -> MutexGuard<'_, HashMap<(KeyId, Operation), u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the requests of a key that are at work now.
pub(crate) struct Place {
    places: Arc<Places>,
    of: (KeyId, Operation),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.of).finish()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut taken) = self.places.taken().entry(self.of) {
            match taken.get().checked_sub(1) {
                None | Some(0) => drop(taken.remove()),
                Some(others) => *taken.get_mut() = others,
            }
        }
    }
}
