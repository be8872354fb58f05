//! Files and folders: their modes, their identity, and the sync of their names.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use custom_models_core::store::StoreError;

use crate::error::io_error;

/// Sets the mode of created files to owner only (PLACE-5).
pub(crate) fn set_private_mode(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Creates a folder for its owner alone (PLACE-5), and makes its name durable.
pub(crate) fn create_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        created => created.map_err(io_error)?,
    }
    match folder.parent() {
        Some(parent) => sync_names(parent).map_err(io_error),
        None => Ok(()),
    }
}

/// The mode of a file, on systems with modes.
#[derive(Clone, Copy)]
pub(crate) struct Mode(#[cfg(unix)] u32);

impl Mode {
    #[cfg(unix)]
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        Ok(Mode(file.metadata()?.permissions().mode() & 0o777))
    }

    /// Sets this mode, unless the file has it.
    #[cfg(unix)]
    fn give(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        if Mode::of(file)?.0 == self.0 {
            return Ok(());
        }
        file.set_permissions(fs::Permissions::from_mode(self.0))
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_: &File) -> io::Result<Self> {
        Ok(Mode())
    }

    #[cfg(not(unix))]
    fn give(self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Syncs all files of a folder and their names, and sets their mode.
pub(crate) fn sync_tree(folder: &Path, mode: Mode) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path(), mode)?;
        } else {
            let file = OpenOptions::new().write(true).open(entry.path())?;
            mode.give(&file)?;
            file.sync_all()?;
        }
    }
    sync_names(folder)
}

/// Makes the names in a folder durable. Syncing the files does not promise that.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The identity of a file, independent of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    place: (u64, u64),
}

impl FileId {
    /// The file at a path. Does not open it.
    pub(crate) fn at(path: &Path) -> Result<Self, StoreError> {
        let found = fs::metadata(path).map_err(io_error)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(FileId { place: (found.dev(), found.ino()) })
        }
        #[cfg(not(unix))]
        {
            let _ = found;
            Ok(FileId {})
        }
    }
}
