//! A store that several runs use one after the other.

use custom_models_core::ModelId;

use crate::client::{Client, fresh};
use crate::verdict::{Checked, Stop, ensure};
use crate::{Builder, Place};

pub(crate) struct Shared {
    place: Box<dyn Place>,
    store: Option<Client>,
    /// The last id that was assigned in any run; 0 before the first.
    last_id: u64,
    /// The number of runs that began.
    pub(crate) runs: u32,
}

impl Shared {
    /// Creates an empty store.
    pub(crate) fn new(builder: &dyn Builder) -> Checked<Shared> {
        let (place, store) = fresh(builder)?;
        Ok(Shared { place, store: Some(store), last_id: 0, runs: 0 })
    }

    pub(crate) fn store(&self) -> Checked<&Client> {
        self.store.as_ref().ok_or_else(|| Stop::failed("a store that could not be opened again"))
    }

    /// Drops the store, and opens it again.
    pub(crate) fn reopen(&mut self) -> Checked {
        drop(self.store.take());
        self.store = Some(Client::open(&*self.place)?);
        Ok(())
    }

    /// Checks that an assigned id is larger than every earlier one, of all runs and organisations (MODEL-1).
    pub(crate) fn take_note_of(&mut self, given: ModelId) -> Checked {
        ensure!(given.get() > self.last_id, "id {given} after {}", self.last_id);
        self.last_id = given.get();
        Ok(())
    }

    pub(crate) const fn last_id(&self) -> u64 {
        self.last_id
    }
}
