//! Messages about paths that cannot be used, with advice.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use custom_models_core::store::{OpenMode, StoreError, StoreErrorKind};

use crate::output::escape::Escaped;
use crate::output::failure::Failure;

/// A path in quotes, for messages.
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", Escaped(&self.0.to_string_lossy()))
    }
}

/// The failure for a file of the command line that cannot be used.
pub(crate) fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::WrongUsage(format!("{}: {}", Quoted(path), reason(path, error)))
}

/// Explains an error of a path, with advice.
pub(crate) fn reason(path: &Path, error: &io::Error) -> String {
    match (error.kind(), no_folder(path)) {
        (ErrorKind::NotFound | ErrorKind::NotADirectory, Some(no_folder)) => no_folder,
        (ErrorKind::NotFound, None) => "there is no such file".to_owned(),
        (ErrorKind::AlreadyExists, _) => {
            "this name is taken; choose another one, or move away what has it".to_owned()
        }
        (ErrorKind::ResourceBusy, _) => "another process writes it".to_owned(),
        (ErrorKind::IsADirectory, _) => "this is a folder; name a file".to_owned(),
        (ErrorKind::PermissionDenied, _) => {
            format!("{error}; ask whoever owns it, or name another place")
        }
        _ => error.to_string(),
    }
}

/// The folder of a path, if it does not exist.
pub(crate) fn missing_folder(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| folder.to_owned())
}

/// Replaces the cause of a fault of opening a path, for which SQLite only says "unable to open database file".
pub(crate) fn explained(path: &Path, fault: StoreError) -> StoreError {
    explained_as(path, OpenMode::Create, fault)
}

/// [`explained`], for a store that was opened in `mode`.
pub(crate) fn explained_as(path: &Path, mode: OpenMode, fault: StoreError) -> StoreError {
    let reason = match mode {
        _ if fault.kind() != StoreErrorKind::Unavailable => None,
        OpenMode::ReadOnly => obstacle_to_readers(path),
        _ => obstacle(path),
    };
    reason.map_or(fault, |reason| StoreError::new(StoreErrorKind::Unavailable, reason))
}

/// Returns the obstacle to using a path, as far as it shows without opening anything.
pub(crate) fn obstacle(path: &Path) -> Option<String> {
    no_folder(path).or_else(|| forbidden(path))
}

/// The obstacle to reading a path, which needs no right to make files next to it.
fn obstacle_to_readers(path: &Path) -> Option<String> {
    no_folder(path).or_else(|| unreadable(path))
}

fn no_folder(path: &Path) -> Option<String> {
    let missing = missing_folder(path);
    missing.map(|folder| format!("there is no folder {}; make it first", Quoted(&folder)))
}

/// The message for a path that this user may not read and write.
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

/// The message for a path that this user may not read.
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
