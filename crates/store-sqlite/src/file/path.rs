//! The files of a store, inspected by path and never opened.
//!
//! Closing any handle of a file drops all locks that this process holds on it, those of SQLite's
//! connections included. Another process could then delete the log that they write.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use custom_models_core::store::{StoreError, StoreErrorKind};

/// The state of the path of a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    Missing,
    /// A file of 0 bytes.
    Empty,
    /// A file long enough for a database.
    Present,
}

/// An error about a path, with the reason.
pub(crate) fn path_error(
    kind: StoreErrorKind,
    path: &Path,
    what: impl std::fmt::Display,
) -> StoreError {
    StoreError::new(kind, format!("{}: {what}", path.display()))
}

/// An error of the file system at a path.
pub(crate) fn io_error(path: &Path, cause: &io::Error) -> StoreError {
    let kind = match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    };
    path_error(kind, path, cause)
}

/// The path of a file that SQLite keeps beside a database. SQLite derives it from the target of
/// symbolic links.
pub(crate) fn sidecar(database: &Path, ending: &str) -> PathBuf {
    let is_link = fs::symlink_metadata(database).is_ok_and(|it| it.is_symlink());
    let real = if is_link { fs::canonicalize(database).ok() } else { None };
    let mut path = real.map_or_else(|| database.as_os_str().to_owned(), OsString::from);
    path.push(ending);
    path.into()
}

/// Returns true if there is such a file beside the database and it is not empty.
pub(crate) fn sidecar_has_content(database: &Path, ending: &str) -> bool {
    fs::metadata(sidecar(database, ending)).is_ok_and(|found| found.len() > 0)
}

/// Inspects the path of a store (PLACE-1). Refuses a file shorter than SQLite's smallest page,
/// which SQLite would take for an empty database and overwrite, and a write-ahead log without its
/// database, which SQLite would delete.
pub(crate) fn inspect(path: &Path) -> Result<FileState, StoreError> {
    // If another process creates the store during the first inspection, only that one fails.
    inspect_once(path).or_else(|_| inspect_once(path))
}

fn inspect_once(path: &Path) -> Result<FileState, StoreError> {
    const SMALLEST_PAGE: u64 = 512;
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(path_error(StoreErrorKind::Unavailable, path, "not a file"))
        }
        Ok(found) if found.len() >= SMALLEST_PAGE => Ok(FileState::Present),
        Ok(found) if found.len() > 0 => Err(too_short(path)),
        Ok(_) => refuse_orphan_log(path).map(|()| FileState::Empty),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(path, &error)),
        Err(_) if fs::symlink_metadata(path).is_ok() => Err(path_error(
            StoreErrorKind::Unavailable,
            path,
            "a link to a file that does not exist",
        )),
        Err(_) => refuse_orphan_log(path).map(|()| FileState::Missing),
    }
}

fn too_short(path: &Path) -> StoreError {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    match fs::read(path) {
        Err(error) => io_error(path, &error),
        Ok(content) if content.starts_with(MAGIC) => {
            path_error(StoreErrorKind::Damaged, path, "a database file that is cut short")
        }
        Ok(_) => path_error(StoreErrorKind::NotOurs, path, "not a database file"),
    }
}

fn refuse_orphan_log(path: &Path) -> Result<(), StoreError> {
    if !sidecar_has_content(path, "-wal") {
        return Ok(());
    }
    let log = sidecar(path, "-wal");
    let what = format!(
        "this write-ahead log holds changes of a database that is not at {}; move the database back beside its \
        log, or move the log away if the database is lost",
        path.display()
    );
    Err(path_error(StoreErrorKind::Unavailable, &log, what))
}

/// The error of a path without a store, where none may be created.
pub(crate) fn missing_store(path: &Path, found: FileState) -> StoreError {
    let what = match found {
        FileState::Missing => "no such file",
        FileState::Empty | FileState::Present => "an empty file",
    };
    path_error(StoreErrorKind::Missing, path, what)
}

