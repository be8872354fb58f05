//! The steps of a commit, down to the disk.

use std::fs::File;
use std::thread;
use std::time::Duration;

use custom_models_core::store::StoreError;
use sled::{Batch, Db, Mode};

use crate::database::flush_watchdog::Nudger;
use crate::database::folder::Folder;
use crate::database::leftovers;
use crate::error::{guarded, io_fault, keep_panics_silent};

/// The time after which a flush is suspected to wait in vain.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of the database that sled keeps in memory.
const CACHE_BYTES: u64 = 64 << 20;

/// An open database.
pub(crate) struct Opened {
    /// Has a handle of the database, so it goes first.
    nudger: Nudger,
    pub(crate) db: Db,
    /// The log, opened before anything is written to it, so that no error of the disk is missed.
    log: File,
}

/// The operations on sled and on the file system below it, in the order of a commit. Tests record the
/// order and let steps fail.
pub(crate) trait Medium: Send + Sync + 'static {
    /// Opens the database of a folder; what it then shows is durable.
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError>;

    /// Makes batches, one after the other. Those behind one that fails are not tried.
    fn apply(&self, opened: &Opened, batches: Vec<Batch>) -> Result<(), StoreError>;

    /// Hands what was applied to the system.
    fn flush(&self, opened: &Opened) -> Result<(), StoreError>;

    /// Makes what was flushed survive a power cut.
    fn sync(&self, opened: &Opened) -> Result<(), StoreError>;
}

/// The real one.
pub(crate) struct Disk;

impl Medium for Disk {
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError> {
        keep_panics_silent();
        leftovers::remove(folder).map_err(io_fault)?;
        let config = sled::Config::new()
            .path(folder.path())
            .mode(Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = guarded(|| config.open())?;
        let opened = folder.open_log().and_then(|log| {
            folder.sync()?;
            Ok((log, nudger(db.clone())?))
        });
        match opened {
            Ok((log, nudger)) => Ok(Opened { nudger, db, log }),
            Err(fault) => {
                guarded(|| {
                    drop(db);
                    Ok(())
                })?;
                Err(fault)
            }
        }
    }

    fn apply(&self, opened: &Opened, batches: Vec<Batch>) -> Result<(), StoreError> {
        batches.into_iter().try_for_each(|batch| guarded(|| opened.db.apply_batch(batch)))
    }

    fn flush(&self, opened: &Opened) -> Result<(), StoreError> {
        opened.nudger.watch(|| guarded(|| opened.db.flush())).map(drop)
    }

    /// On Linux sled's flush writes the log and starts its way to the disk (`sync_file_range`), but
    /// neither the length of the file nor the drive's own cache is flushed.
    fn sync(&self, opened: &Opened) -> Result<(), StoreError> {
        opened.log.sync_all().map_err(io_fault)
    }
}

/// Flushes once more, from a thread of its own, while a flush takes very long.
fn nudger(db: Db) -> Result<Nudger, StoreError> {
    let nudge = move || {
        let db = db.clone();
        let flush = move || drop(guarded(|| db.flush()));
        // Without a thread now, there may be one the next time.
        drop(thread::Builder::new().name("sled-nudge".to_owned()).spawn(flush));
    };
    Nudger::start(PATIENCE, nudge).map_err(io_fault)
}

/// Makes batches durable.
pub(crate) fn make(
    medium: &dyn Medium,
    opened: &Opened,
    batches: Vec<Batch>,
) -> Result<(), StoreError> {
    medium.apply(opened, batches)?;
    medium.flush(opened)?;
    medium.sync(opened)
}

/// Sled as it comes: what is flushed counts as durable.
#[cfg(feature = "flush-only")]
pub(crate) struct FlushOnly;

#[cfg(feature = "flush-only")]
impl Medium for FlushOnly {
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError> {
        Disk.open(folder)
    }

    fn apply(&self, opened: &Opened, batches: Vec<Batch>) -> Result<(), StoreError> {
        Disk.apply(opened, batches)
    }

    fn flush(&self, opened: &Opened) -> Result<(), StoreError> {
        Disk.flush(opened)
    }

    fn sync(&self, _: &Opened) -> Result<(), StoreError> {
        Ok(())
    }
}
