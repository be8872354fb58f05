//! Connections that are closed with care.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::file::watch::Watch;

/// A connection to the files of a store.
///
/// The last connection that SQLite closes deletes the write-ahead log by its path. If the files are no
/// longer those that were opened, that may be the log of another store: then nothing is deleted.
pub(crate) struct Held {
    connection: Connection,
    /// `None` for a private copy.
    watch: Option<Arc<Watch>>,
}

impl Held {
    pub(crate) fn new(connection: Connection, watch: Option<Arc<Watch>>) -> Self {
        Held { connection, watch }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(watch) = &self.watch else { return };
        let Err(moved) = watch.look() else { return };
        if watch.is_log_alone_gone(&moved) {
            // Its content is carried into the database, as far as nobody reads, and so is not lost.
            let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)");
        }
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

impl Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
