//! Copies of a store, made while it is used, and stores made of copies.

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
    /// Copies the store, as it is at one moment, into a new file for its owner alone: everything that was
    /// acknowledged before the call, and no half of anything. Other processes and threads read and write on. The
    /// file has its name when it is whole and durable. What a copy that was killed has left is removed.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] if there is something at the place already, or no folder, or another
    /// process is making the same copy; those of a read; and [`StoreErrorKind::Full`].
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = absolute(to.as_ref())?;
        let staged = StagedFile::begin(&to)?;
        self.original().read_with(|source| copy(source, staged.part()))?;
        staged.finish()
    }

    /// Makes a store of a copy, after making sure that the copy is ours and whole. There must be nothing
    /// at the place yet, nor a write-ahead log beside it.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] if there is no copy; [`StoreErrorKind::NotOurs`], [`StoreErrorKind::Newer`] and
    /// [`StoreErrorKind::Damaged`], of the copy; [`StoreErrorKind::Unavailable`] if there is something at the
    /// place already, or a store that is in use instead of a copy.
    pub fn restore(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let (from, to) = (absolute(from.as_ref())?, absolute(to.as_ref())?);
        match inspect(&from)? {
            FileState::Nothing => return Err(missing_store(&from, FileState::Nothing)),
            FileState::Empty => {
                return Err(path_error(StoreErrorKind::NotOurs, &from, "an empty file"));
            }
            FileState::File => {}
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

/// A fault and its cause.
fn causes(error: &StoreError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Makes sure that a copy is ours and whole. Nothing is written.
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
