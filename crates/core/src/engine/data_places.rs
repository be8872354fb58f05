//! Places in the data of models: how many pairs come before them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::model::{CustomModel, ModelId, Revision};
use crate::tenant::Organisation;

/// The number of places that are remembered.
const REMEMBERED: usize = 256;

/// The places that were found last, of models from which data was removed. A page by number is looked for from the
/// nearest one, so that pages that follow each other cost what they show.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<VecDeque<(Whose, Place)>>);

/// A model at a revision. Every change of its data makes another.
#[derive(Debug, PartialEq, Eq)]
struct Whose(Organisation, ModelId, Revision);

/// A place between two pairs, or at an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of pairs before it.
    pub(crate) passed: u64,
    /// The number of the last pair before it, 0 if there is none.
    pub(crate) after: u32,
}

impl Places {
    /// Returns the last known place with `most` pairs before it or fewer.
    pub(crate) fn nearest(&self, of: &Organisation, model: &CustomModel, most: u64) -> Place {
        let whose = Whose::new(of, model);
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = places.iter().filter(|(its, place)| *its == whose && place.passed <= most);
        known.map(|(_, place)| *place).max_by_key(|place| place.passed).unwrap_or_default()
    }

    /// Remembers a place, and forgets the one that was remembered first if there are too many.
    pub(crate) fn remember(&self, of: &Organisation, model: &CustomModel, place: Place) {
        let entry = (Whose::new(of, model), place);
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.contains(&entry) {
            return;
        }
        if places.len() >= REMEMBERED {
            places.pop_front();
        }
        places.push_back(entry);
    }
}

impl Whose {
    fn new(organisation: &Organisation, model: &CustomModel) -> Self {
        Whose(organisation.clone(), model.id, model.revision())
    }
}
