//! The files of an open store, watched by their paths.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::file::folder_events::FolderEvents;
use crate::file::path::{FileId, io_error, path_error, sidecar};

/// The files of an open store, as they were when it was opened (PLACE-3).
pub(crate) struct FileWatch {
    database: WatchedFile,
    /// The log and its index, while a connection is known to have them open. SQLite deletes them with its
    /// last connection and makes them with the first, so they are others in between.
    logs: RwLock<Option<[WatchedFile; 2]>>,
    log: PathBuf,
    index: PathBuf,
    opened_at: Instant,
    /// The time of the last look at all files that found them fine, or [`NEVER`].
    checked_at: AtomicU64,
    /// Held during a look at all files, so that none ends as fine that began before another took events.
    check_lock: Mutex<()>,
    /// Commits until events are asked for.
    commits_left: AtomicU32,
    events: OnceLock<Option<FolderEvents>>,
}

/// For how long a look at all paths counts in front of a commit. What is moved or replaced within this time is
/// noticed behind the commit.
const MAX_AGE_MICROS: u64 = 5_000;

const NEVER: u64 = u64::MAX;

/// After so many commits the kernel is asked for events. To end them takes some milliseconds, which a command of
/// a few commits does not wait for.
const COMMITS_BEFORE_EVENTS: u32 = 1_000;

struct WatchedFile {
    path: PathBuf,
    id: FileId,
    /// The folder of the file as it was, and the name there: a shorter way than the whole path.
    #[cfg(target_os = "linux")]
    open_folder: Option<(std::os::fd::OwnedFd, PathBuf)>,
}

impl WatchedFile {
    fn new(path: &Path) -> Result<Self, StoreError> {
        let id = FileId::at(path).map_err(|error| io_error(path, &error))?;
        Ok(WatchedFile {
            path: path.to_owned(),
            id,
            #[cfg(target_os = "linux")]
            open_folder: open_folder(path),
        })
    }

    /// Looks at the whole path.
    fn check(&self) -> Result<(), FileMoved> {
        match FileId::at(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(FileMoved { path: self.path.clone(), is_gone: false }),
            Err(_) => Err(FileMoved { path: self.path.clone(), is_gone: true }),
        }
    }

    /// Looks in the folder as it was, wherever that is now. False also if that cannot be.
    fn is_in_open_folder(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some((folder, name)) = &self.open_folder
            && let Some(Ok(id)) = FileId::within(folder, name)
        {
            return id == self.id;
        }
        false
    }
}

/// The folder of a file, and the name of the file there.
#[cfg(target_os = "linux")]
fn open_folder(path: &Path) -> Option<(std::os::fd::OwnedFd, PathBuf)> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(path.parent()?, flags, Mode::empty()).ok()?;
    Some((folder, path.file_name()?.into()))
}

/// A file that is no longer the one that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileMoved {
    path: PathBuf,
    is_gone: bool,
}

impl FileMoved {
    /// The fault of whoever hears of it.
    pub(crate) fn to_error(&self, kind: StoreErrorKind) -> StoreError {
        let what = if self.is_gone { "was removed or moved" } else { "was replaced" };
        path_error(kind, &self.path, format_args!("this file {what} while the store was open"))
    }
}

impl FileWatch {
    /// Looks at the database before it is opened.
    pub(crate) fn new(database: &Path) -> Result<Self, StoreError> {
        let (log, index) = (sidecar(database, "-wal"), sidecar(database, "-shm"));
        Ok(FileWatch {
            database: WatchedFile::new(database)?,
            logs: RwLock::new(None),
            log,
            index,
            opened_at: Instant::now(),
            checked_at: AtomicU64::new(NEVER),
            check_lock: Mutex::new(()),
            commits_left: AtomicU32::new(COMMITS_BEFORE_EVENTS),
            events: OnceLock::new(),
        })
    }

    /// Looks at the log and its index, which a connection has open.
    pub(crate) fn watch_logs(&self) -> Result<(), StoreError> {
        let logs = [WatchedFile::new(&self.log)?, WatchedFile::new(&self.index)?];
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = Some(logs);
        Ok(())
    }

    /// The connection that had them open is closed.
    pub(crate) fn unwatch_logs(&self) {
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Looks whether every file is still the one that was opened.
    pub(crate) fn check(&self) -> Result<(), FileMoved> {
        let _checking = self.check_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = self.events()
            && events.has_pending()
        {
            // In this order: whoever finds nothing queued finds that a look is missing.
            self.checked_at.store(NEVER, Ordering::SeqCst);
            events.drain();
        }
        let is_fine = self
            .database
            .check()
            .and_then(|()| self.logs().iter().flatten().try_for_each(WatchedFile::check));
        let now = self.now();
        self.checked_at.store(if is_fine.is_ok() { now } else { NEVER }, Ordering::SeqCst);
        is_fine
    }

    /// [`FileWatch::check`], unless that was done within [`MAX_AGE_MICROS`].
    pub(crate) fn check_if_stale(&self) -> Result<(), FileMoved> {
        let checked_at = self.checked_at.load(Ordering::SeqCst);
        if checked_at != NEVER && self.now().saturating_sub(checked_at) < MAX_AGE_MICROS {
            return Ok(());
        }
        self.check()
    }

    /// [`FileWatch::check`] between a commit and its answer, unless nothing has happened since the last one that was
    /// fine: nothing was told, or a look from the folder, which is shorter, finds database and log there.
    pub(crate) fn check_after_commit(&self) -> Result<(), FileMoved> {
        let is_same = match self.events() {
            Some(events) => !events.has_pending(),
            None => {
                self.count_commit();
                self.are_files_in_open_folder()
            }
        };
        // In this order, see FileWatch::check.
        if is_same && self.checked_at.load(Ordering::SeqCst) != NEVER {
            return Ok(());
        }
        self.check()
    }

    fn are_files_in_open_folder(&self) -> bool {
        self.database.is_in_open_folder()
            && self.logs().as_ref().is_none_or(|[log, _]| log.is_in_open_folder())
    }

    fn count_commit(&self) {
        let next = |left: u32| left.checked_sub(1);
        if self.commits_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) == Ok(1) {
            self.start_events();
        }
    }

    /// Begins to be told. What was looked at before counts no more.
    fn start_events(&self) {
        let events = FolderEvents::of(&self.database.path);
        let _checking = self.check_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.events.set(events);
        self.checked_at.store(NEVER, Ordering::SeqCst);
    }

    fn events(&self) -> Option<&FolderEvents> {
        self.events.get()?.as_ref()
    }

    fn logs(&self) -> RwLockReadGuard<'_, Option<[WatchedFile; 2]>> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the store was opened, in microseconds.
    fn now(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_micros()).unwrap_or(NEVER)
    }

    /// True if the log was removed, and nothing else.
    pub(crate) fn is_only_log_gone(&self, moved: &FileMoved) -> bool {
        moved.is_gone && (moved.path == self.log || moved.path == self.index) && !self.log.exists()
    }
}

#[cfg(test)]
mod tests;
