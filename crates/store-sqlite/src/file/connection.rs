//! Connections that delete no log of another store when they are closed.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::file::watch::FileWatch;

/// A connection to the files of a store, with the watch over them.
///
/// When SQLite closes its last connection, it deletes the write-ahead log by its path. If the files
/// have been replaced, that log may belong to another store, so nothing is deleted then.
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
            // A checkpoint saves its content into the database, as far as no reader blocks it.
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
