//! Brings a database to the current layout, whoever else does so at the same time.

use custom_models_core::{StoreError, StoreErrorKind};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::fault::Fault;
use crate::retry::Attempts;
use crate::schema::{MIGRATIONS, NEWEST};

/// What a row of `migrations` says, so that somebody else's table is not taken for ours.
const MARK: &str = "custom-models";

/// Makes what is missing. Whoever inserts the row of a step makes it; the others wait for that row.
pub(crate) async fn migrate(client: &Client) -> Result<(), Fault> {
    ensure_durable(client).await?;
    let mut attempts = Attempts::default();
    loop {
        match step(client).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // Somebody else made the same at the same time.
            Err(fault) if is_race(&fault) && attempts.another().await => {
                let _ = client.batch_execute("ROLLBACK").await;
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Goes one step; whether there was none left.
async fn step(client: &Client) -> Result<bool, Fault> {
    let tables: i64 = client
        .query_one(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'custom_models'",
            &[],
        )
        .await?
        .try_get(0)?;
    if tables == 0 {
        create_migrations(client).await?;
    }
    let made = versions(client).await?;
    let newest = made.iter().copied().max().unwrap_or(0);
    if newest > NEWEST {
        return Err(newer(newest).into());
    }
    let missing = MIGRATIONS.into_iter().find(|(version, _)| !made.contains(version));
    let Some((version, migration)) = missing else {
        return Ok(true);
    };
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

/// The steps that were made.
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

/// A newer version of this crate has changed the layout.
pub(crate) fn newer(version: i64) -> StoreError {
    let cause = format!("the database has layout {version}, this version knows {NEWEST}");
    StoreError::new(StoreErrorKind::Newer, cause)
}

/// What is acknowledged has to be on a disk (MODEL-6).
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
