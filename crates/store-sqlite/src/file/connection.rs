//! Connections that are closed with care.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::file::watch::FileWatch;

/// A connection to the files of a store.
///
/// The last connection that SQLite closes deletes the write-ahead log by its path. If the files are no
/// longer those that were opened, that may be the log of another store: then nothing is deleted.
pub(crate) struct WatchedConnection {
    connection: Connection,
    /// `None` for a private copy.
    watch: Option<Arc<FileWatch>>,
}

impl WatchedConnection {
    pub(crate) fn new(connection: Connection, watch: Option<Arc<FileWatch>>) -> Self {
        WatchedConnection { connection, watch }
    }
}

impl Drop for WatchedConnection {
    fn drop(&mut self) {
        let Some(watch) = &self.watch else { return };
        let Err(moved) = watch.check() else { return };
        if watch.is_only_log_gone(&moved) {
            // Its content is carried into the database, as far as nobody reads, and so is not lost.
            let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)");
        }
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

impl Deref for WatchedConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for WatchedConnection {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
