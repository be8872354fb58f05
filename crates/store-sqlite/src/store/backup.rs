//! Backups of a store in use, and stores restored from backups.

use std::error::Error;
use std::path::{Path, PathBuf};

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::error::store_error;
use crate::file::copy::copy;
use crate::file::open::layout_version;
use crate::file::path::{
    FileState, inspect, io_error, missing_store, path_error, sidecar_has_content,
};
use crate::file::private_copy::open_immutable;
use crate::file::staged_file::StagedFile;
use crate::store::SqliteStore;

impl SqliteStore {
    /// Copies the store into a new file for its owner alone. The copy is one consistent state with
    /// everything acknowledged before the call. Other threads and processes keep reading and
    /// writing. The file gets its name once it is complete and durable. Leftovers of a killed
    /// backup are removed.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] if `to` exists, its folder does not, or another process is
    /// writing the same backup; [`StoreErrorKind::Full`]; and the errors of a read.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = absolute(to.as_ref())?;
        let staged = StagedFile::begin(&to)?;
        self.original().read_with(|source| copy(source, staged.part()))?;
        staged.finish()
    }

    /// Creates a store from a backup, after checking that the backup is ours and complete. There
    /// must be nothing at `to`, and no write-ahead log beside it.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] if there is no backup; [`StoreErrorKind::NotOurs`],
    /// [`StoreErrorKind::Newer`] or [`StoreErrorKind::Damaged`] if the backup is so;
    /// [`StoreErrorKind::Unavailable`] if `to` exists, or `from` is a store in use.
    pub fn restore(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let (from, to) = (absolute(from.as_ref())?, absolute(to.as_ref())?);
        match inspect(&from)? {
            FileState::Missing => return Err(missing_store(&from, FileState::Missing)),
            FileState::Empty => {
                return Err(path_error(StoreErrorKind::NotOurs, &from, "an empty file"));
            }
            FileState::Present => {}
        }
        for ending in ["-wal", "-journal"] {
            if sidecar_has_content(&from, ending) {
                let what =
                    "a store with changes in a log beside it is no copy; make one with `backup`";
                return Err(path_error(StoreErrorKind::Unavailable, &from, what));
            }
        }
        let staged = StagedFile::begin(&to)?;
        let named = |error: StoreError| path_error(error.kind(), &from, causes(&error));
        let mut source = open_immutable(&from).map_err(named)?;
        copy(&mut source, staged.part()).and_then(|()| check(staged.part())).map_err(named)?;
        staged.finish()
    }
}

fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(|error| io_error(path, &error))
}

/// The text of an error and its cause.
fn causes(error: &StoreError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Checks that a copy is ours and complete. Writes nothing.
fn check(file: &Path) -> Result<(), StoreError> {
    let connection = open_immutable(file)?;
    if layout_version(&connection)? == 0 {
        return Err(StoreError::new(StoreErrorKind::NotOurs, "a database with nothing in it"));
    }
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(store_error)?;
    if found == "ok" { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Damaged, found)) }
}
