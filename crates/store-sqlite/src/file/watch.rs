//! The files of an open store, watched by their paths.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::file::name_events::NameEvents;
use crate::file::path::{FileId, about, beside, unusable};

/// The files of an open store, as they were when it was opened (PLACE-3).
pub(crate) struct Watch {
    database: Watched,
    /// The log and its index, while a connection is known to have them open. SQLite deletes them with its
    /// last connection and makes them with the first, so they are others in between.
    logs: RwLock<Option<[Watched; 2]>>,
    log: PathBuf,
    index: PathBuf,
    opened_at: Instant,
    /// The time of the last look at all files that found them fine, or [`NEVER`].
    looked_at: AtomicU64,
    /// Held during a look at all files, so that none ends as fine that began before another took events.
    looking: Mutex<()>,
    /// Commits until events are asked for.
    commits_left: AtomicU32,
    events: OnceLock<Option<NameEvents>>,
}

/// For how long a look at all paths counts in front of a commit. What is moved or replaced within this time is
/// noticed behind the commit.
const FRESH_MICROS: u64 = 5_000;

const NEVER: u64 = u64::MAX;

/// After so many commits the kernel is asked for events. To end them takes some milliseconds, which a command of
/// a few commits does not wait for.
const COMMITS_FIRST: u32 = 1_000;

struct Watched {
    path: PathBuf,
    id: FileId,
    /// The folder of the file as it was, and the name there: a shorter way than the whole path.
    #[cfg(target_os = "linux")]
    near: Option<(std::os::fd::OwnedFd, PathBuf)>,
}

impl Watched {
    fn new(path: &Path) -> Result<Self, StoreError> {
        let id = FileId::at(path).map_err(|error| unusable(path, &error))?;
        Ok(Watched {
            path: path.to_owned(),
            id,
            #[cfg(target_os = "linux")]
            near: near(path),
        })
    }

    /// Looks at the whole path.
    fn look(&self) -> Result<(), Moved> {
        match FileId::at(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(Moved { path: self.path.clone(), is_gone: false }),
            Err(_) => Err(Moved { path: self.path.clone(), is_gone: true }),
        }
    }

    /// Looks in the folder as it was, wherever that is now. False also if that cannot be.
    fn is_near(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some((folder, name)) = &self.near
            && let Some(Ok(id)) = FileId::within(folder, name)
        {
            return id == self.id;
        }
        false
    }
}

/// The folder of a file, and the name of the file there.
#[cfg(target_os = "linux")]
fn near(path: &Path) -> Option<(std::os::fd::OwnedFd, PathBuf)> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(path.parent()?, flags, Mode::empty()).ok()?;
    Some((folder, path.file_name()?.into()))
}

/// A file that is no longer the one that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    path: PathBuf,
    is_gone: bool,
}

impl Moved {
    /// The fault of whoever hears of it.
    pub(crate) fn fault(&self, kind: StoreErrorKind) -> StoreError {
        let what = if self.is_gone { "was removed or moved" } else { "was replaced" };
        about(kind, &self.path, format_args!("this file {what} while the store was open"))
    }
}

impl Watch {
    /// Looks at the database before it is opened.
    pub(crate) fn new(database: &Path) -> Result<Self, StoreError> {
        let (log, index) = (beside(database, "-wal"), beside(database, "-shm"));
        Ok(Watch {
            database: Watched::new(database)?,
            logs: RwLock::new(None),
            log,
            index,
            opened_at: Instant::now(),
            looked_at: AtomicU64::new(NEVER),
            looking: Mutex::new(()),
            commits_left: AtomicU32::new(COMMITS_FIRST),
            events: OnceLock::new(),
        })
    }

    /// Looks at the log and its index, which a connection has open.
    pub(crate) fn begin_logs(&self) -> Result<(), StoreError> {
        let logs = [Watched::new(&self.log)?, Watched::new(&self.index)?];
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = Some(logs);
        Ok(())
    }

    /// The connection that had them open is closed.
    pub(crate) fn end_logs(&self) {
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Looks whether every file is still the one that was opened.
    pub(crate) fn look(&self) -> Result<(), Moved> {
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = self.events()
            && events.has_any()
        {
            // In this order: whoever finds nothing queued finds that a look is missing.
            self.looked_at.store(NEVER, Ordering::SeqCst);
            events.take();
        }
        let is_fine = self
            .database
            .look()
            .and_then(|()| self.logs().iter().flatten().try_for_each(Watched::look));
        let now = self.now();
        self.looked_at.store(if is_fine.is_ok() { now } else { NEVER }, Ordering::SeqCst);
        is_fine
    }

    /// [`Watch::look`], unless that was done within [`FRESH_MICROS`].
    pub(crate) fn look_lately(&self) -> Result<(), Moved> {
        let looked_at = self.looked_at.load(Ordering::SeqCst);
        if looked_at != NEVER && self.now().saturating_sub(looked_at) < FRESH_MICROS {
            return Ok(());
        }
        self.look()
    }

    /// [`Watch::look`] between a commit and its answer, unless nothing has happened since the last one that was
    /// fine: nothing was told, or a look from the folder, which is shorter, finds database and log there.
    pub(crate) fn look_behind_commit(&self) -> Result<(), Moved> {
        let is_same = match self.events() {
            Some(events) => !events.has_any(),
            None => {
                self.count_down();
                self.is_content_near()
            }
        };
        // In this order, see Watch::look.
        if is_same && self.looked_at.load(Ordering::SeqCst) != NEVER {
            return Ok(());
        }
        self.look()
    }

    fn is_content_near(&self) -> bool {
        self.database.is_near() && self.logs().as_ref().is_none_or(|[log, _]| log.is_near())
    }

    fn count_down(&self) {
        let next = |left: u32| left.checked_sub(1);
        if self.commits_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) == Ok(1) {
            self.begin_events();
        }
    }

    /// Begins to be told. What was looked at before counts no more.
    fn begin_events(&self) {
        let events = NameEvents::of(&self.database.path);
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.events.set(events);
        self.looked_at.store(NEVER, Ordering::SeqCst);
    }

    fn events(&self) -> Option<&NameEvents> {
        self.events.get()?.as_ref()
    }

    fn logs(&self) -> RwLockReadGuard<'_, Option<[Watched; 2]>> {
        self.logs.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the store was opened, in microseconds.
    fn now(&self) -> u64 {
        u64::try_from(self.opened_at.elapsed().as_micros()).unwrap_or(NEVER)
    }

    /// True if the log was removed, and nothing else.
    pub(crate) fn is_log_alone_gone(&self, moved: &Moved) -> bool {
        moved.is_gone && (moved.path == self.log || moved.path == self.index) && !self.log.exists()
    }
}

#[cfg(test)]
mod tests;
