//! Connections for reading. SQLite lets them read while a group is written.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::fault;
use crate::file::held::Held;
use crate::file::open::StoreFile;
use crate::file::private_copy::Folder;
use crate::file::watch::Watch;

/// The number of idle connections that are kept. Opening one, and compiling statements for it, costs
/// more than ten reads. More readers at a time open one for the one call.
const KEPT: usize = 32;

/// A shelf of idle connections.
pub(crate) struct Readers {
    file: StoreFile,
    /// `None` for a private copy.
    watch: Option<Arc<Watch>>,
    /// `None` once the store is closed.
    shelf: Mutex<Option<Shelf>>,
    /// The folder of a private copy. It stands behind the connections, so that it is removed after them.
    folder: Option<Folder>,
}

#[derive(Default)]
struct Shelf {
    idle: Vec<Held>,
    /// A connection that nobody reads with.
    _anchor: Option<Held>,
}

impl Readers {
    pub(crate) fn new(file: StoreFile, watch: Option<Arc<Watch>>) -> Self {
        Readers { file, watch, shelf: Mutex::new(Some(Shelf::default())), folder: None }
    }

    /// With a connection that keeps the files open as long as the readers are.
    pub(crate) fn anchored_by(mut self, anchor: Held) -> Self {
        let shelf = Shelf { idle: Vec::new(), _anchor: Some(anchor) };
        self.shelf = Mutex::new(Some(shelf));
        self
    }

    /// With the folder of a private copy.
    pub(crate) fn within(mut self, folder: Folder) -> Self {
        self.folder = Some(folder);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Reads with a connection of its own.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.read_with(|connection| read(connection).map_err(fault))
    }

    /// [`Readers::read`] for what fails in other ways than SQLite does.
    pub(crate) fn read_with<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::from(StoreErrorKind::Closed);
        self.lock().as_ref().ok_or_else(closed)?;
        if let Some(watch) = &self.watch {
            // A connection would go on reading a file that is no longer there (PLACE-3).
            let look = watch.look_lately();
            look.map_err(|moved| moved.fault(StoreErrorKind::Unavailable))?;
        }
        let idle = self.lock().as_mut().ok_or_else(closed)?.idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Held::new(self.file.open_for_reading()?, self.watch.clone()),
        };
        // A connection that failed is not kept: the next one begins afresh.
        let result = read(&mut connection)?;
        if let Some(shelf) = &mut *self.lock()
            && shelf.idle.len() < KEPT
        {
            shelf.idle.push(connection);
        }
        Ok(result)
    }

    /// Lets go of all connections; a read that is under way ends by itself.
    pub(crate) fn close(&self) {
        let shelf = self.lock().take();
        drop(shelf);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shelf>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
