//! Copies of a store, made while it is used, and stores made of copies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::{StoreError, StoreErrorKind};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::SqliteStore;
use crate::fault::fault;
use crate::file::{recognise, sync_folder};

/// How many pages are copied at a time.
const PAGES: i32 = 1000;

impl SqliteStore {
    /// Copies the store, as it is at one moment, into a new file: everything that was acknowledged
    /// before the call, and no half of anything. Other processes and threads read and write on. The file
    /// has its name when it is whole and durable.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] if there is something at the place already, or no folder; those of a
    /// read; and [`StoreErrorKind::Full`].
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = std::path::absolute(to).map_err(unavailable)?;
        let part = new_part(&to)?;
        let copied = self.readers.read_with(|source| copy(source, &part));
        finish(copied, &part, &to)
    }

    /// Makes a store of a copy, after making sure that the copy is ours and whole. There must be nothing
    /// at the place yet.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::NotOurs`], [`StoreErrorKind::Newer`] and [`StoreErrorKind::Damaged`], of the copy;
    /// [`StoreErrorKind::Unavailable`] if there is something at the place already, or nothing to copy from,
    /// or a store that is in use instead of a copy.
    pub fn restore(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = std::path::absolute(to).map_err(unavailable)?;
        let from = std::path::absolute(from).map_err(unavailable)?;
        if has_log(&from) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "a store in use is no copy"));
        }
        let part = new_part(&to)?;
        let copied = fs::copy(&from, &part).map_err(unavailable).and_then(|_| check(&part));
        finish(copied, &part, &to)
    }
}

/// An empty file beside the place that something new is to have.
fn new_part(to: &Path) -> Result<PathBuf, StoreError> {
    let taken = || StoreError::new(StoreErrorKind::Unavailable, "there is something already");
    if to.exists() || has_log(to) {
        return Err(taken());
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    match OpenOptions::new().write(true).create_new(true).open(&part) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken()),
        made => made.map(|_| part).map_err(unavailable),
    }
}

/// Whether a log lies beside a file, as it does while a store is used.
fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0)
}

/// Copies what one transaction sees. While it is open no write of another makes the copy begin anew.
fn copy(source: &mut Connection, to: &Path) -> Result<(), StoreError> {
    let snapshot = source.transaction().map_err(fault)?;
    snapshot
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u64>(0))
        .map_err(fault)?;
    let mut copy = Connection::open(to).map_err(fault)?;
    let backup = Backup::new(&snapshot, &mut copy).map_err(fault)?;
    backup.run_to_completion(PAGES, Duration::ZERO, None).map_err(fault)?;
    drop(backup);
    copy.close().map_err(|(_, error)| fault(error))
}

/// Makes sure that a file is ours and whole. Nothing is written.
fn check(file: &Path) -> Result<(), StoreError> {
    let damaged = |cause: String| StoreError::new(StoreErrorKind::Damaged, cause);
    // SQLite does not look at files that are shorter than its smallest page.
    if fs::metadata(file).map_err(unavailable)?.len() < 512 {
        return Err(StoreErrorKind::NotOurs.into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{}?immutable=1", escaped(file));
    let connection = Connection::open_with_flags(uri, flags).map_err(fault)?;
    if recognise(&connection)? == 0 {
        return Err(StoreErrorKind::NotOurs.into());
    }
    let found: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fault)?;
    if found == "ok" { Ok(()) } else { Err(damaged(found)) }
}

/// A path as part of a URI.
fn escaped(file: &Path) -> String {
    file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Gives what is whole its name, and removes what is not.
fn finish(copied: Result<(), StoreError>, part: &Path, to: &Path) -> Result<(), StoreError> {
    let named = copied.and_then(|()| {
        File::open(part).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::hard_link(part, to).map_err(unavailable)?;
        fs::remove_file(part).map_err(failed)?;
        sync_folder(to)
    });
    if named.is_err() {
        // What cannot be removed is in the way of the next copy, which says so.
        let _ = fs::remove_file(part);
    }
    named
}

fn unavailable(cause: io::Error) -> StoreError {
    let kind = match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, cause)
}

fn failed(cause: io::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Failed, cause)
}
