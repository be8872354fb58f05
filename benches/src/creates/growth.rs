//! The cost of a create beside many models, compared with its cost beside few.

use std::path::Path;

use custom_models_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};

use super::engine::{OverEngine, organisation};
use super::{Creates, DESCRIPTION, NAME, load, warm_up};
use crate::disk::Disk;
use crate::variant::Variant;

/// Beside few models.
pub const FEW: &str = "beside 1000 models";

/// Beside many.
pub const MANY: &str = "beside 1000000 models";

/// The number of creates that are timed in a round.
pub const TIMES: u64 = 1000;

/// Creates in one organisation, with so many callers, beside 10³ models of it and beside `many`.
pub fn variants(disk: &Disk, callers: usize, many: u64) -> Vec<Variant<'_>> {
    let large = filled(disk, many);
    vec![
        Variant::timed(FEW, move |times| measured(&filled(disk, 1000), callers, times)),
        Variant::timed(MANY, move |times| measured(&large, callers, times)),
    ]
}

fn measured(store: &OverEngine, callers: usize, times: u64) -> std::time::Duration {
    warm_up(store, callers, 1);
    let before = store.count();
    let took = load(store, callers, 1, times);
    assert_eq!(store.count(), before + times, "the models of the organisation");
    took
}

/// A store with so many models of the first organisation.
pub(crate) fn filled(disk: &Disk, models: u64) -> OverEngine {
    let folder = disk.fresh();
    let path = folder.path().join("models.db");
    drop(SqliteStore::open(&path).expect("the store opens"));
    fill(&path, models).expect("the rows are written");
    let store = SqliteStore::open(&path).expect("the store opens again");
    let store = OverEngine::new(store, Some(folder));
    assert_eq!(store.count(), models, "the filled models");
    store
}

/// Writes rows into the store's layout, without the store.
fn fill(path: &Path, models: u64) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    let transaction = connection.transaction()?;
    let organisation = organisation(0);
    transaction.execute(
        "WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < ?1)
        INSERT INTO models (organisation, id, revision, name, description, language, base_model,
            training_status, created_at, updated_at)
        SELECT ?2, id, 1, ?3, ?4, 'en', 'medical', 1, 0, 0 FROM ids",
        params![models, organisation.as_str(), NAME, DESCRIPTION],
    )?;
    transaction.execute(
        "INSERT INTO events (organisation, position, model, created_at, actor, event)
        SELECT organisation, id, id, created_at, 'host', '{\"type\":\"created\"}' FROM models",
        [],
    )?;
    transaction.execute(
        "INSERT INTO organisations (organisation, models, events) VALUES (?1, ?2, ?2)",
        params![organisation.as_str(), models],
    )?;
    transaction.execute("UPDATE sequence SET last_id = ?1", [models])?;
    transaction.commit()
}
