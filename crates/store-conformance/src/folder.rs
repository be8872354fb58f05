use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use custom_models_core::store::Store;
use tempfile::TempDir;

use crate::{Ability, BoxError, Builder, Place};

type Open = dyn Fn(&Path) -> Result<Arc<dyn Store>, BoxError>;

/// A builder of stores in files: every place is a temporary folder.
///
/// A kill is simulated by a copy of the folder. A record is damaged by bytes in its name that are not UTF-8, in
/// every file that has the name as it is. The disk fails on Linux alone: the files that the process has open
/// become read-only, and the folder cannot be found.
#[derive(Clone)]
pub struct FolderBuilder {
    open: Arc<Open>,
    untested: Vec<Ability>,
}

impl FolderBuilder {
    /// Creates a builder. `open` opens the store in the given folder.
    pub fn new(open: impl Fn(&Path) -> Result<Arc<dyn Store>, BoxError> + 'static) -> Self {
        FolderBuilder { open: Arc::new(open), untested: Vec::new() }
    }

    /// Declares an ability that the places lack, for example [`Ability::Damage`] because the files are
    /// compressed. The cases that need it are untested.
    #[must_use]
    pub fn untested(mut self, ability: Ability) -> Self {
        self.untested.push(ability);
        self
    }

    fn place(&self) -> Result<FolderPlace, BoxError> {
        let place =
            FolderPlace { builder: self.clone(), root: TempDir::with_prefix("custom-models-")? };
        fs::create_dir(place.folder())?;
        Ok(place)
    }
}

impl Builder for FolderBuilder {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        Ok(Box::new(self.place()?))
    }

    fn untested(&self) -> &[Ability] {
        &self.untested
    }
}

struct FolderPlace {
    builder: FolderBuilder,
    root: TempDir,
}

impl FolderPlace {
    /// Returns the folder of the store.
    fn folder(&self) -> PathBuf {
        self.root.path().join("place")
    }

    /// Returns the name that the folder has while the disk fails.
    fn away(&self) -> PathBuf {
        self.root.path().join("away")
    }
}

impl Place for FolderPlace {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        unless_gone(fs::rename(self.away(), self.folder()))?;
        (self.builder.open)(&self.folder())
    }

    fn after_kill(&self) -> Result<Box<dyn Place>, BoxError> {
        let copy = self.builder.place()?;
        for (path, content) in moment(&self.folder())? {
            let path = copy.folder().join(path);
            match content {
                None => fs::create_dir(path)?,
                Some(content) => fs::write(path, content)?,
            }
        }
        Ok(Box::new(copy))
    }

    fn damage(&self, text: &str) -> Result<(), BoxError> {
        let mut is_found = false;
        for (path, content) in moment(&self.folder())? {
            let Some(mut content) = content else { continue };
            let mut from = 0;
            while let Some(at) = found_at(&content, text.as_bytes(), from) {
                from = at + text.len();
                content.iter_mut().take(from).skip(at).for_each(|byte| *byte = 0xFF);
                fs::write(self.folder().join(&path), &content)?;
                is_found = true;
            }
        }
        // A text that no file has as it is cannot be damaged in this way.
        if is_found { Ok(()) } else { Err(Ability::Damage.into()) }
    }

    #[cfg(target_os = "linux")]
    fn fail_disk(&self) -> Result<(), BoxError> {
        read_only::make(&self.folder().canonicalize()?)?;
        Ok(fs::rename(self.folder(), self.away())?)
    }
}

/// Returns the position of a text in bytes, from a position on.
fn found_at(bytes: &[u8], text: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.windows(text.len()).position(|window| window == text)?;
    Some(from + found)
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

#[cfg(target_os = "linux")]
mod read_only;
#[cfg(test)]
mod tests;
