//! Private copies of stores that cannot be read in place.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use custom_models_core::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::error::store_error;
use crate::file::copy::copy;
use crate::file::open::StoreFile;
use crate::file::path::{
    FileId, create_file, ensure_readable, io_error, path_error, private_options, sidecar,
    sidecar_has_content,
};

/// The number of attempts at a copy while other processes write.
const ATTEMPTS: usize = 10;

/// A temporary folder for its owner alone, removed with its last reader.
pub(crate) struct PrivateFolder(TempDir);

impl PrivateFolder {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("custom-models-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let made = builder.tempdir();
        made.map(PrivateFolder).map_err(|error| {
            let place = std::env::temp_dir();
            let what = "the folder for temporary files, where a private copy is read; TMPDIR names another one";
            path_error(io_error(&place, &error).kind(), &place, format_args!("{error}: {what}"))
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Copies a database and its log. Creates nothing beside them.
pub(crate) fn private_copy(file: &StoreFile) -> Result<(StoreFile, PrivateFolder), StoreError> {
    if sidecar_has_content(&file.path, "-journal") {
        let what = "a change that was cut off has to be undone first, by a command of the owner that writes";
        return Err(path_error(StoreErrorKind::Unavailable, &file.path, what));
    }
    for _ in 0..ATTEMPTS {
        let folder = PrivateFolder::new()?;
        let path = folder.path().join("copy.db");
        let before = Fingerprint::of(&file.path)?;
        create_file(&path)?;
        copy(&mut open_immutable(&file.path)?, &path)?;
        if before.log.is_some() {
            let log = sidecar(&file.path, "-wal");
            let copied = private_options()
                .create_new(true)
                .open(sidecar(&path, "-wal"))
                .and_then(|mut copy| io::copy(&mut fs::File::open(&log)?, &mut copy));
            copied.map_err(|error| io_error(&log, &error))?;
        }
        if before.is_copy_complete(&Fingerprint::of(&file.path)?) {
            return Ok((StoreFile { path, is_read_only: false, ..file.clone() }, folder));
        }
    }
    Err(path_error(StoreErrorKind::Busy, &file.path, "it is written too often to be copied"))
}

/// Opens a file as immutable: SQLite takes no locks and opens no log.
pub(crate) fn open_immutable(file: &Path) -> Result<Connection, StoreError> {
    ensure_readable(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut uri = String::from("file:");
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'%' | b'?' | b'#' | 0x80.. => uri.push_str(&format!("%{byte:02x}")),
            ascii => uri.push(char::from(*ascii)),
        }
    }
    uri.push_str("?immutable=1");
    Connection::open_with_flags(uri, flags).map_err(store_error)
}

/// The state of a database and its log before and after a copy.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    database: FileId,
    written: (u64, Option<SystemTime>),
    /// The header of the log, which changes when the log restarts; `None` for an empty log.
    log: Option<[u8; 32]>,
}

impl Fingerprint {
    fn of(database: &Path) -> Result<Self, StoreError> {
        let found = fs::metadata(database).map_err(|error| io_error(database, &error))?;
        let log =
            if sidecar_has_content(database, "-wal") { Some(header(database)?) } else { None };
        let written = (found.len(), found.modified().ok());
        Ok(Fingerprint { database: FileId::of(&found), written, log })
    }

    /// Returns true if a copy made between the two states is complete; the database is copied
    /// first, then the log. As long as the log has not restarted, it holds everything that a
    /// checkpoint wrote to the database meanwhile.
    fn is_copy_complete(&self, after: &Fingerprint) -> bool {
        self.database == after.database
            && self.log == after.log
            && (self.log.is_some() || self.written == after.written)
    }
}

fn header(database: &Path) -> Result<[u8; 32], StoreError> {
    let log = sidecar(database, "-wal");
    let mut header = [0; 32];
    let read = fs::File::open(&log).and_then(|mut log| log.read_exact(&mut header));
    read.map(|()| header).map_err(|error| io_error(&log, &error))
}

#[cfg(all(test, unix))]
mod tests;
