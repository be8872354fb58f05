//! The engine over each of its stores.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::store::ModelStore;
use custom_models_core::{
    Caller, CreateModel, Engine, ListModels, MemoryStore, Organisation, Plan,
};
use custom_models_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::{Creates, DESCRIPTION, LIMIT, NAME, ORGANISATIONS};
use crate::disk::Disk;

/// The engine over memory, as tables show it.
pub const MEMORY: &str = "custom-models, in memory";

/// The engine over sled, as tables show it.
#[cfg(feature = "sled")]
pub const SLED: &str = "custom-models, sled";

/// An engine with its callers, and the folder of its store.
pub struct OverEngine {
    engine: Engine,
    callers: Vec<Caller>,
    folder: Option<TempDir>,
}

impl OverEngine {
    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The first organisation.
    pub(crate) fn caller(&self) -> &Caller {
        &self.callers[0]
    }

    /// An organisation by its number.
    pub(super) fn caller_of(&self, organisation: usize) -> &Caller {
        &self.callers[organisation]
    }

    /// The file of a store in SQLite.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.as_ref().expect("a store on a disk").path().join("models.db")
    }

    pub(super) fn new(store: impl ModelStore + 'static, folder: Option<TempDir>) -> Self {
        OverEngine::with_clock(Arc::new(store), folder, SystemTime::now)
    }

    pub(super) fn with_clock(
        store: Arc<dyn ModelStore>,
        folder: Option<TempDir>,
        clock: fn() -> SystemTime,
    ) -> Self {
        let callers = (0..ORGANISATIONS).map(|number| {
            let plan = Plan::new("Bench", Some(LIMIT));
            Caller::new(organisation(number), plan)
        });
        OverEngine { engine: Engine::new(store, clock), callers: callers.collect(), folder }
    }
}

impl Drop for OverEngine {
    fn drop(&mut self) {
        self.engine.close().expect("the store closes in order");
    }
}

/// The name of an organisation by its number.
pub(super) fn organisation(number: usize) -> Organisation {
    format!("organisation-{number}").parse().expect("the name is one")
}

/// Returns the request of every create.
pub(super) fn request() -> CreateModel<'static> {
    CreateModel::builder()
        .name(NAME)
        .language("en")
        .base_model("medical")
        .description(DESCRIPTION)
        .build()
        .expect("the request is valid")
}

/// The engine over SQLite.
pub fn sqlite(disk: &Disk) -> OverEngine {
    let folder = disk.fresh();
    let store = SqliteStore::open(folder.path().join("models.db")).expect("the store opens");
    OverEngine::new(store, Some(folder))
}

/// The engine over sled.
#[cfg(feature = "sled")]
pub fn sled(disk: &Disk) -> OverEngine {
    let folder = disk.fresh();
    let place = folder.path().join("models");
    let store = custom_models_store_sled::SledStore::open(place).expect("the store opens");
    OverEngine::new(store, Some(folder))
}

/// The engine over memory.
pub fn memory() -> OverEngine {
    OverEngine::new(MemoryStore::new(), None)
}

impl Creates for OverEngine {
    fn create(&self, organisation: usize) {
        let model = self.engine.create(&self.callers[organisation], request());
        assert_eq!(model.expect("the model is created").name.as_str(), NAME);
    }

    fn count(&self) -> u64 {
        let first = ListModels::default();
        let pages = self.callers.iter().map(|caller| self.engine.list(caller, &first));
        pages.map(|page| page.expect("the list is read").total_results).sum()
    }
}
