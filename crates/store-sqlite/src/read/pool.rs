//! Connections for reading. SQLite lets them read while a group is written.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::store_error;
use crate::file::connection::WatchedConnection;
use crate::file::open::StoreFile;
use crate::file::private_copy::PrivateFolder;
use crate::file::watch::FileWatch;

/// The number of idle connections that are kept. Opening one, and compiling statements for it, costs
/// more than ten reads. More readers at a time open one for the one call.
const MAX_IDLE: usize = 32;

/// A shelf of idle connections.
pub(crate) struct ReadPool {
    file: StoreFile,
    /// `None` for a private copy.
    watch: Option<Arc<FileWatch>>,
    /// `None` once the store is closed.
    connections: Mutex<Option<Connections>>,
    /// The folder of a private copy. It stands behind the connections, so that it is removed after them.
    folder: Option<PrivateFolder>,
}

#[derive(Default)]
struct Connections {
    idle: Vec<WatchedConnection>,
    /// A connection that nobody reads with.
    _anchor: Option<WatchedConnection>,
}

impl ReadPool {
    pub(crate) fn new(file: StoreFile, watch: Option<Arc<FileWatch>>) -> Self {
        ReadPool {
            file,
            watch,
            connections: Mutex::new(Some(Connections::default())),
            folder: None,
        }
    }

    /// With a connection that keeps the files open as long as the readers are.
    pub(crate) fn anchored_by(mut self, anchor: WatchedConnection) -> Self {
        let connections = Connections { idle: Vec::new(), _anchor: Some(anchor) };
        self.connections = Mutex::new(Some(connections));
        self
    }

    /// With the folder of a private copy.
    pub(crate) fn within(mut self, folder: PrivateFolder) -> Self {
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
        self.read_with(|connection| read(connection).map_err(store_error))
    }

    /// [`ReadPool::read`] for what fails in other ways than SQLite does.
    pub(crate) fn read_with<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::from(StoreErrorKind::Closed);
        self.lock().as_ref().ok_or_else(closed)?;
        if let Some(watch) = &self.watch {
            // A connection would go on reading a file that is no longer there (PLACE-3).
            let check = watch.check_if_stale();
            check.map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))?;
        }
        let idle = self.lock().as_mut().ok_or_else(closed)?.idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => WatchedConnection::new(self.file.open_for_reading()?, self.watch.clone()),
        };
        // A connection that failed is not kept: the next one begins afresh.
        let result = read(&mut connection)?;
        if let Some(connections) = &mut *self.lock()
            && connections.idle.len() < MAX_IDLE
        {
            connections.idle.push(connection);
        }
        Ok(result)
    }

    /// Lets go of all connections; a read that is under way ends by itself.
    pub(crate) fn close(&self) {
        let connections = self.lock().take();
        drop(connections);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connections>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
