//! Stores that are opened for reading alone (PLACE-1, PLACE-5).
//!
//! The owner of a database reads it in its place: files that SQLite makes beside it are its owner's and go
//! with the last connection. Anybody else, and whoever may make no files there, reads a private copy, and so
//! does everybody if the layout is older: the copy is brought to the current one.

use std::sync::Arc;

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::fault;
use crate::file::copy::copy;
use crate::file::held::Held;
use crate::file::open::{StoreFile, migrate, open_log, recognise};
use crate::file::path::{Found, beside, has_content, is_owner, look_at, make, missing};
use crate::file::private_copy::{Folder, private_copy};
use crate::file::watch::Watch;
use crate::read::pool::Readers;
use crate::schema::MIGRATIONS;

/// A store that is read.
pub(crate) struct Reading {
    pub(crate) readers: Readers,
    /// The file in its own layout, if the readers have a copy in the current one.
    pub(crate) original: Option<Readers>,
}

pub(crate) fn open(file: StoreFile) -> Result<Reading, StoreError> {
    match look_at(&file.path)? {
        Found::File => {}
        found => return Err(missing(&file.path, found)),
    }
    let source = match in_place(&file)? {
        Some(source) => source,
        None => {
            let (copy, folder) = private_copy(&file)?;
            Readers::new(copy, None).within(folder)
        }
    };
    let version = source.read_with(|connection| recognise(connection))?;
    match version {
        0 => Err(missing(&file.path, Found::Empty)),
        version if version == MIGRATIONS.len() => Ok(Reading { readers: source, original: None }),
        _ => Ok(Reading { readers: migrated(&file, &source)?, original: Some(source) }),
    }
}

/// Reads the file where it lies, unless that would leave files of another owner, or cannot be.
fn in_place(file: &StoreFile) -> Result<Option<Readers>, StoreError> {
    if !is_owner(&file.path) {
        return Ok(None);
    }
    // What was left in a log or a journal is for a command that writes to carry into the file.
    let is_read_only = has_content(&file.path, "-wal") || has_content(&file.path, "-journal");
    let file = StoreFile { is_read_only, ..file.clone() };
    match anchored(&file) {
        Ok(readers) => Ok(Some(readers)),
        Err(error) if error.kind() == StoreErrorKind::Unavailable => Ok(None),
        Err(error) => Err(error),
    }
}

/// Readers with a connection that stays, so that nobody else's is the last one meanwhile.
fn anchored(file: &StoreFile) -> Result<Readers, StoreError> {
    let watch = Watch::new(&file.path)?;
    let anchor = file.open_for_reading()?;
    recognise(&anchor)?;
    open_log(&anchor)?;
    if beside(&file.path, "-wal").exists() {
        watch.begin_logs()?;
    }
    watch.look().map_err(|moved| moved.fault(StoreErrorKind::Unavailable))?;
    let watch = Arc::new(watch);
    let readers = Readers::new(file.clone(), Some(Arc::clone(&watch)));
    Ok(readers.anchored_by(Held::new(anchor, Some(watch))))
}

/// A private copy in the current layout.
fn migrated(file: &StoreFile, source: &Readers) -> Result<Readers, StoreError> {
    let folder = Folder::new()?;
    let path = folder.path().join("current.db");
    make(&path)?;
    source.read_with(|connection| copy(connection, &path))?;
    let mut connection = Connection::open(&path).map_err(fault)?;
    migrate(&mut connection)?;
    connection.close().map_err(|(_, error)| fault(error))?;
    let copy = StoreFile { path, is_read_only: false, ..file.clone() };
    Ok(Readers::new(copy, None).within(folder))
}
