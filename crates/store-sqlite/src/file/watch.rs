//! The check that the files of an open store are still at their paths (PLACE-3).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::file::folder_events::FolderEvents;
use crate::file::path::{FileId, io_error, path_error, sidecar};

/// The files of an open store, as they were when it was opened.
pub(crate) struct FileWatch {
    database: WatchedFile,
    /// The log and its index while a connection has them open. SQLite creates them with its first
    /// connection and deletes them with its last, so without one they may be replaced.
    logs: RwLock<Option<[WatchedFile; 2]>>,
    log: PathBuf,
    index: PathBuf,
    opened_at: Instant,
    /// The time of the last successful check of all files, or [`NEVER`].
    checked_at: AtomicU64,
    /// Held during a check of all files. Otherwise a check could succeed although another one has
    /// taken the events that it should have seen.
    check_lock: Mutex<()>,
    /// The number of commits until events are requested.
    commits_left: AtomicU32,
    events: OnceLock<Option<FolderEvents>>,
}

/// The age up to which a check of all paths still counts before a commit. A move within this time
/// is noticed after the commit.
const MAX_AGE_MICROS: u64 = 5_000;

const NEVER: u64 = u64::MAX;

/// The number of commits after which the kernel is asked for events. Ending them takes some
/// milliseconds, so short commands do without.
const COMMITS_BEFORE_EVENTS: u32 = 1_000;

struct WatchedFile {
    path: PathBuf,
    id: FileId,
    /// A handle of the folder, and the file's name in it: a shorter lookup than the whole path.
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

    /// Checks the whole path.
    fn check(&self) -> Result<(), FileMoved> {
        match FileId::at(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(FileMoved { path: self.path.clone(), is_gone: false }),
            Err(_) => Err(FileMoved { path: self.path.clone(), is_gone: true }),
        }
    }

    /// Checks the file in the opened folder, wherever that is now. Returns false if it cannot.
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

/// Opens the folder of a file, and returns it with the file's name.
#[cfg(target_os = "linux")]
fn open_folder(path: &Path) -> Option<(std::os::fd::OwnedFd, PathBuf)> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(path.parent()?, flags, Mode::empty()).ok()?;
    Some((folder, path.file_name()?.into()))
}

/// The path of a file that was removed, moved or replaced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileMoved {
    path: PathBuf,
    is_gone: bool,
}

impl FileMoved {
    /// Converts it to an error of this kind.
    pub(crate) fn to_error(&self, kind: StoreErrorKind) -> StoreError {
        let what = if self.is_gone { "was removed or moved" } else { "was replaced" };
        path_error(kind, &self.path, format_args!("this file {what} while the store was open"))
    }
}

impl FileWatch {
    /// Starts a watch over a database that is about to be opened.
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

    /// Adds the log and its index, which a connection has just opened.
    pub(crate) fn watch_logs(&self) -> Result<(), StoreError> {
        let logs = [WatchedFile::new(&self.log)?, WatchedFile::new(&self.index)?];
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = Some(logs);
        Ok(())
    }

    /// Removes the log and its index: the connection that had them open is closed.
    pub(crate) fn unwatch_logs(&self) {
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Checks that every file is still the one that was opened.
    pub(crate) fn check(&self) -> Result<(), FileMoved> {
        let _checking = self.check_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = self.events()
            && events.has_pending()
        {
            // In this order: a thread that finds no event queued must see that a check is due.
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

    /// Runs [`FileWatch::check`], unless the last one is younger than [`MAX_AGE_MICROS`].
    pub(crate) fn check_if_stale(&self) -> Result<(), FileMoved> {
        let checked_at = self.checked_at.load(Ordering::SeqCst);
        if checked_at != NEVER && self.now().saturating_sub(checked_at) < MAX_AGE_MICROS {
            return Ok(());
        }
        self.check()
    }

    /// Runs [`FileWatch::check`] between a commit and its acknowledgement, unless nothing has
    /// changed since the last successful one: no event is queued, or the cheaper check in the
    /// opened folder finds database and log.
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

    /// Starts the events. Checks made before no longer count.
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

    /// Returns true if only the log was removed.
    pub(crate) fn is_only_log_gone(&self, moved: &FileMoved) -> bool {
        moved.is_gone && (moved.path == self.log || moved.path == self.index) && !self.log.exists()
    }
}

#[cfg(test)]
mod tests;
