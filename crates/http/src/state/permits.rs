//! Permits that all organisations share, none of which takes more than its share (PLACE-4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::Organisation;

use crate::rejection::Rejection;

/// A semaphore with a limit for everyone together and one for each organisation.
pub(crate) struct Permits {
    total: usize,
    share: usize,
    taken: Mutex<Taken>,
}

/// INVARIANT: `total` is the sum of `by_organisation`, which has no zeros.
#[derive(Default)]
struct Taken {
    total: usize,
    by_organisation: HashMap<Organisation, usize>,
}

impl Permits {
    /// Creates `total` permits, of which an organisation may take `percent` per cent, and at least one.
    pub(crate) fn new(total: usize, percent: u8) -> Arc<Self> {
        let share = total.saturating_mul(usize::from(percent.min(100))) / 100;
        Arc::new(Permits { total, share: share.max(1), taken: Mutex::default() })
    }

    /// Takes a permit for an organisation, if neither its share nor the total is used up.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        organisation: &Organisation,
    ) -> Result<Permit, Rejection> {
        let mut taken = self.taken();
        let own = taken.by_organisation.get(organisation).copied().unwrap_or_default();
        if own >= self.share {
            return Err(Rejection::ShareExceeded { places: self.share });
        }
        if taken.total >= self.total {
            return Err(Rejection::AtCapacity);
        }
        taken.total += 1;
        taken.by_organisation.insert(organisation.clone(), own + 1);
        drop(taken);
        Ok(Permit { permits: Arc::clone(self), organisation: organisation.clone() })
    }

    /// Nothing that can panic runs under the lock.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit that is taken. Dropping it frees it.
pub(crate) struct Permit {
    permits: Arc<Permits>,
    organisation: Organisation,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.permits.taken();
        taken.total = taken.total.saturating_sub(1);
        match taken.by_organisation.get_mut(&self.organisation) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.by_organisation.remove(&self.organisation)),
        }
    }
}

#[cfg(test)]
mod tests;
