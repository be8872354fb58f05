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
mod tests {
    use super::*;

    fn named(name: &str) -> Organisation {
        name.parse().unwrap()
    }

    fn takes(places: &Arc<Places>, organisation: &str, most: usize) -> Vec<Place> {
        let taken = std::iter::from_fn(|| places.take(&named(organisation)).ok());
        taken.take(most).collect()
    }

    #[test]
    fn place_4_an_organisation_takes_its_share_whoever_else_is_there_and_one_place_at_least() {
        for (all, percent, share) in [
            (16, 25, 4),
            (1000, 25, 250),
            (3, 25, 1),
            (1, 25, 1),
            (16, 100, 16),
            (16, 0, 1),
            (7, 50, 3),
        ] {
            let places = Places::new(all, percent);
            assert_eq!(takes(&places, "a", all + 1).len(), share, "{percent} % of {all}");
        }
    }

    #[test]
    fn place_4_others_have_places_beside_one_that_has_its_share_until_all_are_taken() {
        let places = Places::new(4, 50);
        let first = takes(&places, "a", 9);
        let refusal = places.take(&named("a")).map(drop).unwrap_err();
        assert!(matches!(refusal, Rejection::ShareExceeded { places: 2 }), "{refusal}");
        let second = takes(&places, "b", 1);
        let third = takes(&places, "c", 9);
        assert_eq!((first.len(), second.len(), third.len()), (2, 1, 1));
        let refusal = places.take(&named("b")).map(drop).unwrap_err();
        assert!(matches!(refusal, Rejection::AtCapacity), "{refusal}");
        drop(first);
        assert_eq!(takes(&places, "a", 9).len(), 2, "what was freed is there again");
        drop((second, third));
        let taken = places.taken();
        assert_eq!((taken.all, taken.by.len()), (0, 0));
    }
}
