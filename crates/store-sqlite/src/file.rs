//! Opening the file: whose it is, which version wrote it, and how it is to be written.

use std::path::Path;
use std::time::{Duration, Instant};

use custom_models_core::{StoreError, StoreErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::fault::fault;
use crate::schema::{APPLICATION_ID, MIGRATIONS};

/// How long another process may keep the file locked before a call is answered with `Busy`.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file for writing; a file that is missing or empty becomes a store.
pub(crate) fn open_or_create(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    let version = recognise(&connection)?;
    connection.execute_batch(DURABLE).map_err(fault)?;
    if version < MIGRATIONS.len() {
        migrate(&mut connection)?;
        sync_folder(path)?;
    }
    enter_wal(&connection)?;
    Ok(connection)
}

/// Opens the file of an open store for reading.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    connection
        .execute_batch("PRAGMA query_only = ON;")
        .map_err(fault)?;
    Ok(connection)
}

/// Every commit is synced, through the drive's own cache too where the system tells them apart.
const DURABLE: &str = "PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA trusted_schema = OFF;";

/// Which migrations the file has seen, after making sure that it is ours. Writes nothing.
fn recognise(connection: &Connection) -> Result<usize, StoreError> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i32>(0));
    let application_id = number("PRAGMA application_id").map_err(fault)?;
    let version = number("PRAGMA user_version").map_err(fault)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(fault)?;
    match (application_id, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(0),
        (APPLICATION_ID, Ok(version)) if version <= MIGRATIONS.len() => Ok(version),
        (APPLICATION_ID, Ok(version)) => Err(StoreError::new(
            StoreErrorKind::Newer,
            format!(
                "its layout is version {version}, this one knows {}",
                MIGRATIONS.len()
            ),
        )),
        _ => Err(StoreError::new(
            StoreErrorKind::NotOurs,
            format!("a SQLite file with application id {application_id:#x} and {tables} tables"),
        )),
    }
}

/// Brings the file to the current layout, in one transaction. Another process may have done it
/// while this one waited for the lock, so the file is asked again.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fault)?;
    let version = recognise(&transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration).map_err(fault)?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(fault)?;
    transaction
        .pragma_update(None, "user_version", MIGRATIONS.len())
        .map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// Turns the write-ahead log on, which the file remembers. SQLite does not wait for other
/// processes here, so this does.
fn enter_wal(connection: &Connection) -> Result<(), StoreError> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
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
            Err(error) => return Err(fault(error)),
        }
    }
}

/// Makes the name of a new file durable, which syncing the file itself does not promise.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?;
    }
    Ok(())
}
