//! The open database, shared by the writer and all readers.
//!
//! After a failed write or flush, sled refuses everything until it is reopened, and its cache may
//! hold rows that are not on the disk. So the database is then closed for all threads, and the next
//! read or write reopens it.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use custom_models_core::store::{StoreError, StoreErrorKind};
use sled::Db;

use crate::database::backend::{Backend, Opened};
use crate::database::folder::{Folder, LOG_IS_GONE};
use crate::database::inspection::{Inspection, inspect};
use crate::database::log_scan::end_of;
use crate::database::recognition::recognise;
use crate::database::undo_log::UndoLog;
use crate::database::watermark::{Mark, Watermark};
use crate::error::{call_sled, damaged};
use crate::rows::keys::{LAST_ID, TOTALS, number};
use crate::rows::totals::Totals;
use crate::rows::write_set::WriteSet;

pub(crate) mod backend;
mod files;
mod flush_watchdog;
pub(crate) mod folder;
mod inspection;
mod journal;
mod leftovers;
mod log_scan;
mod private_copy;
mod recognition;
#[cfg(test)]
pub(crate) mod recorder;
mod repair_v1;
mod undo_log;
pub(crate) mod watermark;

/// The number of attempts at writing a group. An attempt is repeated if the database broke before
/// the group was written.
const MAX_ATTEMPTS: usize = 4;

/// A database, which may be open, broken or closed.
pub(crate) struct Database {
    backend: Box<dyn Backend>,
    /// Users of the database hold the read lock for as long as they use it, and keep no handle. So
    /// a change of state waits for them and drops the last handle, which frees sled's lock.
    state: RwLock<State>,
    /// Held while a batch becomes visible, but not while it is synced. While a reader holds it, the
    /// database does not change.
    undo_log: Mutex<UndoLog>,
    /// The findings of the inspection before the database was opened.
    findings: Vec<String>,
}

struct State {
    folder: Folder,
    /// The watermark found before the database was opened.
    expected: Option<Mark>,
    /// Set when the database is first opened, unless the folder is a private copy.
    watermark: Option<Watermark>,
    status: Status,
}

enum Status {
    Open(Opened),
    /// To be reopened. If a sync may have missed a part of the log, the log is rewritten first.
    Broken {
        is_log_suspect: bool,
    },
    Closed,
}

/// An attempt at writing a group.
pub(crate) struct Attempt<T> {
    pub(crate) decision: T,
    pub(crate) changes: WriteSet,
    pub(crate) result: Result<(), WriteError>,
}

/// The error of a group, by the step that failed.
pub(crate) enum WriteError {
    /// A step before the sync failed.
    Unflushed(StoreError),
    /// The sync or a later step failed: the group may be durable.
    Unsynced(StoreError),
}

impl Database {
    /// Opens the database of a folder, or creates it.
    pub(crate) fn open(folder: Folder, backend: impl Backend) -> Result<Self, StoreError> {
        let Inspection { mark, findings } = inspect(&folder)?;
        let status = Status::Broken { is_log_suspect: false };
        let state = State { folder, expected: mark, watermark: None, status };
        let database = Database {
            backend: Box::new(backend),
            state: RwLock::new(state),
            undo_log: Mutex::default(),
            findings,
        };
        database.reopen()?;
        Ok(database)
    }

