//! Private copies of a folder, for stores opened for reading alone, and to let sled recover a log
//! without writing to the original.

use std::fs;
use std::io;
use std::path::Path;

use custom_models_core::store::StoreError;
use tempfile::TempDir;

use crate::error::io_kind;

/// Copies a folder to a temporary one for its owner alone.
pub(crate) fn copy(folder: &Path) -> Result<TempDir, StoreError> {
    let copied = || {
        let copy = tempfile::Builder::new().prefix("custom-models-sled-").tempdir()?;
        close_to_others(copy.path())?;
        copy_tree(folder, copy.path())?;
        Ok(copy)
    };
    copied().map_err(|cause: io::Error| {
        let place = std::env::temp_dir();
        let text = format!("a copy of the folder in {}: {cause}", place.display());
        StoreError::new(io_kind(cause.kind()), text)
    })
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            copy_tree(&entry.path(), &to)?;
        } else {
            // Not `fs::copy`, which keeps the mode: that may forbid writing.
            io::copy(&mut fs::File::open(entry.path())?, &mut fs::File::create(&to)?)?;
        }
    }
    Ok(())
}

fn close_to_others(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
