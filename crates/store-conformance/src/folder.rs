use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_models_core::ModelId;
use custom_models_core::store::Store;
use tempfile::TempDir;

use crate::{AfterKill, BoxError, Builder, Place};

type Open = dyn Fn(&Path) -> Result<Arc<dyn Store>, BoxError>;
type RaiseLastId = dyn Fn(&Path, ModelId) -> Result<(), BoxError>;

/// A builder of stores in files: every place is a temporary folder, and a kill is simulated by copying it.
#[derive(Clone)]
pub struct FolderBuilder {
    open: Arc<Open>,
    raise_last_id: Arc<RaiseLastId>,
}

impl FolderBuilder {
    /// Creates a builder. `open` opens the store in the given folder, and `raise_last_id` brings it near the
    /// last id ([`Place::raise_last_id`]).
    pub fn new(
        open: impl Fn(&Path) -> Result<Arc<dyn Store>, BoxError> + 'static,
        raise_last_id: impl Fn(&Path, ModelId) -> Result<(), BoxError> + 'static,
    ) -> Self {
        FolderBuilder { open: Arc::new(open), raise_last_id: Arc::new(raise_last_id) }
    }

    fn place(&self) -> Result<FolderPlace, BoxError> {
        Ok(FolderPlace { builder: self.clone(), folder: TempDir::with_prefix("custom-models-")? })
    }
}

impl Builder for FolderBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        Ok(Box::new(self.place()?))
    }
}

struct FolderPlace {
    builder: FolderBuilder,
    folder: TempDir,
}

impl Place for FolderPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        (self.builder.open)(self.folder.path())
    }

    fn raise_last_id(&self, to: ModelId) -> Result<(), BoxError> {
        (self.builder.raise_last_id)(self.folder.path(), to)
    }

    fn after_kill(&self) -> Result<AfterKill, BoxError> {
        let copy = self.builder.place()?;
        for (path, content) in moment(self.folder.path())? {
            let path = copy.folder.path().join(path);
            match content {
                None => fs::create_dir(path)?,
                Some(content) => fs::write(path, content)?,
            }
        }
        Ok(AfterKill::Place(Box::new(copy)))
    }
}

/// Folders (`None`) and files with their contents, by path relative to the place. A folder comes before its
/// entries.
type Contents = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// Reads the contents of a folder.
fn moment(folder: &Path) -> io::Result<Contents> {
    settled(|| contents(folder))
}

/// Reads until two successive reads agree. A kill stops a process between two writes, so a read that overlaps
/// a write is not a state that a kill could leave.
fn settled<T: PartialEq>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut before = read()?;
    loop {
        let now = read()?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}

fn contents(root: &Path) -> io::Result<Contents> {
    let mut found = Contents::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path.clone());
                found.insert(path, None);
            } else if let Some(content) = unless_gone(fs::read(entry.path()))? {
                found.insert(path, Some(content));
            }
        }
    }
    Ok(found)
}

/// Treats a missing file as `None`: a store may rename it during the read, and the next read shows the
/// result.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
