//! The steps of a commit: apply, flush, sync.

use std::fs::File;
use std::thread;
use std::time::Duration;

use custom_models_core::store::StoreError;
use sled::{Batch, Db, Mode};

use crate::database::flush_watchdog::FlushWatchdog;
use crate::database::folder::Folder;
use crate::database::leftovers;
use crate::error::{call_sled, io_error, quiet_panics};

/// The time after which a flush is suspected to hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size of sled's cache in bytes.
const CACHE_BYTES: u64 = 64 << 20;

/// An open database.
pub(crate) struct Opened {
    /// Holds a handle of the database, so it is dropped first.
    watchdog: FlushWatchdog,
    pub(crate) db: Db,
    /// The log. Opened before anything is written, so that its sync reports every write error.
    log: File,
}

/// The operations of a commit on sled and the file system. Tests replace it to record the order of
/// the steps and make them fail.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Opens the database of a folder. Everything in it is durable then.
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError>;

    /// Applies batches, one after the other, up to the first that fails.
    fn apply(&self, opened: &Opened, batches: Vec<Batch>) -> Result<(), StoreError>;

    /// Writes what was applied to the operating system.
    fn flush(&self, opened: &Opened) -> Result<(), StoreError>;

    /// Makes what was flushed survive a power cut.
    fn sync(&self, opened: &Opened) -> Result<(), StoreError>;
}

/// The backend of a store on disk.
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

    /// On Linux sled's flush writes the log and starts writeback (`sync_file_range`). It flushes
    /// neither the file's length nor the drive's cache.
    fn sync(&self, opened: &Opened) -> Result<(), StoreError> {
        opened.log.sync_all().map_err(io_error)
    }
}

/// Starts a watchdog that flushes again, from a thread of its own, while a flush takes very long.
fn watchdog(db: Db) -> Result<FlushWatchdog, StoreError> {
    let wake = move || {
        let db = db.clone();
        let flush = move || drop(call_sled(|| db.flush()));
        // If no thread can be started, the next wake-up tries again.
        drop(thread::Builder::new().name("sled-flush".to_owned()).spawn(flush));
    };
    FlushWatchdog::start(PATIENCE, wake).map_err(io_error)
}

/// Applies batches and makes them durable.
pub(crate) fn write_durably(
    backend: &dyn Backend,
    opened: &Opened,
    batches: Vec<Batch>,
) -> Result<(), StoreError> {
    backend.apply(opened, batches)?;
    backend.flush(opened)?;
    backend.sync(opened)
}

/// A backend that takes what sled flushed for durable.
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
