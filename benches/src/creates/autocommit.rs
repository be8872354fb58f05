//! SQLite as it is used without groups: one connection behind a mutex, one transaction and one sync
//! a create. The layout is the store's own, and so are durability, limit and ids.

use std::sync::Mutex;

use custom_models_store_sqlite::SqliteStore;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tempfile::TempDir;

use super::{Creates, DESCRIPTION, LIMIT, NAME, engine};
use crate::disk::Disk;

/// The model row alone.
pub const PLAIN: &str = "rusqlite, a commit a create";

/// The model row and a row that says what happened.
pub const WITH_EVENT: &str = "rusqlite, a commit a create, with an event";

/// One connection behind a mutex.
pub struct Autocommit {
    connection: Mutex<Connection>,
    has_events: bool,
    _folder: TempDir,
}

impl Autocommit {
    /// A fresh file.
    pub fn new(disk: &Disk, has_events: bool) -> Self {
        let folder = disk.fresh();
        let path = folder.path().join("models.db");
        drop(SqliteStore::open(&path).expect("the store opens"));
        let connection = Connection::open(&path).expect("the file opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA wal_autocheckpoint = 4000;",
            )
            .expect("the file is set up");
        Autocommit { connection: Mutex::new(connection), has_events, _folder: folder }
    }

    fn commit(&self, organisation: &str) -> rusqlite::Result<i64> {
        let mut connection = self.connection.lock().expect("no caller panics");
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let models = transaction
            .prepare_cached("SELECT models FROM organisations WHERE organisation = ?1")?
            .query_row([organisation], |row| row.get::<_, u64>(0))
            .optional()?
            .unwrap_or(0);
        assert!(models < LIMIT, "nobody creates as many");
        let id = transaction
            .prepare_cached("UPDATE sequence SET last_id = last_id + 1 RETURNING last_id")?
            .query_row([], |row| row.get::<_, i64>(0))?;
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
        transaction
            .prepare_cached(
                "INSERT INTO models (organisation, id, revision, name, description, language,
                    base_model, training_status, created_at, updated_at)
                VALUES (?1, ?2, 1, ?3, ?4, 'en', 'medical', 1, ?5, ?5)",
            )?
            .execute(params![organisation, id, NAME, DESCRIPTION, now])?;
        transaction
            .prepare_cached(
                "INSERT INTO organisations (organisation, models, events) VALUES (?1, 1, ?2)
                ON CONFLICT (organisation) DO UPDATE SET models = models + 1, events = events + ?2",
            )?
            .execute(params![organisation, self.has_events])?;
        if self.has_events {
            transaction
                .prepare_cached(
                    "INSERT INTO events (organisation, position, model, created_at, actor, event)
                    VALUES (?1, ?2, ?3, ?4, 'host', '{\"type\":\"created\"}')",
                )?
                .execute(params![organisation, models + 1, id, now])?;
        }
        transaction.commit()?;
        Ok(id)
    }
}

impl Creates for Autocommit {
    fn create(&self, organisation: usize) {
        let organisation = engine::organisation(organisation);
        self.commit(organisation.as_str()).expect("the model is created");
    }

    fn count(&self) -> u64 {
        let connection = self.connection.lock().expect("no caller panics");
        connection
            .query_row("SELECT coalesce(sum(models), 0) FROM organisations", [], |row| row.get(0))
            .expect("the counters are read")
    }
}
