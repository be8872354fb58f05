//! The folder of a store: whose it is, which layout it has, and who has it open.
//!
//! Beside sled's files lies a marker, [`MARKER`]. It tells a store from any other folder before sled
//! touches anything, its lock keeps other processes out, also while the database is closed and
//! opened anew, and it is written last, so that a store whose creation was cut short is known. In
//! layout 1 it also said, behind the layout, while the store was open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use custom_models_core::{StoreError, StoreErrorKind};

use crate::fault::io_fault;
use crate::schema::{FIRST_LAYOUT, LAYOUT, Layout, SECOND_LAYOUT};

/// The file that makes a folder a store.
const MARKER: &str = "custom-models-sled";

/// What the marker said behind the layout while a store of layout 1 was open.
const IN_USE: &[u8] = b"in use\n";

/// The file that sled keeps its log in.
const LOG: &str = "db";

/// How long sled's own lock is waited for. No other store can hold it while we hold the folder's,
/// but sled's threads keep it for a moment after the database was dropped.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A folder that is ours, and locked against other processes.
pub(crate) struct Folder {
    path: PathBuf,
    marker: File,
    is_unfinished: bool,
    is_of_older_layout: bool,
    was_left_open: bool,
}

impl Folder {
    /// Locks the folder of a store, or makes one where there is nothing or an empty folder.
    ///
    /// A folder that turns out not to be ours is left as it was.
    pub(crate) fn claim(path: &Path) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(io_fault)?;
        let mut marker = open_marker(&path)?;
        match marker.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreErrorKind::Locked.into()),
            Err(TryLockError::Error(cause)) => return Err(io_fault(cause)),
        }
        let mut text = Vec::new();
        let limit = (LAYOUT.len() + IN_USE.len()) as u64 + 16;
        (&marker).take(limit).read_to_end(&mut text).map_err(io_fault)?;
        let (layout, was_left_open) = read_usage(&text);
        let is_cut_short =
            |whole: &str| layout.len() < whole.len() && whole.as_bytes().starts_with(layout);
        let is_unfinished = [LAYOUT, SECOND_LAYOUT, FIRST_LAYOUT].into_iter().any(is_cut_short);
        let found = Layout::of(layout);
        let refusal = match found {
            _ if is_unfinished => None,
            Layout::Ours | Layout::Second | Layout::First => None,
            Layout::Newer => Some(StoreErrorKind::Newer),
            Layout::Unknown => Some(StoreErrorKind::NotOurs),
        };
        if let Some(kind) = refusal {
            let cause = format!("its marker says `{}`", text.escape_ascii());
            return Err(StoreError::new(kind, cause));
        }
        marker.rewind().map_err(io_fault)?;
        let is_of_older_layout = matches!(found, Layout::First | Layout::Second);
        Ok(Folder { path, marker, is_unfinished, is_of_older_layout, was_left_open })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the store is still being created, so that nothing in it was ever acknowledged.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Whether the marker is still to be written.
    pub(crate) fn is_to_be_marked(&self) -> bool {
        self.is_unfinished || self.is_of_older_layout || self.was_left_open
    }

    /// Marks the store as one of this layout. All that is in it must be durable by now.
    pub(crate) fn mark(&mut self) -> Result<(), StoreError> {
        self.marker
            .rewind()
            .and_then(|()| self.marker.write_all(LAYOUT.as_bytes()))
            .and_then(|()| self.marker.set_len(LAYOUT.len() as u64))
            .and_then(|()| self.marker.sync_all())
            .map_err(io_fault)?;
        self.is_unfinished = false;
        self.is_of_older_layout = false;
        self.was_left_open = false;
        Ok(())
    }

    /// Whether a store of layout 1 was not closed in order the last time.
    pub(crate) fn was_left_open(&self) -> bool {
        self.was_left_open
    }

    /// Lets other processes open the store.
    pub(crate) fn release(&self) {
        // Closing the file does the same, if a little later.
        let _ = self.marker.unlock();
    }

    /// Whether sled's log is there.
    pub(crate) fn has_log(&self) -> bool {
        self.path.join(LOG).is_file()
    }

    /// Sled's log, to be synced after every group.
    pub(crate) fn open_log(&self) -> Result<File, StoreError> {
        OpenOptions::new().write(true).open(self.path.join(LOG)).map_err(io_fault)
    }

    /// Waits until sled let go of its log.
    pub(crate) fn await_log(&self) {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        while let Ok(log) = File::open(self.path.join(LOG))
            && matches!(log.try_lock(), Err(TryLockError::WouldBlock))
            && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Makes all files and their names durable. Sled syncs some files and no folder.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        sync_tree(&self.path).map_err(io_fault)
    }

    /// Writes sled's log over itself.
    ///
    /// After a write that failed to reach the disk the system may take it for written, and a later
    /// sync would succeed without it. What is written again is synced again.
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
        rewrite().map_err(io_fault)
    }
}

/// Takes the layout's name from what a marker says, and whether the store was left open. What stands
/// behind the name may be cut short.
fn read_usage(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    match text.split_at_checked(end) {
        Some((layout, rest)) if !rest.is_empty() && IN_USE.starts_with(rest) => (layout, true),
        _ => (text, false),
    }
}

/// Opens the marker of a store, or makes one in a folder that is empty or was not there.
fn open_marker(folder: &Path) -> Result<File, StoreError> {
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => {
            return Err(StoreError::new(StoreErrorKind::NotOurs, "not a folder"));
        }
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => create_folder(folder)?,
        Err(cause) => return Err(io_fault(cause)),
    }
    let path = folder.join(MARKER);
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        // A folder of that name.
        Err(cause) if cause.kind() == io::ErrorKind::IsADirectory => {
            return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
        }
        opened => return opened.map_err(io_fault),
    }
    if fs::read_dir(folder).map_err(io_fault)?.next().is_some() && !path.exists() {
        let cause = format!("a folder with files in it, but no `{MARKER}`");
        return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
    }
    options.create(true).open(&path).map_err(io_fault)
}

fn create_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::create_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        created => created.map_err(io_fault)?,
    }
    match folder.parent() {
        Some(parent) => sync_names(parent).map_err(io_fault),
        None => Ok(()),
    }
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            OpenOptions::new().write(true).open(entry.path())?.sync_all()?;
        }
    }
    sync_names(folder)
}

/// Makes the names in a folder durable, where the system keeps them apart from the files.
fn sync_names(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_marker_that_is_cut_short_behind_the_layout_is_of_a_store_left_open() {
        let layout = FIRST_LAYOUT.as_bytes();
        assert_eq!(read_usage(layout), (layout, false));
        for length in 1..=IN_USE.len() {
            let text = [layout, &IN_USE[..length]].concat();
            assert_eq!(read_usage(&text), (layout, true));
        }
        for text in ["", "custom-models", "a\nb", "a\nin use\n\n", "\n"] {
            assert_eq!(read_usage(text.as_bytes()), (text.as_bytes(), false));
        }
    }

    #[test]
    fn model_6_a_log_is_written_over_itself_to_the_last_byte() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::claim(temporary.path()).unwrap();
        let path = temporary.path().join(LOG);
        let bytes: Vec<u8> = (0..5_000_000_u32).map(|place| place.to_be_bytes()[2]).collect();
        fs::write(&path, &bytes).unwrap();
        let log = folder.open_log().unwrap();
        log.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        folder.rewrite_log().unwrap();
        assert!(log.metadata().unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH);
        assert!(fs::read(&path).unwrap() == bytes);
    }
}
