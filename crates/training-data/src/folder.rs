//! Contents as files in a folder: `{root}/{organisation}/{model}/{content}`.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, ReadDir, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use custom_models_core::{ModelId, Organisation, StoreError, StoreErrorKind};

use crate::content::{Content, ContentStore, IsReferenced, Kept, NewContent};

/// What the name of a file ends with while it is written.
const PART: &str = ".part";

/// How often a file is begun anew when a sweep takes its folder away in the same moment.
const ATTEMPTS: u32 = 8;

/// A folder on a local disk. Several processes may share it.
///
/// A file is written beside its name, synced and renamed. Whoever writes it holds a lock on it from the
/// beginning until the store of models refers to it; the lock goes along with the new name, and ends with
/// the process. A sweep takes the lock before it asks whether a file is referred to, so it removes what
/// crashes left, at once, and never what is under way.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder, which is made with the first file if there is none; its parent must exist.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] and [`StoreErrorKind::Failed`].
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let root = std::path::absolute(root).map_err(fault)?;
        match fs::read_dir(&root) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::read_dir(root.parent().unwrap_or(&root)).map_err(fault)?;
            }
            found => drop(found.map_err(fault)?),
        }
        Ok(Folder { root })
    }

    fn of_model(&self, organisation: &Organisation, model: ModelId) -> PathBuf {
        self.root.join(organisation.as_str()).join(model.to_string())
    }

    fn file(&self, organisation: &Organisation, model: ModelId, name: &str) -> Option<PathBuf> {
        is_name(name).then(|| self.of_model(organisation, model).join(name))
    }
}

impl ContentStore for Folder {
    fn begin(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError> {
        let folder = self.of_model(organisation, model);
        for _ in 0..ATTEMPTS {
            if let Some(file) = NewFile::begin(&self.root, &folder).map_err(fault)? {
                return Ok(Box::new(file));
            }
        }
        Err(StoreErrorKind::Busy.into())
    }

    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<Box<dyn Content>, StoreError> {
        let missing =
            || StoreError::new(StoreErrorKind::Damaged, "a file of training data is missing");
        let path = self.file(organisation, model, content).ok_or_else(missing)?;
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(fault(error)),
        }
    }

    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<(), StoreError> {
        let Some(path) = self.file(organisation, model, content) else { return Ok(()) };
        unless_gone(fs::remove_file(path)).map_err(fault)
    }

    fn remove_model(&self, organisation: &Organisation, model: ModelId) -> Result<(), StoreError> {
        let folder = self.of_model(organisation, model);
        for (path, _) in files(&folder).map_err(fault)? {
            // Held until the file is gone: whoever is just making it has to see that.
            let Some(_lock) = unused(&path).map_err(fault)? else { continue };
            unless_gone(fs::remove_file(&path)).map_err(fault)?;
        }
        // It stays if something is still being written there.
        let _ = fs::remove_dir(folder);
        Ok(())
    }

    fn sweep(&self, is_referenced: IsReferenced<'_>) -> Result<u64, StoreError> {
        let mut removed = 0;
        for (of_organisation, organisation) in folders::<Organisation>(&self.root).map_err(fault)? {
            for (folder, model) in folders::<ModelId>(&of_organisation).map_err(fault)? {
                for (path, name) in files(&folder).map_err(fault)? {
                    let Some(_lock) = unused(&path).map_err(fault)? else { continue };
                    let is_left = name.ends_with(PART);
                    if is_left || !is_referenced(&organisation, model, &name)? {
                        unless_gone(fs::remove_file(&path)).map_err(fault)?;
                        removed += 1;
                    }
                }
                let _ = fs::remove_dir(folder);
            }
            let _ = fs::remove_dir(of_organisation);
        }
        Ok(removed)
    }

    fn path(&self, organisation: &Organisation, model: ModelId, content: &str) -> Option<PathBuf> {
        self.file(organisation, model, content)
    }
}

/// A file that is being written, which goes when this is dropped.
struct NewFile {
    file: File,
    folder: PathBuf,
    name: String,
    is_kept: bool,
}

impl NewFile {
    /// `None` if a sweep was faster than the lock.
    fn begin(root: &Path, folder: &Path) -> io::Result<Option<Self>> {
        if !make(root, folder)? {
            return Ok(None);
        }
        let name = uuid::Uuid::new_v4().simple().to_string();
        let path = folder.join(format!("{name}{PART}"));
        let mut options = OpenOptions::new();
        let file = match options.read(true).write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.lock()?;
        Ok(path.exists().then(|| NewFile { file, folder: folder.to_owned(), name, is_kept: false }))
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
            // What cannot be removed is a sweep's.
            let _ = fs::remove_file(self.part());
        }
    }
}

/// A file under its name, with the lock that was taken on it at its beginning.
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

/// Makes the folder of a model, durably. Whether it is there: a sweep may take it away at once.
fn make(root: &Path, folder: &Path) -> io::Result<bool> {
    make_in(root.parent().unwrap_or(root), root)?;
    let of_organisation = folder.parent().unwrap_or(root);
    let made = make_in(root, of_organisation).and_then(|()| make_in(of_organisation, folder));
    match made {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        made => made.map(|()| true),
    }
}

fn make_in(parent: &Path, folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        // Who made it may not have come to sync it.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(parent),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be synced here; the system writes them in order.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folders in a folder whose names are names of a kind.
fn folders<T: std::str::FromStr>(folder: &Path) -> io::Result<Vec<(PathBuf, T)>> {
    let named = |(path, name): (PathBuf, String)| Some((path, name.parse().ok()?));
    Ok(entries(folder)?.into_iter().filter_map(named).collect())
}

/// The contents in a folder, whole ones and parts.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let is_ours = |(_, name): &(PathBuf, String)| is_name(name.strip_suffix(PART).unwrap_or(name));
    Ok(entries(folder)?.into_iter().filter(is_ours).collect())
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let read: ReadDir = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        read => read?,
    };
    let mut all = Vec::new();
    for entry in read {
        let path = entry?.path();
        if let Some(name) = path.file_name().and_then(OsStr::to_str).map(str::to_owned) {
            all.push((path, name));
        }
    }
    Ok(all)
}

/// The lock on a file; `None` if somebody else has it, or the file is gone.
fn unused(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(path.exists().then_some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a text is a name that a [`Folder`] gives: 32 hexadecimal digits in lower case, so no name leads out
/// of its folder.
pub fn is_name(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.len() == 32 && name.bytes().all(is_digit)
}

fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What a fault of the disk means for whoever asked.
pub(crate) fn fault(error: io::Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => {
            StoreErrorKind::Unavailable
        }
        ErrorKind::ReadOnlyFilesystem => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Failed,
    };
    StoreError::new(kind, error)
}
