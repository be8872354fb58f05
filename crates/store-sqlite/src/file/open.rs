//! Opening the file: recognition, migration, and the settings of connections.

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

/// The path of a store, and how it is opened.
#[derive(Clone)]
pub(crate) struct StoreFile {
    pub(crate) path: PathBuf,
    pub(crate) busy_timeout: Duration,
    /// True if SQLite may write to none of the files.
    pub(crate) is_read_only: bool,
}

/// Held while a thread creates a file. Closing a file drops the process's locks on it, so no other
/// thread may open the same store meanwhile.
static CREATION: Mutex<()> = Mutex::new(());

impl StoreFile {
    /// Opens the file for writing as `mode` allows, and starts the watch over it.
    pub(crate) fn open_for_writing(
        &self,
        mode: OpenMode,
    ) -> Result<(Connection, Arc<FileWatch>), StoreError> {
        let creating = CREATION.lock().unwrap_or_else(PoisonError::into_inner);
        let found = inspect(&self.path)?;
        match (found, mode) {
            (FileState::Present, _) | (FileState::Empty, OpenMode::Create) => {
                ensure_writable(&self.path)?;
                ensure_single_link(&self.path)?;
            }
            (FileState::Missing, OpenMode::Create) => create_file(&self.path)?,
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

    /// Opens the file of an open store for writing again, after an error.
    pub(crate) fn open_again(&self, watch: &FileWatch) -> Result<Connection, StoreError> {
        watch.check().map_err(|moved| moved.to_error(StoreErrorKind::Unavailable))?;
        let connection = self.connect()?;
        if layout_version(&connection)? == 0 {
            return Err(missing_store(&self.path, FileState::Empty));
        }
        self.begin(&connection, watch)?;
        Ok(connection)
    }

    /// Turns the write-ahead log on, and checks that the opened files are still at their paths.
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

    /// Opens an existing file. SQLite never creates it, since it would choose the file's mode.
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
        // Without it SQLite plans some statements again for each bound value.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(store_error)?;
        Ok(connection)
    }
}

/// Syncs every commit, through the drive's cache too where the system distinguishes the two.
/// Checkpoints run every 4000 pages (16 MB), which costs less than SQLite's default of 1000. The
/// last connection to close runs one too, and that may be a reader.
const PRAGMAS: &str = "PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA trusted_schema = OFF;";

/// Returns the number of migrations applied to the file; 0 for an empty database. A file of another
/// application is an error. Writes nothing.
pub(crate) fn layout_version(connection: &Connection) -> Result<usize, StoreError> {
    // One statement sees one state, even if another process is creating the store.
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

/// The error of a file with more migrations than this version knows.
pub(crate) fn newer_layout(version: usize) -> StoreError {
    let cause = format!("its layout is version {version}, this one knows {}", MIGRATIONS.len());
    StoreError::new(StoreErrorKind::Newer, cause)
}

/// The error of a file that lacks migrations and may not be changed.
fn older_layout(version: usize) -> StoreError {
    let cause = format!("its layout is version {version}, the current one is {}", MIGRATIONS.len());
    StoreError::new(StoreErrorKind::Older, cause)
}

/// Migrates the file to the current layout in one transaction. Reads the version again under the
/// lock, since another process may have migrated it.
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

/// Turns the write-ahead log on; the file remembers it. SQLite's busy timeout does not cover this
/// pragma, so the function waits itself.
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

/// Makes SQLite open the log and its index, which it does at the first read.
pub(crate) fn open_log(connection: &Connection) -> Result<(), StoreError> {
    let read = "SELECT count(*) FROM sqlite_schema";
    connection.query_row(read, [], |row| row.get::<_, u64>(0)).map(drop).map_err(store_error)
}

/// Makes the name of a new file durable. Syncing the file does not promise that.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
    }
    Ok(())
}
