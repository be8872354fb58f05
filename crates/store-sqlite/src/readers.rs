//! Connections for reading. SQLite lets them read while a group is written.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use custom_models_core::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::fault::fault;
use crate::file::StoreFile;

/// How many idle connections are kept: opening one, and compiling statements for it, costs more than ten
/// reads. More readers at a time open one for the one call.
const KEPT: usize = 32;

/// A shelf of idle connections.
pub(crate) struct Readers {
    file: StoreFile,
    /// `None` once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(file: StoreFile) -> Self {
        Readers { file, idle: Mutex::new(Some(Vec::new())) }
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
        let idle = match &mut *self.lock() {
            None => return Err(StoreErrorKind::Closed.into()),
            Some(idle) => idle.pop(),
        };
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.file.open_for_reading()?,
        };
        // A connection that failed is not kept: the next one begins afresh.
        let result = read(&mut connection)?;
        if let Some(idle) = &mut *self.lock()
            && idle.len() < KEPT
        {
            idle.push(connection);
        }
        Ok(result)
    }

    /// Lets go of all connections; a read that is under way ends by itself.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
