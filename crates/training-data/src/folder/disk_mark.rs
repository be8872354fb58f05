//! The marks of a folder on a disk: written to a temporary file, synced and renamed, under the lock of
//! `custom-models.lock`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use custom_models_core::store::StoreError;

use super::fault;
use super::files::{OwnerOnly, inode, make_in, sync_folder};
use super::mark::{Here, LONGEST, MARK, Mark, PREPARED};
use super::place::MarkLock;

const ASIDE: &str = "custom-models.json.part";
const LOCK: &str = "custom-models.lock";

/// Reads a mark of a folder; `None` if there is no mark or no folder.
pub(super) fn read(root: &Path, name: &str) -> Result<Option<Mark>, StoreError> {
    let path = root.join(name);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        read => read.map_err(fault)?,
    };
    Mark::parse(&bytes, &here(root).map_err(fault)?, &path).map(Some)
}

fn here(root: &Path) -> io::Result<Here<'static>> {
    Ok(Here { inode: inode(root)?, place: None })
}

/// The lock for reading and changing a mark. Released when it is dropped.
#[derive(Debug)]
pub(super) struct DiskLock<'a> {
    root: &'a Path,
    _file: File,
}

impl<'a> DiskLock<'a> {
    /// Waits for the lock of an existing folder.
    pub(super) fn take(root: &'a Path) -> Result<Self, StoreError> {
        let locked = || -> io::Result<DiskLock<'a>> {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).owner_only();
            let file = file.open(root.join(LOCK))?;
            file.lock()?;
            Ok(DiskLock { root, _file: file })
        };
        locked().map_err(fault)
    }

    /// Creates the folder if it is missing, and waits for its lock.
    pub(super) fn take_making(root: &'a Path) -> Result<Self, StoreError> {
        make_in(root.parent().unwrap_or(root), root).map_err(fault)?;
        DiskLock::take(root)
    }

    fn write_named(&self, mark: &Mark, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).owner_only();
        let mut file = file.open(self.root.join(name))?;
        file.write_all(&mark.text(&here(self.root)?)?)?;
        file.sync_all()
    }

    /// Renames a mark that was written to a temporary file to its final name, durably.
    fn put(&self, name: &str) -> io::Result<()> {
        fs::rename(self.root.join(name), self.root.join(MARK))?;
        sync_folder(self.root)
    }
}

impl MarkLock for DiskLock<'_> {
    fn mark(&self) -> Result<Option<Mark>, StoreError> {
        read(self.root, MARK)
    }

    fn write(&mut self, mark: &Mark) -> Result<(), StoreError> {
        // Nobody else gives the store a lineage while the lock is held.
        let mark = &Mark { nexts: mark.nexts.last(), ..*mark };
        self.write_named(mark, ASIDE).and_then(|()| self.put(ASIDE)).map_err(fault)
    }

    fn prepared(&self) -> Option<Mark> {
        read(self.root, PREPARED).ok().flatten()
    }

    fn prepare(&mut self, mark: &Mark) -> Result<(), StoreError> {
        let written = self.write_named(mark, PREPARED).and_then(|()| sync_folder(self.root));
        written.map_err(|error| {
            self.drop_prepared();
            fault(error)
        })
    }

    fn put_prepared(&mut self) -> Result<(), StoreError> {
        self.put(PREPARED).map_err(fault)
    }

    fn drop_prepared(&mut self) {
        let _ = fs::remove_file(self.root.join(PREPARED));
    }
}

#[cfg(test)]
mod tests;
