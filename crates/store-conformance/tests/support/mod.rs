//! A small store with a writer thread and a simulated disk, correct or with one mutant.

mod access;
mod archive;
pub(crate) mod killed_by;
pub(crate) mod killed_by_in_records;
mod life;
pub(crate) mod mutant;
mod rows;
mod state;
mod store;
mod views;

use std::sync::{Arc, Mutex};

use custom_models_core::ModelId;
use custom_models_core::store::Store;
use custom_models_store_conformance::{AfterKill, BoxError, Builder, Place};

use mutant::Mutant;
use state::State;
use store::QueuedStore;

/// A builder of stores with one mutant, or with none.
pub(crate) struct QueuedBuilder(pub(crate) Option<Mutant>);

impl Builder for QueuedBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        let state = State::drawn();
        Ok(Box::new(QueuedPlace { mutant: self.0, disk: Arc::new(Mutex::new(state)) }))
    }
}

/// The state that survives a kill.
type Disk = Arc<Mutex<State>>;

struct QueuedPlace {
    mutant: Option<Mutant>,
    disk: Disk,
}

impl Place for QueuedPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        Ok(Arc::new(QueuedStore::open(self.mutant, self.disk.clone())))
    }

    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError> {
        self.disk.lock().unwrap().raise_last_id(to);
        Ok(())
    }

    fn after_kill(&self) -> Result<AfterKill, BoxError> {
        let found = self.disk.lock().unwrap().clone();
        Ok(AfterKill::Place(Box::new(QueuedPlace {
            mutant: self.mutant,
            disk: Arc::new(Mutex::new(found)),
        })))
    }
}
