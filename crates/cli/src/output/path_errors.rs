//! Messages about paths that cannot be used. Each names the path and says what to do.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use custom_models_core::store::{OpenMode, StoreError, StoreErrorKind};

use crate::output::escape::Escaped;
use crate::output::failure::Failure;

/// A path as messages show it, in quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", Escaped(&self.0.to_string_lossy()))
    }
}

/// A file that the command line names, and that cannot be used as it is meant.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::WrongUsage(format!("{}: {}", Quoted(path), reason(path, error)))
}

/// Returns the meaning of an error for a path, and what to do.
pub(crate) fn reason(path: &Path, error: &io::Error) -> String {
    match (error.kind(), no_folder(path)) {
        (ErrorKind::NotFound | ErrorKind::NotADirectory, Some(no_folder)) => no_folder,
        (ErrorKind::NotFound, None) => "there is no such file".to_owned(),
        (ErrorKind::AlreadyExists, _) => {
            "there is something of this name already; name another place, or move it away"
                .to_owned()
        }
        (ErrorKind::ResourceBusy, _) => "another process is writing it".to_owned(),
        (ErrorKind::IsADirectory, _) => "this is a folder; name a file".to_owned(),
        (ErrorKind::PermissionDenied, _) => {
            format!("{error}; ask whoever owns it, or name another place")
        }
        _ => error.to_string(),
    }
}

/// The folder that a path stands in, if there is none.
pub(crate) fn missing_folder(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| folder.to_owned())
}

/// A fault of opening something at a path, with what is wrong about the place instead of what SQLite says,
/// which is "unable to open database file" of all places.
pub(crate) fn explained(path: &Path, fault: StoreError) -> StoreError {
    explained_as(path, OpenMode::Create, fault)
}

/// [`explained`], of a store that was to be opened with the right that `mode` gives.
pub(crate) fn explained_as(path: &Path, mode: OpenMode, fault: StoreError) -> StoreError {
    let reason = match mode {
        _ if fault.kind() != StoreErrorKind::Unavailable => None,
        OpenMode::ReadOnly => obstacle_to_readers(path),
        _ => obstacle(path),
    };
    reason.map_or(fault, |reason| StoreError::new(StoreErrorKind::Unavailable, reason))
}

/// Returns the obstacle to using a path, as far as it can be seen without opening anything.
pub(crate) fn obstacle(path: &Path) -> Option<String> {
    no_folder(path).or_else(|| forbidden(path))
}

/// The obstacle to those who only read, and need no right to make files there.
fn obstacle_to_readers(path: &Path) -> Option<String> {
    no_folder(path).or_else(|| unreadable(path))
}

fn no_folder(path: &Path) -> Option<String> {
    let missing = missing_folder(path);
    missing.map(|folder| format!("there is no folder {}; make it first", Quoted(&folder)))
}

/// Returns a message about the rights that this user lacks at a path.
#[cfg(unix)]
fn forbidden(path: &Path) -> Option<String> {
    use rustix::fs::Access;

    let needs = Access::READ_OK | Access::WRITE_OK;
    if is_forbidden(path, needs) {
        return Some(format!("this user may not read and write {}", Quoted(path)));
    }
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder?,
    };
    is_forbidden(folder, needs)
        .then(|| format!("this user may not make files in the folder {}", Quoted(folder)))
}

#[cfg(not(unix))]
fn forbidden(_path: &Path) -> Option<String> {
    None
}

/// A store that this user may not read.
#[cfg(unix)]
fn unreadable(path: &Path) -> Option<String> {
    is_forbidden(path, rustix::fs::Access::READ_OK)
        .then(|| format!("this user may not read {}; ask whoever owns it", Quoted(path)))
}

#[cfg(not(unix))]
fn unreadable(_path: &Path) -> Option<String> {
    None
}

#[cfg(unix)]
fn is_forbidden(path: &Path, needs: rustix::fs::Access) -> bool {
    rustix::fs::access(path, needs) == Err(rustix::io::Errno::ACCESS)
}
