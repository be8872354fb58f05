//! The store under test.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{Store, StoreError};
use custom_models_training_data::{ContentStore, Folder};

/// A function that opens the store of a path, or creates it.
pub type Open = fn(&Path) -> Result<Arc<dyn Store>, StoreError>;

/// A store under test: its name, and the function that opens it.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    name: &'static str,
    open: Open,
    shows_early: bool,
    is_unsure_when_full: bool,
    log: Option<fn(&Path) -> PathBuf>,
}

impl Subject {
    /// Creates a subject. Its name begins the names of its tests. `open` opens the store of a path, a file or a
    /// folder, or creates it.
    pub const fn new(name: &'static str, open: Open) -> Self {
        Subject { name, open, shows_early: false, is_unsure_when_full: false, log: None }
    }

    /// Declares that a read may see a model before it is durable.
    #[must_use]
    pub const fn shows_early(self) -> Self {
        Subject { shows_early: true, ..self }
    }

    /// Declares that a full disk may leave the outcome of a write unknown, and that the store cannot be read
    /// before there is space.
    #[must_use]
    pub const fn unsure_when_full(self) -> Self {
        Subject { is_unsure_when_full: true, ..self }
    }

    /// Names the file, by the path of the store, that is written and synced before every acknowledgement. The
    /// test of that order needs it.
    #[must_use]
    pub const fn log(self, log: fn(&Path) -> PathBuf) -> Self {
        Subject { log: Some(log), ..self }
    }

    /// Returns its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn is_early(&self) -> bool {
        self.shows_early
    }

    pub(crate) const fn is_unsure(&self) -> bool {
        self.is_unsure_when_full
    }

    pub(crate) const fn log_of(&self) -> Option<fn(&Path) -> PathBuf> {
        self.log
    }

    /// Opens the store of a path, or creates it.
    pub fn open(&self, place: &Path) -> Result<Arc<dyn Store>, StoreError> {
        (self.open)(place)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Opens the folder of training data of a path for its store. Files of any age are swept there.
pub fn contents(place: &Path, store: &Arc<dyn Store>) -> Result<Arc<dyn ContentStore>, StoreError> {
    let mut path = place.as_os_str().to_owned();
    path.push(".data");
    let folder = Folder::open(PathBuf::from(path), &**store)?;
    Ok(Arc::new(folder.with_min_age(Duration::ZERO)))
}
