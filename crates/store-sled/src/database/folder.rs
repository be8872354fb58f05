//! The folder of a store: its marker, its lock and its layout.
//!
//! A marker, [`MARKER`], lies beside sled's files. It identifies a store before sled touches
//! anything. Its lock keeps other processes out, also while the database is closed and reopened. It
//! is written last, so an interrupted creation is recognised. In layout 1 it also recorded, after
//! the layout, that the store was open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use custom_models_core::store::{OpenMode, StoreError, StoreErrorKind};
use tempfile::TempDir;

use crate::database::files::{FileId, Mode, create_folder, set_private_mode, sync_tree};
use crate::database::private_copy;
use crate::database::watermark::WATERMARK;
use crate::error::{damaged, io_error};
use crate::schema::{LAYOUT, Layout, layout_names};

/// The name of the marker.
const MARKER: &str = "custom-models-sled";

/// The text after the layout in the marker of an open store in layout 1.
const IN_USE: &[u8] = b"in use\n";

/// The name of sled's log.
const LOG: &str = "db";

/// The reason why a store without its log is refused.
pub(crate) const LOG_IS_GONE: &str = "the file `db`, sled's log with everything in it, is gone";

/// The longest wait for sled's own lock. No other store can hold it under the folder's lock, but
/// sled's threads keep it briefly after the database is dropped.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A locked folder of a store.
pub(crate) struct Folder {
    path: PathBuf,
    marker: File,
    is_unfinished: bool,
    is_of_older_layout: bool,
    was_left_open: bool,
    /// The identity of sled's log when it was first opened.
    log: Option<FileId>,
    /// Removes the folder on drop if it is a private copy.
    private: Option<TempDir>,
}