    /// Runs a read, and reopens a broken database first. The failure of a write in one of sled's
    /// own threads may surface in the next read; that read is repeated once, after reopening.
    pub(crate) fn read<T>(
        &self,
        read: impl Fn(&Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut has_failed = false;
        loop {
            let state = self.state();
            let result = match &state.status {
                Status::Open(opened) => {
                    state.folder.ensure_in_place()?;
                    Some(read(&opened.db))
                }
                Status::Closed => return Err(StoreErrorKind::Closed.into()),
                Status::Broken { .. } => None,
            };
            drop(state);
            match result {
                None => self.reopen()?,
                Some(Err(error)) if is_disk_error(&error) => {
                    self.mark_broken(may_lose_writes(&error));
                    if has_failed {
                        return Err(error);
                    }
                    has_failed = true;
                }
                Some(result) => return result,
            }
        }
    }

    /// Keeps the writer from making a batch visible while the guard lives. Hold it briefly.
    pub(crate) fn block_writer(&self) -> MutexGuard<'_, UndoLog> {
        self.undo_log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides a group and writes its changes. If a reader marks the database broken in between,
    /// nothing was written, and the group is decided again. `Err` means that nothing was written.
    pub(crate) fn write_group<T>(
        &self,
        judge: impl Fn() -> Result<(T, WriteSet), StoreError>,
    ) -> Result<Attempt<T>, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let (decision, changes) = judge()?;
            if changes.is_empty() {
                return Ok(Attempt { decision, changes, result: Ok(()) });
            }
            if let Some(result) = self.write(&changes) {
                return Ok(Attempt { decision, changes, result });
            }
        }
        let cause = "the database broke off again and again before anything could be written";
        Err(StoreError::new(StoreErrorKind::Failed, cause))
    }

    /// Makes changes visible, all at once, and then durable. A failure marks the database broken.
    /// Returns `None` if the database is not open.
    fn write(&self, changes: &WriteSet) -> Option<Result<(), WriteError>> {
        let state = self.state();
        let written = match &state.status {
            Status::Open(opened) => self.write_to(&state, opened, changes),
            Status::Closed | Status::Broken { .. } => return None,
        };
        drop(state);
        match &written {
            Ok(()) => {}
            Err(WriteError::Unflushed(error)) => self.mark_broken(may_lose_writes(error)),
            Err(WriteError::Unsynced(_)) => self.mark_broken(true),
        }
        Some(written)
    }

    fn write_to(
        &self,
        state: &State,
        opened: &Opened,
        changes: &WriteSet,
    ) -> Result<(), WriteError> {
        let batches = journal::batches(changes).map_err(WriteError::Unflushed)?;
        let mut undo_log = self.block_writer();
        undo_log.record(changes);
        let applied = self.backend.apply(opened, batches);
        drop(undo_log);
        applied.and_then(|()| self.backend.flush(opened)).map_err(WriteError::Unflushed)?;
        self.backend.sync(opened).map_err(WriteError::Unsynced)?;
        if let (Some(watermark), Some(row)) = (&state.watermark, changes.after(TOTALS)) {
            let totals = Totals::from_row(Some(row)).map_err(WriteError::Unsynced)?;
            watermark.raise(totals, changes.after(LAST_ID).and_then(number));
        }
        state.folder.ensure_in_place().map_err(WriteError::Unsynced)
    }

    /// Closes the database for good, and unlocks its folder.
    pub(crate) fn close(&self) {
        let mut state = self.state_mut();
        if matches!(state.status, Status::Closed) {
            return;
        }
        let was_open = matches!(state.status, Status::Open(_));
        drop_database(&mut state, Status::Closed);
        state.folder.wait_for_log();
        if let Some(mut watermark) = state.watermark.take() {
            let log = state.folder.log();
            watermark.finish(if was_open { end_of(&log).unwrap_or_default() } else { None });
        }
        state.folder.release();
    }

    fn mark_broken(&self, is_suspect: bool) {
        let mut state = self.state_mut();
        match &mut state.status {
            Status::Open(_) => {
                drop_database(&mut state, Status::Broken { is_log_suspect: is_suspect })
            }
            // Another thread was faster, and may have trusted the log.
            Status::Broken { is_log_suspect } => *is_log_suspect |= is_suspect,
            Status::Closed => {}
        }
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let state = &mut *self.state_mut();
        let Status::Broken { is_log_suspect } = &mut state.status else {
            return Ok(());
        };
        state.folder.ensure_in_place()?;
        if !state.folder.is_unfinished() && !state.folder.has_log() {
            return Err(damaged(LOG_IS_GONE));
        }
        if *is_log_suspect {
            state.folder.rewrite_log()?;
        }
        state.folder.wait_for_log();
        let opened = self.backend.open(&state.folder);
        // Opening ends with a sync.
        *is_log_suspect = opened.as_ref().is_err_and(may_lose_writes);
        let opened = opened?;
        let recognised = self.recognise(state, &opened);
        let suspect = std::mem::replace(&mut state.status, Status::Open(opened));
        if recognised.is_err() {
            drop_database(state, suspect);
        }
        recognised
    }

    fn recognise(&self, state: &mut State, opened: &Opened) -> Result<(), StoreError> {
        let State { folder, expected, watermark, .. } = state;
        if let Some(watermark) = watermark {
            *expected = Some(watermark.mark());
        }
        let mark = recognise(&*self.backend, opened, folder, expected.as_ref())?;
        folder.remember_log()?;
        if watermark.is_none() && !folder.is_private() {
            *watermark = Some(Watermark::start(folder.path(), mark)?);
        }
        // The marker is written last, so that an interrupted step is repeated.
        if folder.needs_marking() { folder.write_marker() } else { Ok(()) }
    }

    /// The findings of the inspection before the database was opened.
    pub(crate) fn findings(&self) -> &[String] {
        &self.findings
    }

    /// A panic under the lock leaves a valid state.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

/// Returns true for an error after which sled refuses everything until it is reopened.
fn is_disk_error(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Full | StoreErrorKind::Failed)
}

/// Returns true for an error after which the system may treat pages as written that never reached
/// the disk.
fn may_lose_writes(error: &StoreError) -> bool {
    error.kind() == StoreErrorKind::Failed
}

/// Drops the database. The flush that this causes may fail, which does no harm.
fn drop_database(state: &mut State, status: Status) {
    let before = std::mem::replace(&mut state.status, status);
    let _ = call_sled(|| {
        drop(before);
        Ok(())
    });
}

#[cfg(test)]
mod tests;
