//! Files and folders: whose they are, which they are, and whether they are durable.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use custom_models_core::store::StoreError;

use crate::error::io_error;

/// Lets files be made that only their owner can use (PLACE-5).
pub(crate) fn for_the_owner(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes a folder, durably, that only its owner can enter (PLACE-5).
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

/// The mode that files of a store have, where the system has modes.
#[derive(Clone, Copy)]
pub(crate) struct Mode(#[cfg(unix)] u32);

impl Mode {
    #[cfg(unix)]
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        Ok(Mode(file.metadata()?.permissions().mode() & 0o777))
    }

    /// Gives a file this mode, if it has another one.
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

/// Makes all files of a folder and their names durable, and gives them a mode.
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

/// Makes the names in a folder durable, where the system keeps them apart from the files.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The file that a path leads to, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    place: (u64, u64),
}

impl FileId {
    /// The file that is at a path now. Does not open it.
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
