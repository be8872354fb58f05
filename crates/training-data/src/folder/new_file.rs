//! A file from its creation until the store of models refers to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use custom_models_core::store::StoreError;

use super::files::{OwnerOnly, PART, make, sync_folder, unless_gone};
use super::{Folder, fault};
use crate::content::{Kept, NewContent};

/// A file that is being written. Dropping it removes it.
pub(super) struct NewFile {
    file: File,
    of: Folder,
    folder: PathBuf,
    name: String,
    is_kept: bool,
}

impl NewFile {
    /// Begins a file in the folder of a model. `None` if a sweep took the lock first.
    pub(super) fn begin(of: &Folder, root: &Path, folder: &Path) -> io::Result<Option<Self>> {
        if !make(root, folder)? {
            return Ok(None);
        }
        let name = uuid::Uuid::new_v4().simple().to_string();
        let path = folder.join(format!("{name}{PART}"));
        let mut options = OpenOptions::new();
        let file = match options.read(true).write(true).create_new(true).owner_only().open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.lock()?;
        let (of, folder) = (of.clone(), folder.to_owned());
        Ok(path.exists().then(|| NewFile { file, of, folder, name, is_kept: false }))
    }

    fn part(&self) -> PathBuf {
        self.folder.join(format!("{}{PART}", self.name))
    }
}

impl NewContent for NewFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn keep(mut self: Box<Self>) -> Result<Box<dyn Kept>, StoreError> {
        // An upload may take hours, in which another store may have adopted the folder.
        self.of.ensure_owned()?;
        self.file.sync_all().map_err(fault)?;
        let lock = self.file.try_clone().map_err(fault)?;
        let path = self.folder.join(&self.name);
        fs::rename(self.part(), &path).map_err(fault)?;
        self.is_kept = true;
        let kept = KeptFile { path, name: self.name.clone(), _lock: lock };
        if let Err(error) = sync_folder(&self.folder) {
            let _ = fs::remove_file(&kept.path);
            return Err(fault(error));
        }
        Ok(Box::new(kept))
    }
}

impl Read for NewFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // A sweep removes a file that cannot be removed now.
            let _ = fs::remove_file(self.part());
        }
    }
}

/// A file under its final name, with the lock that was taken when it was created.
#[derive(Debug)]
struct KeptFile {
    path: PathBuf,
    name: String,
    _lock: File,
}

impl Kept for KeptFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn discard(self: Box<Self>) -> Result<(), StoreError> {
        unless_gone(fs::remove_file(&self.path)).map_err(fault)
    }
}
