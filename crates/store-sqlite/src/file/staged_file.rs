//! Files that get their name once they are complete and durable.
//!
//! The content goes to `NAME.part`, under a lock on `NAME.part.lock`. The system releases the lock
//! of a process that dies, so the next process knows that the leftovers are unused, and removes
//! them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::file::open::sync_folder;
use crate::file::path::{FileId, create_file, io_error, path_error, private_options, sidecar};

/// A file without its final name. Dropping it before [`StagedFile::finish`] removes it.
pub(crate) struct StagedFile {
    to: PathBuf,
    part: PathBuf,
    lock: PathBuf,
    _locked: File,
}

impl StagedFile {
    /// Creates an empty file for its owner alone. There must be nothing at the final name, and no
    /// log beside it.
    pub(crate) fn begin(to: &Path) -> Result<Self, StoreError> {
        let (part, lock) = (appended(to, ".part"), appended(to, ".part.lock"));
        let (locked, was_left) = take(&lock)?;
        let staged = StagedFile { to: to.to_owned(), part, lock, _locked: locked };
        if was_left {
            // Not overwritten: it may be a second name of a finished file.
            let removed = fs::remove_file(&staged.part);
            removed.or_else(unless_missing).map_err(|error| io_error(&staged.part, &error))?;
        } else if staged.part.exists() {
            // Nobody who respects the lock created it.
            let other = staged.part.clone();
            staged.abandon();
            return Err(taken(&other));
        }
        if fs::symlink_metadata(to).is_ok() {
            return Err(taken(to));
        }
        let log = sidecar(to, "-wal");
        if log.exists() {
            let what = "a write-ahead log of another store lies here; end whoever uses that store, and move the \
                log away or its database back";
            return Err(path_error(StoreErrorKind::Unavailable, &log, what));
        }
        create_file(&staged.part)?;
        Ok(staged)
    }

    /// The path to write to.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// Makes the file durable and gives it its name, unless the name is taken by now.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        let written = OpenOptions::new().write(true).open(&self.part);
        let synced = written.and_then(|file| file.sync_all());
        synced.map_err(|error| io_error(&self.part, &error))?;
        fs::hard_link(&self.part, &self.to).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(&self.to),
            _ => io_error(&self.to, &error),
        })?;
        sync_folder(&self.to)
    }

    /// Removes only the lock.
    fn abandon(mut self) {
        self.part = PathBuf::new();
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // The next process that takes the lock removes what is left.
        if !self.part.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.part);
        }
        let _ = fs::remove_file(&self.lock);
    }
}

fn appended(to: &Path, ending: &str) -> PathBuf {
    let mut path = to.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn taken(path: &Path) -> StoreError {
    path_error(StoreErrorKind::Unavailable, path, "there is something already")
}

fn unless_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Takes the lock. The flag is true if a process that died left it behind.
fn take(lock: &Path) -> Result<(File, bool), StoreError> {
    let io_error = |error: std::io::Error| io_error(lock, &error);
    loop {
        let (file, was_left) = match private_options().create_new(true).open(lock) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                match OpenOptions::new().write(true).open(lock) {
                    Ok(file) => (file, true),
                    // Its owner has just removed it.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(io_error(error)),
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = lock.parent().unwrap_or(lock);
                return Err(path_error(StoreErrorKind::Unavailable, folder, "no such folder"));
            }
            Err(error) => return Err(io_error(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let what = "another process is writing the file that this lock is for";
                return Err(path_error(StoreErrorKind::Unavailable, lock, what));
            }
            Err(TryLockError::Error(error)) => return Err(io_error(error)),
        }
        // Its owner may have removed it before this process had the lock.
        let locked = FileId::of(&file.metadata().map_err(io_error)?);
        if FileId::at(lock).is_ok_and(|found| found == locked) {
            return Ok((file, was_left));
        }
    }
}
