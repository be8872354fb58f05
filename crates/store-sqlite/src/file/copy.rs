//! Copies of a database, made with SQLite while it is used.

use std::path::Path;
use std::time::Duration;

use custom_models_core::store::StoreError;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::error::store_error;
use crate::file::open::open_log;

/// The number of pages that are copied at a time.
const PAGES: i32 = 1000;

/// Copies what one transaction sees. While it is open no write of another makes the copy begin anew.
pub(crate) fn copy(source: &mut Connection, to: &Path) -> Result<(), StoreError> {
    let snapshot = source.transaction().map_err(store_error)?;
    open_log(&snapshot)?;
    let mut copy = Connection::open(to).map_err(store_error)?;
    // Nothing is left beside the copy, which nobody uses before it is whole.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(store_error)?;
    let backup = Backup::new(&snapshot, &mut copy).map_err(store_error)?;
    backup.run_to_completion(PAGES, Duration::ZERO, None).map_err(store_error)?;
    drop(backup);
    copy.close().map_err(|(_, error)| store_error(error))
}