/// Creates an empty file for a new database, for its owner alone (PLACE-5). SQLite gives the same
/// mode to the files it keeps beside it. Leaves an existing file as it is.
///
/// No other thread may open a connection meanwhile, since this closes a file.
pub(crate) fn create_file(path: &Path) -> Result<(), StoreError> {
    match private_options().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            Err(path_error(StoreErrorKind::Unavailable, folder, "no such folder"))
        }
        made => made.map(drop).map_err(|error| io_error(path, &error)),
    }
}

/// Refuses a file that this process may not write to (PLACE-5). SQLite would open it anyway, and
/// leave files of this user beside it that lock its owner out.
pub(crate) fn ensure_writable(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    ensure_access(path, rustix::fs::Access::WRITE_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Refuses a file that this process may not read, and says why, which SQLite does not.
pub(crate) fn ensure_readable(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    ensure_access(path, rustix::fs::Access::READ_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(unix)]
fn ensure_access(path: &Path, access: rustix::fs::Access) -> Result<(), StoreError> {
    use rustix::fs::{AtFlags, CWD, accessat};
    match accessat(CWD, path, access, AtFlags::EACCESS) {
        // NOSYS: the system can only check the real user, who may be another.
        Ok(()) | Err(rustix::io::Errno::NOSYS) => Ok(()),
        Err(error) => Err(io_error(path, &error.into())),
    }
}

/// Refuses a database with several hard links. SQLite names the log after the path, so two paths
/// would have two logs that overwrite each other. The `.part` that a killed copy left behind is not
/// counted.
pub(crate) fn ensure_single_link(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        let found = fs::metadata(path).map_err(|error| io_error(path, &error))?;
        let part = fs::symlink_metadata(sidecar(path, ".part"));
        let is_part = part.is_ok_and(|part| FileId::of(&part) == FileId::of(&found));
        let names = std::os::unix::fs::MetadataExt::nlink(&found);
        if names > 1 + u64::from(is_part) {
            let what = format!(
                "this file has {names} names (hard links), and each would have a log of its own: remove the others, \
                or make a copy with `backup`"
            );
            return Err(path_error(StoreErrorKind::Unavailable, path, what));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Options that create a file for its owner alone.
pub(crate) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns true if files that this process creates beside a database belong to the database's
/// owner. For root they do, since SQLite hands them over.
pub(crate) fn is_owner(database: &Path) -> bool {
    #[cfg(unix)]
    {
        let me = rustix::process::geteuid();
        let owner = fs::metadata(database).map(|found| std::os::unix::fs::MetadataExt::uid(&found));
        me.is_root() || owner.is_ok_and(|owner| owner == me.as_raw())
    }
    #[cfg(not(unix))]
    {
        let _ = database;
        true
    }
}

/// Distinguishes a file from another one at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl FileId {
    /// The file at a path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(found) = FileId::within(rustix::fs::CWD, path) {
            return found;
        }
        fs::metadata(path).map(|found| FileId::of(&found))
    }

    /// The file at a path within a folder; `None` if the system lacks the call.
    ///
    /// Asks for the inode alone. Asking for times makes the kernel record finer ones at the next
    /// write, and then the inode has to be written too: 40 µs per create, against 1 µs.
    #[cfg(target_os = "linux")]
    pub(crate) fn within(folder: impl std::os::fd::AsFd, path: &Path) -> Option<io::Result<Self>> {
        use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
        match statx(folder, path, AtFlags::empty(), StatxFlags::INO) {
            Ok(found) => {
                let device = makedev(found.stx_dev_major, found.stx_dev_minor);
                Some(Ok(FileId { device_and_inode: (device, found.stx_ino) }))
            }
            // Kernels before 4.11, and sandboxes without this call.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    pub(crate) fn of(found: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            FileId { device_and_inode: (found.dev(), found.ino()) }
        }
        #[cfg(not(unix))]
        {
            FileId { created: found.created().ok() }
        }
    }
}
