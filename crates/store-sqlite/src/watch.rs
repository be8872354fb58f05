//! The files of an open store, watched by their paths.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use custom_models_core::{StoreError, StoreErrorKind};

use crate::place::{FileId, about, beside, unusable};

/// The files of an open store, as they were when it was opened (PLACE-3).
pub(crate) struct Watch {
    database: Watched,
    /// The log and its index, while a connection is known to have them open. SQLite deletes them with its
    /// last connection and makes them with the first, so they are others in between.
    logs: RwLock<Option<[Watched; 2]>>,
    log: PathBuf,
    index: PathBuf,
    opened_at: Instant,
    /// When all files were last looked at and were fine, or [`NEVER`].
    looked_at: AtomicU64,
}

/// For how long a look at all paths counts, which takes some microseconds. What is moved or replaced within this
/// time in the folder is noticed behind the commit.
const FRESH_MICROS: u64 = 5_000;

const NEVER: u64 = u64::MAX;

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
        self.judge(FileId::at(&self.path))
    }

    /// Looks in the folder as it was, wherever that is now.
    fn look_near(&self) -> Result<(), Moved> {
        #[cfg(target_os = "linux")]
        if let Some((folder, name)) = &self.near
            && let Some(found) = FileId::within(folder, name)
        {
            return self.judge(found);
        }
        self.look()
    }

    fn judge(&self, found: io::Result<FileId>) -> Result<(), Moved> {
        match found {
            Ok(id) if id == self.id => Ok(()),
            Ok(_) => Err(Moved { path: self.path.clone(), is_gone: false }),
            Err(_) => Err(Moved { path: self.path.clone(), is_gone: true }),
        }
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
        let database = Watched::new(database)?;
        let (opened_at, looked_at) = (Instant::now(), AtomicU64::new(NEVER));
        Ok(Watch { database, logs: RwLock::new(None), log, index, opened_at, looked_at })
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
        let is_fine = self
            .database
            .look()
            .and_then(|()| self.logs().iter().flatten().try_for_each(Watched::look));
        let now = self.now();
        self.looked_at.store(if is_fine.is_ok() { now } else { NEVER }, Ordering::Relaxed);
        is_fine
    }

    /// [`Watch::look`], unless that was done within [`FRESH_MICROS`].
    pub(crate) fn look_lately(&self) -> Result<(), Moved> {
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        if looked_at != NEVER && self.now().saturating_sub(looked_at) < FRESH_MICROS {
            return Ok(());
        }
        self.look()
    }

    /// Looks at the database and its log in the folder as it was. [`Watch::look`] sees that the folder was moved.
    pub(crate) fn look_at_content(&self) -> Result<(), Moved> {
        let is_fine = self.database.look_near().and_then(|()| match &*self.logs() {
            Some([log, _]) => log.look_near(),
            None => Ok(()),
        });
        if is_fine.is_err() {
            self.looked_at.store(NEVER, Ordering::Relaxed);
        }
        is_fine
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
