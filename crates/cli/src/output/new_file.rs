//! A new file that gets its name only when it is complete and durable.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The ending of a file's name while the file is written. No other program uses this ending.
const PART: &str = ".custom-models-part";

/// The number of attempts to lock a file, each of which fails if the file vanishes meanwhile.
const ATTEMPTS: usize = 10;

/// A file that is written under another name next to its path. Its lock shows that a process writes it. A file
/// without a lock was left by a killed process, and the next process overwrites it.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    part: PathBuf,
    to: PathBuf,
}

impl NewFile {
    /// Begins a file for a path where nothing is yet.
    ///
    /// Fails with [`ErrorKind::AlreadyExists`] if something is there, and with [`ErrorKind::ResourceBusy`] if
    /// another process writes a file for the same path.
    pub(crate) fn begin(to: &Path) -> io::Result<Self> {
        if to.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let mut part = OsString::from(to);
        part.push(PART);
        let part = PathBuf::from(part);
        for _ in 0..ATTEMPTS {
            let file = open(&part)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(ErrorKind::ResourceBusy.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The process that had the lock may have removed the file.
            if is_at(&file, &part)? {
                file.set_len(0)?;
                return Ok(NewFile { file, part, to: to.to_owned() });
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    /// The file to write to.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable, and gives it its name unless something else has got that meanwhile.
    pub(crate) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        match fs::hard_link(&self.part, &self.to) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no hard links.
            Err(_) => rename(&self.part, &self.to)?,
            Ok(()) => {}
        }
        sync_folder(&self.to)
    }
}

/// Removes the temporary name.
impl Drop for NewFile {
    fn drop(&mut self) {
        // If this fails, the next process overwrites the file.
        let _ = fs::remove_file(&self.part);
    }
}

/// Opens or makes a file for its owner alone, without truncating it.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Moves a file to a path that it creates first, so that nothing else is replaced.
fn rename(part: &Path, to: &Path) -> io::Result<()> {
    File::create_new(to)?;
    fs::rename(part, to).inspect_err(|_| {
        // The empty file that was just created.
        let _ = fs::remove_file(to);
    })
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Makes a new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
