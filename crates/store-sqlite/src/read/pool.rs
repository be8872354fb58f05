//! A pool of connections for reading. SQLite lets them read while a group is written.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::store_error;
use crate::file::connection::WatchedConnection;
use crate::file::open::StoreFile;
use crate::file::private_copy::PrivateFolder;
use crate::file::watch::FileWatch;

/// The most idle connections. Opening one and compiling its statements costs more than ten reads.
/// Further concurrent readers open a connection for one call.
const MAX_IDLE: usize = 32;

/// A pool of connections for reading one file.
pub(crate) struct ReadPool {
    file: StoreFile,
    /// `None` for a private copy.
    watch: Option<Arc<FileWatch>>,
    /// `None` once the store is closed.
    connections: Mutex<Option<Connections>>,
    /// The folder of a private copy. Declared after the connections, so that it is dropped after
    /// them.
    folder: Option<PrivateFolder>,
}

#[derive(Default)]
struct Connections {
    idle: Vec<WatchedConnection>,
    /// A connection that only keeps the files open.
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

    /// Adds a connection that keeps the files open as long as the pool.
    pub(crate) fn anchored_by(mut self, anchor: WatchedConnection) -> Self {
        let connections = Connections { idle: Vec::new(), _anchor: Some(anchor) };
        self.connections = Mutex::new(Some(connections));
        self
    }

    /// Adds the folder of a private copy.
    pub(crate) fn within(mut self, folder: PrivateFolder) -> Self {
        self.folder = Some(folder);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Runs a read on a connection of its own.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.read_with(|connection| read(connection).map_err(store_error))
    }

    /// [`ReadPool::read`] for reads with errors other than SQLite's.
    pub(crate) fn read_with<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::from(StoreErrorKind::Closed);
        self.lock().as_ref().ok_or_else(closed)?;
        if let Some(watch) = &self.watch {
            // Without the check a connection would keep reading a file that is gone (PLACE-3).
            let check = watch.check_if_stale();
            check.map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))?;
        }
        let idle = self.lock().as_mut().ok_or_else(closed)?.idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => WatchedConnection::new(self.file.open_for_reading()?, self.watch.clone()),
        };
        // A connection that failed is dropped: the next read opens a new one.
        let result = read(&mut connection)?;
        if let Some(connections) = &mut *self.lock()
            && connections.idle.len() < MAX_IDLE
        {
            connections.idle.push(connection);
        }
        Ok(result)
    }

    /// Drops all idle connections. Reads in progress finish.
    pub(crate) fn close(&self) {
        let connections = self.lock().take();
        drop(connections);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connections>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
