//! The SQLite store without the engine, and so without an event: the model alone, for comparison with
//! the peer that keeps no more.

use std::time::SystemTime;

use custom_models_core::{
    Change, ModelStore, NewModel, Organisation, Outcome, Selection, Timestamp, Write,
};
use custom_models_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::{Creates, LIMIT, ORGANISATIONS, engine};
use crate::disk::Disk;

/// The store, as tables show it.
pub const BARE: &str = "custom-models, without an event";

/// A store with its organisations.
pub struct Bare {
    store: SqliteStore,
    organisations: Vec<Organisation>,
    _folder: TempDir,
}

impl Bare {
    /// A fresh store.
    pub fn new(disk: &Disk) -> Self {
        let folder = disk.fresh();
        Bare {
            store: SqliteStore::open(folder.path().join("models.db")).expect("the store opens"),
            organisations: (0..ORGANISATIONS).map(engine::organisation).collect(),
            _folder: folder,
        }
    }
}

impl Creates for Bare {
    fn create(&self, organisation: usize) {
        let now = Timestamp::from(SystemTime::now());
        let change =
            Change::Create { model: NewModel::new(engine::request(), now), limit: Some(LIMIT) };
        let write = Write::new(self.organisations[organisation].clone(), change);
        let outcome = self.store.apply(write).expect("the write is judged");
        assert!(matches!(outcome, Outcome::Created(_)), "the model is created");
    }

    fn count(&self) -> u64 {
        let first = Selection { limit: 1, ..Selection::default() };
        let lists = self.organisations.iter().map(|it| self.store.list(it, &first));
        lists.map(|list| list.expect("the list is read").total).sum()
    }
}
