//! The search for damage that no record shows: in pages, indexes and tables, and in columns by
//! which records are found.

use std::collections::BTreeMap;

use custom_models_core::store::{IdempotencyScope, MOST_FINDINGS, StoreError};
use rusqlite::{Connection, Row};

use crate::error::store_error;
use crate::file::open::layout_version;
use crate::rows::{checksum, idempotency};
use crate::schema::MIGRATIONS;

/// Looks for damage, and returns a sentence for each finding.
pub(crate) fn verify(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let snapshot = connection.transaction().map_err(store_error)?;
    let version = layout_version(&snapshot)?;
    let mut findings = schema(&snapshot, version).map_err(store_error)?;
    findings.extend(integrity(&snapshot));
    // If a table is missing or altered, the queries below would fail.
    if findings.is_empty() {
        findings.extend(rows(&snapshot, version).map_err(store_error)?);
    }
    findings.truncate(MOST_FINDINGS);
    Ok(findings)
}

/// Runs SQLite's own checks of pages, indexes and constraints.
fn integrity(connection: &Connection) -> Vec<String> {
    let mut findings = Vec::new();
    let all = format!("PRAGMA integrity_check({MOST_FINDINGS})");
    let checks: [(&str, Sentence); 2] = [
        (&all, |row| row.get(0)),
        ("PRAGMA foreign_key_check", |row| {
            Ok(format!("a row of {} refers to none of {}", text(row, 0)?, text(row, 2)?))
        }),
    ];
    for (check, shown) in checks {
        match findings_of(connection, check, shown) {
            Ok(found) => findings.extend(found.into_iter().filter(|line| line != "ok")),
            // Damage may end the check itself.
            Err(error) => findings.push(error.to_string()),
        }
    }
    findings.iter().map(|finding| format!("SQLite: {finding}")).collect()
}

type Sentence = fn(&Row<'_>) -> rusqlite::Result<String>;

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

fn findings_of(
    connection: &Connection,
    sql: &str,
    shown: Sentence,
) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], shown)?.take(MOST_FINDINGS).collect()
}

/// Compares tables and indexes with those of a new store.
fn schema(connection: &Connection, version: usize) -> rusqlite::Result<Vec<String>> {
    let fresh = Connection::open_in_memory()?;
    for migration in MIGRATIONS.iter().take(version) {
        fresh.execute_batch(migration)?;
    }
    let (expected, mut found) = (objects(&fresh)?, objects(connection)?);
    let mut findings = Vec::new();
    for (object, made) in expected {
        match found.remove(&object) {
            None => findings.push(format!("the {object} is missing")),
            Some(other) if other != made => {
                findings.push(format!("the {object} is not as it was made"));
            }
            Some(_) => {}
        }
    }
    findings.extend(found.into_keys().map(|object| format!("the {object} is none of a store's")));
    Ok(findings)
}

/// Tables, indexes, triggers and views, each with its table and its SQL.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<String, (String, String)>> {
    connection
        .prepare("SELECT type || ' ' || name, tbl_name, coalesce(sql, '') FROM sqlite_schema")?
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect()
}

/// Checks of the tables with a single row: the first layout each applies to, and its query.
const ROWS: [(usize, &str); 3] = [
    (1, "SELECT 'the table sequence has not one row' WHERE (SELECT count(*) FROM sequence) <> 1"),
    (4, "SELECT 'the table store has not one row' WHERE (SELECT count(*) FROM store) <> 1"),
    (
        1,
        "SELECT 'the last id is lower than that of model ' || max(id) FROM models
        HAVING max(id) > (SELECT last_id FROM sequence)",
    ),
];

fn rows(connection: &Connection, version: usize) -> rusqlite::Result<Vec<String>> {
    let mut findings = Vec::new();
    for (_, sql) in ROWS.iter().filter(|(since, _)| *since <= version) {
        findings.extend(findings_of(connection, sql, |row| row.get(0))?);
    }
    if version >= 3 {
        findings.extend(answers(connection)?);
    }
    if version >= 4 {
        findings.extend(checksum::findings(connection, MOST_FINDINGS));
    }
    Ok(findings)
}

/// Finds answers whose hash does not match their key.
fn answers(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT number, hash, organisation, operation, target, key FROM answers";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()?
        && findings.len() < MOST_FINDINGS
    {
        let (organisation, key): (_, IdempotencyScope) = idempotency::key_of(row, 2)?;
        if idempotency::hash(&organisation, &key) != row.get::<_, i64>(1)? {
            let number: i64 = row.get(0)?;
            findings.push(format!("{organisation}: the answer {number} has a hash of another key"));
        }
    }
    Ok(findings)
}
