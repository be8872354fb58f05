//! Custom models on axum and rusqlite: statements run on tokio's blocking threads, behind a mutex for writes and
//! one for reads, so that a lookup of a key does not wait for the commit of another request.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum_peer::{Caller, CreateModel, KeyDigest, Model, Refusal, Store, digest, now, sql};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::task::spawn_blocking;

#[derive(Clone)]
struct Database {
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl Database {
    fn open(path: &str, key: &str) -> rusqlite::Result<Self> {
        let writer = connection(path)?;
        writer.execute_batch(sql::LAYOUT)?;
        writer.execute(sql::ADD_KEY, [digest(key)])?;
        let reader = connection(path)?;
        Ok(Database { writer: Arc::new(Mutex::new(writer)), reader: Arc::new(Mutex::new(reader)) })
    }
}

fn connection(path: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// A transaction that a panic left open is rolled back when it is dropped, so the connection is sound.
fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for Database {
    async fn caller(&self, digest: KeyDigest) -> Result<Caller, Refusal> {
        let reader = self.reader.clone();
        spawn_blocking(move || find_caller(&locked(&reader), &digest)).await?
    }

    async fn create(&self, caller: Caller, model: CreateModel) -> Result<Model, Refusal> {
        let writer = self.writer.clone();
        spawn_blocking(move || create_model(&mut locked(&writer), &caller, model)).await?
    }

    async fn get(&self, caller: Caller, id: i64) -> Result<Model, Refusal> {
        let reader = self.reader.clone();
        spawn_blocking(move || get_model(&locked(&reader), &caller, id)).await?
    }
}

fn find_caller(connection: &Connection, digest: &KeyDigest) -> Result<Caller, Refusal> {
    let mut statement = connection.prepare_cached(sql::FIND_KEY)?;
    let row = statement.query_row([digest], |row| {
        Ok(Caller { key: row.get(0)?, organisation: row.get(1)?, scopes: row.get(2)? })
    });
    row.optional()?.ok_or(Refusal::Unauthorized)
}

fn create_model(
    connection: &mut Connection,
    caller: &Caller,
    model: CreateModel,
) -> Result<Model, Refusal> {
    let now = now();
    let organisation = &caller.organisation;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (plan, limit, models, events): (String, Option<i64>, i64, i64) = transaction
        .prepare_cached(sql::READ_QUOTA)?
        .query_row([organisation], |row| row.try_into())?;
    if let Some(limit) = limit.filter(|&limit| models >= limit) {
        return Err(Refusal::Quota { models, limit, plan });
    }
    let id = transaction.prepare_cached(sql::ADD_MODEL)?.insert(params![
        organisation,
        model.name,
        model.description,
        model.language,
        model.base_model,
        1,
        now,
        now
    ])?;
    let event = params![organisation, events + 1, id, now, caller.key, sql::MODEL_CREATED];
    transaction.prepare_cached(sql::ADD_EVENT)?.execute(event)?;
    transaction.prepare_cached(sql::COUNT_MODEL)?.execute([organisation])?;
    transaction.commit()?;
    Ok(Model::created(id, model, now))
}

fn get_model(connection: &Connection, caller: &Caller, id: i64) -> Result<Model, Refusal> {
    let mut statement = connection.prepare_cached(sql::READ_MODEL)?;
    let row = statement.query_row(params![id, caller.organisation], |row| {
        Ok(Model {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2)?,
            language: row.get(3)?,
            base_model: row.get(4)?,
            training_status: row.get(5)?,
            created_at: row.get(6)?,
            updated_at: row.get(7)?,
        })
    });
    row.optional()?.ok_or(Refusal::NotFound)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (path, key) = axum_peer::settings()?;
    axum_peer::serve(Database::open(&path, &key)?).await
}
