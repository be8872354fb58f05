//! A small store with a writer thread and a disk of its own kind, whole or with one flaw.

mod access;
mod archive;
pub(crate) mod caught;
pub(crate) mod caught_in_life;
pub(crate) mod flaw;
mod life;
mod rows;
mod state;
mod store;
mod views;

use std::sync::{Arc, Mutex};

use custom_models_core::ModelId;
use custom_models_core::store::Store;
use custom_models_store_conformance::{AfterKill, BoxError, Builder, Place};

use flaw::Flaw;
use state::State;
use store::QueuedStore;

/// Builds stores with one flaw, or with none.
pub(crate) struct QueuedBuilder(pub(crate) Option<Flaw>);

impl Builder for QueuedBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        let state = State::drawn();
        Ok(Box::new(QueuedPlace { flaw: self.0, disk: Arc::new(Mutex::new(state)) }))
    }
}

/// The state that a kill leaves.
type Disk = Arc<Mutex<State>>;

struct QueuedPlace {
    flaw: Option<Flaw>,
    disk: Disk,
}

impl Place for QueuedPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        Ok(Arc::new(QueuedStore::open(self.flaw, self.disk.clone())))
    }

    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError> {
        self.disk.lock().unwrap().raise_last_id(to);
        Ok(())
    }

    fn after_kill(&self) -> Result<AfterKill, BoxError> {
        let found = self.disk.lock().unwrap().clone();
        Ok(AfterKill::Place(Box::new(QueuedPlace {
            flaw: self.flaw,
            disk: Arc::new(Mutex::new(found)),
        })))
    }
}
