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

use std::sync::{Arc, Mutex, Weak};

use custom_models_core::store::{Store, StoreError, StoreErrorKind};
use custom_models_store_conformance::{BoxError, Builder, Place};

use mutant::Mutant;
use state::State;
use store::QueuedStore;

/// A builder of stores with one mutant, or with none.
pub(crate) struct QueuedBuilder(pub(crate) Option<Mutant>);

impl Builder for QueuedBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        Ok(Box::new(QueuedPlace::of(self.0, State::drawn())))
    }
}

/// The state that survives a kill.
struct Disk {
    state: State,
    /// True while nothing can be saved.
    fails: bool,
}

struct QueuedPlace {
    mutant: Option<Mutant>,
    disk: Arc<Mutex<Disk>>,
    /// The lock of the store that is open here.
    open: Mutex<Weak<()>>,
}

impl QueuedPlace {
    fn of(mutant: Option<Mutant>, state: State) -> QueuedPlace {
        let disk = Arc::new(Mutex::new(Disk { state, fails: false }));
        QueuedPlace { mutant, disk, open: Mutex::default() }
    }
}

impl Place for QueuedPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        let mut open = self.open.lock().unwrap();
        if open.upgrade().is_some() && self.mutant != Some(Mutant::OpensTwice) {
            return Err(StoreError::from(StoreErrorKind::Locked).into());
        }
        let lock = Arc::new(());
        *open = Arc::downgrade(&lock);
        self.disk.lock().unwrap().fails = false;
        let store = QueuedStore::open(self.mutant, Arc::clone(&self.disk), lock)?;
        Ok(Arc::new(store))
    }

    fn after_kill(&self) -> Result<Box<dyn Place>, BoxError> {
        let found = self.disk.lock().unwrap().state.clone();
        Ok(Box::new(QueuedPlace::of(self.mutant, found)))
    }

    fn damage(&self, text: &str) -> Result<(), BoxError> {
        self.disk.lock().unwrap().state.damage(text);
        Ok(())
    }

    fn fail_disk(&self) -> Result<(), BoxError> {
        self.disk.lock().unwrap().fails = true;
        Ok(())
    }
}
