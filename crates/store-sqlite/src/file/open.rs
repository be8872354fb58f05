//! Opening the file: whose it is, which version wrote it, and how it is to be written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use custom_models_core::store::{OpenMode, StoreError, StoreErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::store_error;
use crate::file::path::{
    FileState, create_file, ensure_single_link, ensure_writable, inspect, missing_store,
};
use crate::file::watch::FileWatch;
use crate::rows::checksum::register;
use crate::schema::{APPLICATION_ID, MIGRATIONS};

/// The path of the store, and the time that its calls wait there for other processes.
#[derive(Clone)]
pub(crate) struct StoreFile {
    pub(crate) path: PathBuf,
    pub(crate) busy_timeout: Duration,
    /// True if SQLite may not write to any of the files.
    pub(crate) is_read_only: bool,
}

/// Nobody opens a store of this process while another thread makes the file of a new one.
static CREATION: Mutex<()> = Mutex::new(());

impl StoreFile {
    /// Opens the file for writing with the right that `mode` gives, and says what is to be watched.
    pub(crate) fn open_for_writing(
        &self,
        mode: OpenMode,
    ) -> Result<(Connection, Arc<FileWatch>), StoreError> {
        let creating = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
        let found = inspect(&self.path)?;
        match (found, mode) {
            (FileState::File, _) | (FileState::Empty, OpenMode::Create) => {
                ensure_writable(&self.path)?;
                ensure_single_link(&self.path)?;
            }
            (FileState::Nothing, OpenMode::Create) => create_file(&self.path)?,
            _ => return Err(missing_store(&self.path, found)),
        }
        drop(creating);
        let watch = FileWatch::new(&self.path)?;
        let mut connection = self.connect()?;
        let version = layout_version(&connection)?;
        if version == 0 && mode != OpenMode::Create {
            return Err(missing_store(&self.path, FileState::Empty));
        }
        if version < MIGRATIONS.len() {
            if mode == OpenMode::Current {
                return Err(older_layout(version));
            }
            migrate(&mut connection)?;
            sync_folder(&self.path)?;
        }
        self.begin(&connection, &watch)?;
        Ok((connection, Arc::new(watch)))
    }

    /// Opens the file of an open store for writing again.
    pub(crate) fn open_again(&self, watch: &FileWatch) -> Result<Connection, StoreError> {
        watch.check().map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))?;
        let connection = self.connect()?;
        if layout_version(&connection)? == 0 {
            return Err(missing_store(&self.path, FileState::Empty));
        }
        self.begin(&connection, watch)?;
        Ok(connection)
    }

    /// Turns the log on, and makes sure that what was opened is what is there.
    fn begin(&self, connection: &Connection, watch: &FileWatch) -> Result<(), StoreError> {
        enable_wal(connection, self.busy_timeout)?;
        open_log(connection)?;
        watch.watch_logs()?;
        watch.check().map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))
    }

    /// Opens the file for reading.
    pub(crate) fn open_for_reading(&self) -> Result<Connection, StoreError> {
        let connection = self.connect()?;
        connection.execute_batch("PRAGMA query_only = ON;").map_err(store_error)?;
        Ok(connection)
    }

    /// Opens a file that is there. SQLite makes none: it would be one of any mode.
    fn connect(&self) -> Result<Connection, StoreError> {
        let access = if self.is_read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(store_error)?;
        connection.busy_timeout(self.busy_timeout).map_err(store_error)?;
        connection.execute_batch(PRAGMAS).map_err(store_error)?;
        register(&connection).map_err(store_error)?;
        // Otherwise SQLite plans some statements anew for every value that is bound to them.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(store_error)?;
        Ok(connection)
    }
}

/// Every commit is synced, through the drive's own cache too where the system tells them apart. The
/// log is carried into the file every 4000 pages (16 MB), which costs less than SQLite's 1000; the
/// last connection to close does it too, and that may be one for reading.
const PRAGMAS: &str = "PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA trusted_schema = OFF;";

/// Returns the number of migrations that the file has seen, after making sure that it is ours. Writes nothing.
pub(crate) fn layout_version(connection: &Connection) -> Result<usize, StoreError> {
    // One statement, so that a file that becomes a store meanwhile is seen before or after.
    let (application_id, version, tables) = connection
        .query_row(
            "SELECT (SELECT application_id FROM pragma_application_id),
                (SELECT user_version FROM pragma_user_version),
                (SELECT count(*) FROM sqlite_schema)",
            [],
            |row| Ok((row.get::<_, i32>(0)?, row.get::<_, i32>(1)?, row.get::<_, u64>(2)?)),
        )
        .map_err(store_error)?;
    match (application_id, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(0),
        (APPLICATION_ID, Ok(version)) if version <= MIGRATIONS.len() => Ok(version),
        (APPLICATION_ID, Ok(version)) => Err(newer_layout(version)),
        _ => Err(StoreError::new(
            StoreErrorKind::NotOurs,
            format!("a SQLite file with application id {application_id:#x} and {tables} tables"),
        )),
    }
}

/// The file has seen more migrations than this version knows.
pub(crate) fn newer_layout(version: usize) -> StoreError {
    let cause = format!("its layout is version {version}, this one knows {}", MIGRATIONS.len());
    StoreError::new(StoreErrorKind::Newer, cause)
}

/// The file has not seen all migrations.
fn older_layout(version: usize) -> StoreError {
    let cause = format!("its layout is version {version}, the current one is {}", MIGRATIONS.len());
    StoreError::new(StoreErrorKind::Older, cause)
}

/// Brings the file to the current layout, in one transaction. Another process may have done it
/// while this one waited for the lock, so the file is asked again.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let version = layout_version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration).map_err(store_error)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(store_error)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(store_error)?;
    transaction.commit().map_err(store_error)
}

/// Turns the write-ahead log on, which the file remembers. SQLite does not wait for other
/// processes here, so this does.
fn enable_wal(connection: &Connection, busy_timeout: Duration) -> Result<(), StoreError> {
    let deadline = Instant::now() + busy_timeout;
    loop {
        let mode =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let cause = format!("no write-ahead log is possible here, but `{mode}`");
                return Err(StoreError::new(StoreErrorKind::Unavailable, cause));
            }
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(store_error(error)),
        }
    }
}

/// Has SQLite open the log and its index, which it does with the first read.
pub(crate) fn open_log(connection: &Connection) -> Result<(), StoreError> {
    let read = "SELECT count(*) FROM sqlite_schema";
    connection.query_row(read, [], |row| row.get::<_, u64>(0)).map(drop).map_err(store_error)
}

/// Makes the name of a new file durable, which syncing the file itself does not promise.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
    }
    Ok(())
}
