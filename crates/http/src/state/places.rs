//! Places that all organisations share, of which none takes more than its share (PLACE-4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::Organisation;

use crate::rejection::Rejection;

/// A number of places, and the share that one organisation may take.
pub(crate) struct Places {
    all: usize,
    share: usize,
    taken: Mutex<Taken>,
}

/// INVARIANT: the sum of what organisations have taken is `all`, and none of them is there with nothing.
#[derive(Default)]
struct Taken {
    all: usize,
    by: HashMap<Organisation, usize>,
}

impl Places {
    /// So many places, of which an organisation may take so many in a hundred, and one at least.
    pub(crate) fn new(all: usize, percent: u8) -> Arc<Self> {
        let share = all.saturating_mul(usize::from(percent.min(100))) / 100;
        Arc::new(Places { all, share: share.max(1), taken: Mutex::default() })
    }

    /// Takes a place for a request of an organisation, if its share and the whole have one left.
    pub(crate) fn take(self: &Arc<Self>, organisation: &Organisation) -> Result<Place, Rejection> {
        let mut taken = self.taken();
        let own = taken.by.get(organisation).copied().unwrap_or_default();
        if own >= self.share {
            return Err(Rejection::ShareExceeded { places: self.share });
        }
        if taken.all >= self.all {
            return Err(Rejection::AtCapacity);
        }
        taken.all += 1;
        taken.by.insert(organisation.clone(), own + 1);
        drop(taken);
        Ok(Place { places: Arc::clone(self), organisation: organisation.clone() })
    }

    /// Nothing that can panic runs under the lock.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken, free again when this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    organisation: Organisation,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        match taken.by.get_mut(&self.organisation) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by.remove(&self.organisation)),
        }
    }
}

#[cfg(test)]
mod tests;
