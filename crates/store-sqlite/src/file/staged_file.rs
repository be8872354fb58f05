//! Files that are written aside and get their name when they are whole and durable.
//!
//! Beside the final name lie `NAME.part`, which is written, and `NAME.part.lock`, which the process that writes
//! it has locked. The system takes the lock from a process that dies, so the next one knows that what is left
//! is nobody's, and removes it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::file::open::sync_folder;
use crate::file::path::{FileId, create_file, io_error, path_error, private_options, sidecar};

/// A file that has no name of its own yet. What is not finished is removed.
pub(crate) struct StagedFile {
    to: PathBuf,
    part: PathBuf,
    lock: PathBuf,
    _locked: File,
}

impl StagedFile {
    /// Makes an empty file for its owner alone. Nothing may be at the final name, nor a log beside it.
    pub(crate) fn begin(to: &Path) -> Result<Self, StoreError> {
        let (part, lock) = (appended(to, ".part"), appended(to, ".part.lock"));
        let (locked, was_left) = take(&lock)?;
        let staged = StagedFile { to: to.to_owned(), part, lock, _locked: locked };
        if was_left {
            // Never written over: it may be another name of a file that is finished.
            let removed = fs::remove_file(&staged.part);
            removed.or_else(unless_missing).map_err(|error| io_error(&staged.part, &error))?;
        } else if staged.part.exists() {
            // Nobody who keeps to the lock has made it.
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

    /// The file to be written.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// Makes the file durable and gives it its name, which nobody else has taken meanwhile.
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

    /// Removes the lock alone.
    fn abandon(mut self) {
        self.part = PathBuf::new();
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next one who takes the lock.
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

/// Takes the lock, and says whether a process that died has left it.
fn take(lock: &Path) -> Result<(File, bool), StoreError> {
    let io_error = |error: std::io::Error| io_error(lock, &error);
    loop {
        let (file, was_left) = match private_options().create_new(true).open(lock) {
            Ok(file) => (file, false),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                match OpenOptions::new().write(true).open(lock) {
                    Ok(file) => (file, true),
                    // Whoever had it has removed it.
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
        // Whoever had it may have removed it before this one had the lock.
        let locked = FileId::of(&file.metadata().map_err(io_error)?);
        if FileId::at(lock).is_ok_and(|found| found == locked) {
            return Ok((file, was_left));
        }
    }
}
