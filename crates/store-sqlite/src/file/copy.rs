//! Online copies of a database, made by SQLite.

use std::path::Path;
use std::time::Duration;

use custom_models_core::store::StoreError;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::error::store_error;
use crate::file::open::open_log;

/// The number of pages copied per step.
const PAGES: i32 = 1000;

/// Copies the database as one read transaction sees it. The open transaction keeps writes from
/// restarting the copy.
pub(crate) fn copy(source: &mut Connection, to: &Path) -> Result<(), StoreError> {
    let snapshot = source.transaction().map_err(store_error)?;
    open_log(&snapshot)?;
    let mut copy = Connection::open(to).map_err(store_error)?;
    // No journal: nobody uses the copy before it is complete.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(store_error)?;
    let backup = Backup::new(&snapshot, &mut copy).map_err(store_error)?;
    backup.run_to_completion(PAGES, Duration::ZERO, None).map_err(store_error)?;
    drop(backup);
    copy.close().map_err(|(_, error)| store_error(error))
}
