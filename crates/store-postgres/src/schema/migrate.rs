//! Opening and migrating a database, safely against other engines that do the same.

use custom_models_core::store::{OpenMode, StoreError, StoreErrorKind, StoreIdentity};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::retry::Backoff;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::schema::{IDENTITY, MIGRATIONS, NEWEST};

/// The mark in every row of `migrations` that identifies the table as ours.
const MARK: &str = "custom-models";

/// Opens a database as `mode` allows, and returns its layout (PLACE-1). Errors name the database.
pub(crate) async fn open(client: &Client, mode: OpenMode, database: &str) -> Result<i64, Fault> {
    if mode != OpenMode::ReadOnly {
        ensure_durable(client).await?;
    }
    if mode == OpenMode::Create {
        return migrate(client).await;
    }
    let newest = newest(&made(client).await?)?;
    match mode {
        _ if newest == 0 => Err(missing(database).into()),
        OpenMode::Create | OpenMode::Existing => migrate(client).await,
        OpenMode::Current if newest < NEWEST => Err(older(newest).into()),
        OpenMode::Current | OpenMode::ReadOnly => Ok(newest),
    }
}

/// Applies the missing steps. The engine that inserts the row of a step applies it; others wait for
/// that row.
async fn migrate(client: &Client) -> Result<i64, Fault> {
    let mut backoff = Backoff::default();
    loop {
        match step(client).await {
            Ok(true) => return Ok(NEWEST),
            Ok(false) => {}
            // Another engine applied the same step at the same time.
            Err(fault) if is_race(&fault) && backoff.wait().await => {
                let _ = client.batch_execute("ROLLBACK").await;
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Applies one step. Returns true if none was left.
async fn step(client: &Client) -> Result<bool, Fault> {
    if !has_tables(client).await? {
        create_migrations(client).await?;
    }
    let made = versions(client).await?;
    newest(&made)?;
    let missing = MIGRATIONS.into_iter().find(|(version, _)| !made.contains(version));
    let Some((version, migration)) = missing else {
        return Ok(true);
    };
    // Only the engine that applies the step stores its identity.
    let migration = migration.replace(IDENTITY, &random_identity()?.to_string());
    client
        .batch_execute(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
            SET LOCAL lock_timeout = 0;
            INSERT INTO custom_models.migrations (version, mark) VALUES ({version}, '{MARK}');
            {migration};
            COMMIT"
        ))
        .await?;
    Ok(false)
}

/// The applied steps; none if there are no tables.
async fn made(client: &Client) -> Result<Vec<i64>, Fault> {
    if has_tables(client).await? { versions(client).await } else { Ok(Vec::new()) }
}

/// The newest of some steps; 0 if there is none.
fn newest(made: &[i64]) -> Result<i64, StoreError> {
    let newest = made.iter().copied().max().unwrap_or(0);
    if newest > NEWEST { Err(newer(newest)) } else { Ok(newest) }
}

/// Returns true if there are tables in the schema, including those that the role may not read.
async fn has_tables(client: &Client) -> Result<bool, Fault> {
    const TABLES: &str =
        "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'custom_models'";
    Ok(client.query_one(TABLES, &[]).await?.try_get::<_, i64>(0)? > 0)
}

pub(crate) fn random_identity() -> Result<StoreIdentity, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::new(StoreErrorKind::Failed, error.to_string()))?;
    Ok(StoreIdentity::from_bytes(bytes))
}

async fn create_migrations(client: &Client) -> Result<(), Fault> {
    let has_schema = client
        .query_opt(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = 'custom_models'",
            &[],
        )
        .await?
        .is_some();
    if !has_schema {
        client.batch_execute("CREATE SCHEMA IF NOT EXISTS custom_models").await?;
    }
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS custom_models.migrations (
                version bigint NOT NULL PRIMARY KEY,
                mark text NOT NULL
            )",
        )
        .await?;
    Ok(())
}

/// The applied steps.
async fn versions(client: &Client) -> Result<Vec<i64>, Fault> {
    let rows = client.query("SELECT version, mark FROM custom_models.migrations", &[]).await?;
    rows.iter()
        .map(|row| {
            let version = row.try_get::<_, i64>(0)?;
            let is_ours = row.try_get::<_, &str>(1)? == MARK;
            let other = || StoreError::new(StoreErrorKind::NotOurs, "another's migrations");
            if is_ours { Ok(version) } else { Err(other().into()) }
        })
        .collect()
}

/// The error of a layout that a newer version of this crate has made.
pub(crate) fn newer(version: i64) -> StoreError {
    let cause = format!("the database has layout {version}, this version knows {NEWEST}");
    StoreError::new(StoreErrorKind::Newer, cause)
}

/// A statement that fails its transaction if a newer version has changed the layout.
pub(crate) fn guard() -> Statement<'static> {
    const GUARD: &str = "SELECT 1 / CASE WHEN max(version) > $1::bigint THEN 0 ELSE 1 END
        FROM custom_models.migrations";
    Statement::new(GUARD, [parameter(NEWEST)])
}

/// Returns true if [`guard`] failed the transaction: no other statement divides.
pub(crate) fn is_of_the_guard(fault: &Fault) -> bool {
    matches!(fault, Fault::Server(error) if error.code() == Some(&SqlState::DIVISION_BY_ZERO))
}

/// The error of a transaction that [`guard`] failed.
pub(crate) fn newer_than_known() -> StoreError {
    let cause = format!("the database has a newer layout, this version knows {NEWEST}");
    StoreError::new(StoreErrorKind::Newer, cause)
}

/// The error of an older layout that may not be migrated.
fn older(version: i64) -> StoreError {
    let cause = format!("the database has layout {version}, this version writes {NEWEST}");
    StoreError::new(StoreErrorKind::Older, cause)
}

fn missing(database: &str) -> StoreError {
    let cause = format!("the database '{database}' has no tables in the schema custom_models");
    StoreError::new(StoreErrorKind::Missing, cause)
}

/// Refuses a server that acknowledges commits before they are durable (MODEL-6).
async fn ensure_durable(client: &Client) -> Result<(), Fault> {
    let row = client.query_one("SHOW synchronous_commit", &[]).await?;
    if row.try_get::<_, &str>(0)? == "off" {
        let cause = "synchronous_commit is off, so what is acknowledged could be lost";
        return Err(StoreError::new(StoreErrorKind::Unavailable, cause).into());
    }
    Ok(())
}

fn is_race(fault: &Fault) -> bool {
    let Fault::Server(error) = fault else { return false };
    let races = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::DUPLICATE_TABLE,
        &SqlState::DUPLICATE_OBJECT,
        &SqlState::DUPLICATE_SCHEMA,
        &SqlState::INTERNAL_ERROR,
    ];
    fault.is_conflict() || error.code().is_some_and(|code| races.contains(&code))
}