impl Folder {
    /// Locks the folder of a store. Creates it if there is nothing, or an empty folder, and `mode`
    /// allows it. For reading alone, locks a private copy instead.
    ///
    /// Leaves a folder that is not a store as it is.
    pub(crate) fn open(path: &Path, mode: OpenMode) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(io_error)?;
        let is_read_only = mode == OpenMode::ReadOnly;
        let marker = open_marker(&path, mode)?;
        match if is_read_only { marker.try_lock_shared() } else { marker.try_lock() } {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreErrorKind::Locked.into()),
            Err(TryLockError::Error(cause)) => return Err(io_error(cause)),
        }
        let folder = Folder::read_marker(path, marker)?;
        if folder.is_unfinished && mode != OpenMode::Create && !folder.path.join(WATERMARK).exists()
        {
            let cause =
                format!("the creation of a store in {} was cut short", folder.path.display());
            return Err(StoreError::new(StoreErrorKind::Missing, cause));
        }
        if folder.is_of_older_layout && mode == OpenMode::Current {
            return Err(StoreErrorKind::Older.into());
        }
        if !is_read_only {
            return Ok(folder);
        }
        if !folder.has_log() {
            return Err(damaged(LOG_IS_GONE));
        }
        folder.wait_for_log();
        folder.private_copy()
    }

    /// Copies the folder to a temporary one that is removed with the returned value. The folder
    /// must be locked.
    pub(crate) fn private_copy(&self) -> Result<Self, StoreError> {
        let copy = private_copy::copy(&self.path)?;
        let mut folder = Folder::open(copy.path(), OpenMode::Existing)?;
        folder.private = Some(copy);
        Ok(folder)
    }

    fn read_marker(path: PathBuf, mut marker: File) -> Result<Self, StoreError> {
        let mut text = Vec::new();
        let limit = (LAYOUT.len() + IN_USE.len()) as u64 + 16;
        (&marker).take(limit).read_to_end(&mut text).map_err(io_error)?;
        let (layout, was_left_open) = parse_marker(&text);
        let is_cut_short =
            |whole: String| layout.len() < whole.len() && whole.as_bytes().starts_with(layout);
        let is_unfinished = layout_names().any(is_cut_short);
        let found = Layout::of(layout);
        let refusal = match found {
            _ if is_unfinished => None,
            Layout::Ours | Layout::Older(_) => None,
            Layout::Newer => Some(StoreErrorKind::Newer),
            Layout::Unknown => Some(StoreErrorKind::NotOurs),
        };
        if let Some(kind) = refusal {
            let cause = format!("its marker says `{}`", text.escape_ascii());
            return Err(StoreError::new(kind, cause));
        }
        marker.rewind().map_err(io_error)?;
        let is_of_older_layout = matches!(found, Layout::Older(_));
        let (log, private) = (None, None);
        Ok(Folder { path, marker, is_unfinished, is_of_older_layout, was_left_open, log, private })
    }

    /// Returns true if the folder is a private copy.
    pub(crate) fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// Remembers the identity of sled's log.
    pub(crate) fn remember_log(&mut self) -> Result<(), StoreError> {
        if self.log.is_none() {
            self.log = Some(FileId::at(&self.log())?);
        }
        Ok(())
    }

    /// Checks that sled's log is still the file that was opened (PLACE-3). Opens nothing.
    pub(crate) fn ensure_in_place(&self) -> Result<(), StoreError> {
        let Some(log) = self.log.filter(|_| !self.is_private()) else { return Ok(()) };
        if FileId::at(&self.log()).is_ok_and(|found| found == log) {
            return Ok(());
        }
        let path = self.path.display();
        let cause = format!("the store in {path} was removed, moved or replaced while it was open");
        Err(StoreError::new(StoreErrorKind::Unavailable, cause))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if the creation of the store has not finished: nothing in it was ever
    /// acknowledged.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Returns true if the marker has to be written.
    pub(crate) fn needs_marking(&self) -> bool {
        self.is_unfinished || self.is_of_older_layout || self.was_left_open
    }

    /// Writes the marker of this layout. Everything in the store must be durable already.
    pub(crate) fn write_marker(&mut self) -> Result<(), StoreError> {
        self.marker
            .rewind()
            .and_then(|()| self.marker.write_all(LAYOUT.as_bytes()))
            .and_then(|()| self.marker.set_len(LAYOUT.len() as u64))
            .and_then(|()| self.marker.sync_all())
            .map_err(io_error)?;
        self.is_unfinished = false;
        self.is_of_older_layout = false;
        self.was_left_open = false;
        Ok(())
    }

    /// Returns true if a store of layout 1 was not closed cleanly.
    pub(crate) fn was_left_open(&self) -> bool {
        self.was_left_open
    }

    /// Unlocks the folder, and removes it if it is a private copy.
    pub(crate) fn release(&mut self) {
        // Closing the file unlocks it too, a little later.
        let _ = self.marker.unlock();
        self.private = None;
    }

    /// The path of sled's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// Returns true if sled's log exists.
    pub(crate) fn has_log(&self) -> bool {
        self.log().is_file()
    }

    /// Opens sled's log, to be synced after every group.
    pub(crate) fn open_log(&self) -> Result<File, StoreError> {
        OpenOptions::new().write(true).open(self.path.join(LOG)).map_err(io_error)
    }

    /// Waits until sled has released its log.
    pub(crate) fn wait_for_log(&self) {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        while let Ok(log) = File::open(self.path.join(LOG))
            && matches!(log.try_lock(), Err(TryLockError::WouldBlock))
            && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Syncs all files and their names, and gives them the mode of the marker (PLACE-5). Sled syncs
    /// only some files and no folder, and creates files with the default mode of the process.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let mode = Mode::of(&self.marker).map_err(io_error)?;
        sync_tree(&self.path, mode).map_err(io_error)
    }

    /// Writes sled's log over itself.
    ///
    /// After a failed write-back the system may treat the pages as clean, and a later sync would
    /// succeed without them. Pages that are written again are synced again.
    pub(crate) fn rewrite_log(&self) -> Result<(), StoreError> {
        let rewrite = || {
            let mut options = OpenOptions::new();
            let mut log = options.read(true).write(true).open(self.path.join(LOG))?;
            let mut block = vec![0; 1 << 20];
            loop {
                let place = log.stream_position()?;
                let length = log.read(&mut block)?;
                let Some(read) = block.get(..length).filter(|read| !read.is_empty()) else {
                    return Ok(());
                };
                log.seek(SeekFrom::Start(place))?;
                log.write_all(read)?;
            }
        };
        rewrite().map_err(io_error)
    }
}

/// Splits a marker into the layout's name and whether the store was left open. The text after the
/// name may be cut short.
fn parse_marker(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    match text.split_at_checked(end) {
        Some((layout, rest)) if !rest.is_empty() && IN_USE.starts_with(rest) => (layout, true),
        _ => (text, false),
    }
}

/// Opens the marker of a store. Creates it in an empty or missing folder if `mode` allows it.
fn open_marker(folder: &Path, mode: OpenMode) -> Result<File, StoreError> {
    let missing = || {
        let cause = format!("nothing is at {}", folder.display());
        StoreError::new(StoreErrorKind::Missing, cause)
    };
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => {
            return Err(StoreError::new(StoreErrorKind::NotOurs, "not a folder"));
        }
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => match mode {
            OpenMode::Create => create_folder(folder)?,
            _ => return Err(missing()),
        },
        Err(cause) => return Err(io_error(cause)),
    }
    let path = folder.join(MARKER);
    let mut options = OpenOptions::new();
    options.read(true).write(mode != OpenMode::ReadOnly);
    match options.open(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        // The marker's name is that of a folder.
        Err(cause) if cause.kind() == io::ErrorKind::IsADirectory => {
            return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
        }
        opened => return opened.map_err(io_error),
    }
    if fs::read_dir(folder).map_err(io_error)?.next().is_some() && !path.exists() {
        let cause = format!("a folder with files in it, but no `{MARKER}`");
        return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
    }
    if mode != OpenMode::Create {
        return Err(missing());
    }
    set_private_mode(&mut options);
    options.create(true).open(&path).map_err(io_error)
}

#[cfg(test)]
mod tests;
