//! The steps of a commit, down to the disk.

use std::fs::File;
use std::thread;
use std::time::Duration;

use custom_models_core::store::StoreError;
use sled::{Batch, Db, Mode};

use crate::database::flush_watchdog::FlushWatchdog;
use crate::database::folder::Folder;
use crate::database::leftovers;
use crate::error::{call_sled, io_error, quiet_panics};

/// The time after which a flush is suspected to wait in vain.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of the database that sled keeps in memory.
const CACHE_BYTES: u64 = 64 << 20;

/// An open database.
pub(crate) struct Opened {
    /// Has a handle of the database, so it goes first.
    watchdog: FlushWatchdog,
    pub(crate) db: Db,
    /// The log, opened before anything is written to it, so that no error of the disk is missed.
    log: File,
}

/// The operations on sled and on the file system below it, in the order of a commit. Tests record the
/// order and let steps fail.
pub(crate) trait Backend: Send + Sync + 'static {
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

impl Backend for Disk {
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError> {
        quiet_panics();
        leftovers::remove(folder).map_err(io_error)?;
        let config = sled::Config::new()
            .path(folder.path())
            .mode(Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = call_sled(|| config.open())?;
        let opened = folder.open_log().and_then(|log| {
            folder.sync()?;
            Ok((log, watchdog(db.clone())?))
        });
        match opened {
            Ok((log, watchdog)) => Ok(Opened { watchdog, db, log }),
            Err(error) => {
                call_sled(|| {
                    drop(db);
                    Ok(())
                })?;
                Err(error)
            }
        }
    }

    fn apply(&self, opened: &Opened, batches: Vec<Batch>) -> Result<(), StoreError> {
        batches.into_iter().try_for_each(|batch| call_sled(|| opened.db.apply_batch(batch)))
    }

    fn flush(&self, opened: &Opened) -> Result<(), StoreError> {
        opened.watchdog.watch(|| call_sled(|| opened.db.flush())).map(drop)
    }

    /// On Linux sled's flush writes the log and starts its way to the disk (`sync_file_range`), but
    /// neither the length of the file nor the drive's own cache is flushed.
    fn sync(&self, opened: &Opened) -> Result<(), StoreError> {
        opened.log.sync_all().map_err(io_error)
    }
}

/// Flushes once more, from a thread of its own, while a flush takes very long.
fn watchdog(db: Db) -> Result<FlushWatchdog, StoreError> {
    let wake = move || {
        let db = db.clone();
        let flush = move || drop(call_sled(|| db.flush()));
        // Without a thread now, there may be one the next time.
        drop(thread::Builder::new().name("sled-flush".to_owned()).spawn(flush));
    };
    FlushWatchdog::start(PATIENCE, wake).map_err(io_error)
}

/// Makes batches durable.
pub(crate) fn make(
    backend: &dyn Backend,
    opened: &Opened,
    batches: Vec<Batch>,
) -> Result<(), StoreError> {
    backend.apply(opened, batches)?;
    backend.flush(opened)?;
    backend.sync(opened)
}

/// Sled as it comes: what is flushed counts as durable.
#[cfg(feature = "flush-only")]
pub(crate) struct FlushOnly;

#[cfg(feature = "flush-only")]
impl Backend for FlushOnly {
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
