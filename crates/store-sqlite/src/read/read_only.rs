//! Stores opened for reading alone (PLACE-1, PLACE-5).
//!
//! The owner of a database reads it in place: files that SQLite creates beside it are the owner's,
//! and vanish with the last connection. Other users, and processes that may create no files there,
//! read a private copy. A store in an older layout is always copied, and the copy migrated.

use std::sync::Arc;

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::store_error;
use crate::file::connection::WatchedConnection;
use crate::file::copy::copy;
use crate::file::open::{StoreFile, layout_version, migrate, open_log};
use crate::file::path::{
    FileState, create_file, inspect, is_owner, missing_store, sidecar, sidecar_has_content,
};
use crate::file::private_copy::{PrivateFolder, private_copy};
use crate::file::watch::FileWatch;
use crate::read::pool::ReadPool;
use crate::schema::MIGRATIONS;

/// The connections of a store opened for reading alone.
pub(crate) struct ReadOnlyStore {
    pub(crate) readers: ReadPool,
    /// The file in its own layout, if the readers have a copy in the current one.
    pub(crate) original: Option<ReadPool>,
}

pub(crate) fn open(file: StoreFile) -> Result<ReadOnlyStore, StoreError> {
    match inspect(&file.path)? {
        FileState::Present => {}
        found => return Err(missing_store(&file.path, found)),
    }
    let source = match in_place(&file)? {
        Some(source) => source,
        None => {
            let (copy, folder) = private_copy(&file)?;
            ReadPool::new(copy, None).within(folder)
        }
    };
    let version = source.read_with(|connection| layout_version(connection))?;
    match version {
        0 => Err(missing_store(&file.path, FileState::Empty)),
        version if version == MIGRATIONS.len() => {
            Ok(ReadOnlyStore { readers: source, original: None })
        }
        _ => Ok(ReadOnlyStore { readers: migrated_copy(&file, &source)?, original: Some(source) }),
    }
}

/// Reads the file in place. Returns `None` if that would leave files of another owner, or is
/// impossible.
fn in_place(file: &StoreFile) -> Result<Option<ReadPool>, StoreError> {
    if !is_owner(&file.path) {
        return Ok(None);
    }
    // Only a store opened for writing may apply a log or journal that was left behind.
    let is_read_only =
        sidecar_has_content(&file.path, "-wal") || sidecar_has_content(&file.path, "-journal");
    let file = StoreFile { is_read_only, ..file.clone() };
    match anchored(&file) {
        Ok(readers) => Ok(Some(readers)),
        Err(error) if error.kind() == StoreErrorKind::Unavailable => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a pool with a connection that stays open, so that no other process closes the last one.
fn anchored(file: &StoreFile) -> Result<ReadPool, StoreError> {
    let watch = FileWatch::new(&file.path)?;
    let anchor = file.open_for_reading()?;
    layout_version(&anchor)?;
    open_log(&anchor)?;
    if sidecar(&file.path, "-wal").exists() {
        watch.watch_logs()?;
    }
    watch.check().map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))?;
    let watch = Arc::new(watch);
    let readers = ReadPool::new(file.clone(), Some(Arc::clone(&watch)));
    Ok(readers.anchored_by(WatchedConnection::new(anchor, Some(watch))))
}

/// Makes a private copy, migrated to the current layout.
fn migrated_copy(file: &StoreFile, source: &ReadPool) -> Result<ReadPool, StoreError> {
    let folder = PrivateFolder::new()?;
    let path = folder.path().join("current.db");
    create_file(&path)?;
    source.read_with(|connection| copy(connection, &path))?;
    let mut connection = Connection::open(&path).map_err(store_error)?;
    migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| store_error(error))?;
    let copy = StoreFile { path, is_read_only: false, ..file.clone() };
    Ok(ReadPool::new(copy, None).within(folder))
}
