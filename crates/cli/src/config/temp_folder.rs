//! Temporary folders, which are removed with their process, or by the next process if it was killed.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use tempfile::{Builder, TempDir};

/// The beginning of the name of such a folder.
const PREFIX: &str = "custom-models-";

/// The file in the folder that its process keeps locked.
const LOCK: &str = "custom-models.lock";

/// A folder that is removed when this is dropped.
pub(crate) struct TempFolder {
    // Closed before the folder is removed, because some systems need that.
    _lock: File,
    folder: TempDir,
}

impl TempFolder {
    /// Makes a folder. Before, removes the folders that killed processes of the same user have left.
    pub(crate) fn new() -> io::Result<Self> {
        let place = std::env::temp_dir();
        remove_left(&place);
        let folder = Builder::new().prefix(PREFIX).tempdir_in(place)?;
        // Renamed after it is locked, so that the file is never found unlocked while the process lives.
        let unnamed = folder.path().join(format!("{LOCK}.part"));
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(TempFolder { _lock: lock, folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes folders whose lock is free, and skips those that cannot be removed.
fn remove_left(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && let Some(_lock) = free_lock(&folder)
        {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Takes the lock of a folder of the same user, if no process holds it.
fn free_lock(folder: &Path) -> Option<File> {
    let lock = folder.join(LOCK);
    // Links are not followed, because other users may have made them.
    let of_folder = fs::symlink_metadata(folder).ok()?;
    if !of_folder.is_dir() || !is_own(&of_folder) || !fs::symlink_metadata(&lock).ok()?.is_file() {
        return None;
    }
    let file = File::open(lock).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

#[cfg(unix)]
fn is_own(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(found) == rustix::process::geteuid().as_raw()
}

/// Temporary folders are each user's own here.
#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}
