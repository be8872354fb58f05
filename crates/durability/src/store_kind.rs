//! The kinds of stores under test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{Store, StoreError};
use custom_models_store_sled::SledStore;
use custom_models_store_sqlite::SqliteStore;
use custom_models_training_data::{ContentStore, Folder};

use crate::BoxError;

/// A store under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// `SqliteStore`.
    Sqlite,
    /// `SledStore`.
    Sled,
    /// `SledStore` with sled's own flush alone: a control that must lose data at a power cut.
    FlushOnlySled,
}

impl StoreKind {
    /// Every kind that must keep acknowledged writes.
    pub const DURABLE: [StoreKind; 2] = [StoreKind::Sqlite, StoreKind::Sled];

    /// Returns its name in tests and on the command line of the load.
    pub fn word(self) -> &'static str {
        match self {
            StoreKind::Sqlite => "sqlite",
            StoreKind::Sled => "sled",
            StoreKind::FlushOnlySled => "flush-only-sled",
        }
    }

    /// Returns true if a read may see a model before it is durable, as the sled adapter documents.
    pub fn shows_early(self) -> bool {
        !matches!(self, StoreKind::Sqlite)
    }

    /// Returns the file that must be synced before the store acknowledges anything.
    pub fn log(self, place: &Path) -> PathBuf {
        match self {
            StoreKind::Sqlite => beside(place, "-wal"),
            StoreKind::Sled | StoreKind::FlushOnlySled => place.join("db"),
        }
    }

    /// Opens the store of a place, or creates it.
    pub fn open(self, place: &Path) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            StoreKind::Sqlite => Arc::new(SqliteStore::open(place)?),
            StoreKind::Sled => Arc::new(SledStore::open(place)?),
            StoreKind::FlushOnlySled => Arc::new(SledStore::open_flush_only(place)?),
        })
    }

    /// Opens the folder of training data of a place for its store. Files of any age are swept there.
    pub fn contents(
        place: &Path,
        store: &Arc<dyn Store>,
    ) -> Result<Arc<dyn ContentStore>, StoreError> {
        let folder = Folder::open(beside(place, ".data"), &**store)?;
        Ok(Arc::new(folder.with_min_age(Duration::ZERO)))
    }
}

fn beside(place: &Path, ending: &str) -> PathBuf {
    let mut path = place.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for StoreKind {
    type Err = BoxError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut kinds = StoreKind::DURABLE.into_iter().chain([StoreKind::FlushOnlySled]);
        kinds.find(|kind| kind.word() == word).ok_or_else(|| format!("no store `{word}`").into())
    }
}
