//! Files and folders of a [`Folder`](super::Folder) in the file system.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::names::is_name;

/// The extension of a file that is still being written.
pub(super) const PART: &str = ".part";

/// Creates a folder in that of an organisation, durably. Returns false if a sweep removed a folder of the path at the same
/// time.
pub(super) fn make(root: &Path, folder: &Path) -> io::Result<bool> {
    let of_organisation = folder.parent().unwrap_or(root);
    let made = make_in(root, of_organisation).and_then(|()| make_in(of_organisation, folder));
    match made {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        made => made.map(|()| true),
    }
}

pub(super) fn make_in(parent: &Path, folder: &Path) -> io::Result<()> {
    match DirBuilder::new().owner_only().create(folder) {
        // The process that created it may not have synced it yet.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

/// Returns the inode of a folder, which differs from that of a copy; `None` on systems without inodes.
#[cfg(unix)]
pub(super) fn inode(folder: &Path) -> io::Result<Option<u64>> {
    Ok(Some(std::os::unix::fs::MetadataExt::ino(&fs::metadata(folder)?)))
}

#[cfg(not(unix))]
pub(super) fn inode(_: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Does nothing: folders cannot be synced here, and the system writes them in order.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates files and folders that their owner alone may use (PLACE-5).
pub(super) trait OwnerOnly {
    /// Sets the mode for a new file or folder. An existing one keeps its mode.
    fn owner_only(&mut self) -> &mut Self;
}

#[cfg(unix)]
impl OwnerOnly for OpenOptions {
    fn owner_only(&mut self) -> &mut Self {
        std::os::unix::fs::OpenOptionsExt::mode(self, 0o600)
    }
}

#[cfg(unix)]
impl OwnerOnly for DirBuilder {
    fn owner_only(&mut self) -> &mut Self {
        std::os::unix::fs::DirBuilderExt::mode(self, 0o700)
    }
}

#[cfg(not(unix))]
impl<T> OwnerOnly for T {
    fn owner_only(&mut self) -> &mut Self {
        self
    }
}

/// Returns the folders in a folder whose names parse as `T`.
pub(super) fn folders<T: std::str::FromStr>(folder: &Path) -> io::Result<Vec<T>> {
    Ok(entries(folder)?.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Returns the contents in a folder, complete ones and parts.
pub(super) fn files(folder: &Path) -> io::Result<Vec<String>> {
    let is_ours = |name: &String| is_name(name.strip_suffix(PART).unwrap_or(name));
    Ok(entries(folder)?.into_iter().filter(is_ours).collect())
}

/// Returns the names of the entries of a folder; nothing if the folder is missing.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let read = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        read => read?,
    };
    let mut all = Vec::new();
    for entry in read {
        if let Ok(name) = entry?.file_name().into_string() {
            all.push(name);
        }
    }
    Ok(all)
}

/// Takes the lock on a file; `None` if another process holds it, or the file is gone.
pub(super) fn unused(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(path.exists().then_some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(super) fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
