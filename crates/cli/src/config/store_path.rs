//! Paths that other programs would read differently, and that are therefore refused for a store.

use std::io::ErrorKind;
use std::path::Path;

use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, missing_folder, unusable};

/// The reason for refusing a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RejectedPath {
    #[error("a store in memory is memory: (a file of this name is {0}:./:memory:)")]
    Memory(&'static str),
    #[error(
        "a URI is not read: write {0}:PATH, without file: (a file of this name is {0}:./file:…)"
    )]
    Uri(&'static str),
    #[error(
        "the shell leaves a ~ here as it is: write {0}:$HOME/… (a folder of this name is {0}:./~)"
    )]
    Home(&'static str),
    #[error("a path has no parameters: leave out the ? and the rest")]
    Parameters,
    #[error("escapes such as %20 are not read: write the characters themselves, in quotes")]
    Escape,
    #[error("the path begins or ends with a space: leave it out")]
    Space,
    #[error("this is a folder: name a file in it, such as {0}:DIR/custom-models.db")]
    Folder(&'static str),
    #[error("this is a file: {0} keeps its database in a folder")]
    File(&'static str),
    #[error(
        "a name that ends in {0} belongs to a file next to another store: choose another ending"
    )]
    Sidecar(&'static str),
}

/// The endings of the files that SQLite keeps next to a database, and removes with it.
const OF_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The ending of the default folder of training data, which follows the path of its store.
pub(crate) const OF_DATA: &str = ".data";

impl RejectedPath {
    /// Checks the path of a store. `keeps_file` tells a store in a file from a store in a folder.
    ///
    /// Refuses what other programs read differently. Allows it in the middle of a path if the path exists. Always
    /// refuses a name that SQLite gives to a file of another database, which would remove it when it is opened.
    pub(crate) fn of(scheme: &'static str, keeps_file: bool, path: &str) -> Result<(), Self> {
        if path.eq_ignore_ascii_case(":memory:") {
            return Err(RejectedPath::Memory(scheme));
        }
        if path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:")) {
            return Err(RejectedPath::Uri(scheme));
        }
        if path.starts_with('~') {
            return Err(RejectedPath::Home(scheme));
        }
        if keeps_file {
            RejectedPath::of_file(Path::new(path))?;
        }
        match Path::new(path).metadata() {
            Ok(found) if keeps_file && found.is_dir() => return Err(RejectedPath::Folder(scheme)),
            Ok(found) if !keeps_file && !found.is_dir() => return Err(RejectedPath::File(scheme)),
            Ok(_) => return Ok(()),
            Err(_) => {}
        }
        if keeps_file && path.ends_with(std::path::is_separator) {
            return Err(RejectedPath::Folder(scheme));
        }
        if path.ends_with(OF_DATA) {
            return Err(RejectedPath::Sidecar(OF_DATA));
        }
        if path.trim() != path {
            return Err(RejectedPath::Space);
        }
        if path.contains('?') {
            return Err(RejectedPath::Parameters);
        }
        if has_escape(path) { Err(RejectedPath::Escape) } else { Ok(()) }
    }

    /// Checks the path of a new file. Refuses a name that SQLite gives to a file of another database.
    pub(crate) fn of_file(path: &Path) -> Result<(), Self> {
        let path = path.to_string_lossy();
        match OF_SQLITE.iter().find(|ending| path.ends_with(**ending)) {
            Some(ending) => Err(RejectedPath::Sidecar(ending)),
            None => Ok(()),
        }
    }
}

/// Returns true if the path has a percent sign followed by two hexadecimal digits.
fn has_escape(path: &str) -> bool {
    path.as_bytes().windows(3).any(|part| match part {
        [b'%', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    })
}

/// Checks that a file can be made at a path: nothing is there, its folder exists, and opening another store
/// would not remove the file.
pub(crate) fn ensure_vacant(path: &Path) -> Result<(), Failure> {
    RejectedPath::of_file(path)
        .map_err(|odd| Failure::WrongUsage(format!("{}: {odd}", Quoted(path))))?;
    let error = match path.symlink_metadata() {
        Ok(_) => ErrorKind::AlreadyExists.into(),
        Err(error) if error.kind() == ErrorKind::NotFound && missing_folder(path).is_none() => {
            return Ok(());
        }
        Err(error) => error,
    };
    Err(unusable(path, &error))
}
