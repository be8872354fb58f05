//! Custom models on axum and sqlx: a pool of one connection that writes, so that writers wait for their turn and not
//! for SQLite's lock, and a pool of connections that read.

use std::error::Error;
use std::thread::available_parallelism;

use axum_peer::{Caller, CreateModel, KeyDigest, Model, Refusal, Store, digest, now, sql};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

#[derive(Clone)]
struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

type KeyRow = (String, String, String);
type QuotaRow = (String, Option<i64>, i64, i64);
type ModelRow = (i64, String, Option<String>, String, String, i64, String, String);

impl Database {
    async fn open(path: &str, key: &str) -> Result<Self, Box<dyn Error>> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        // A connection to a file needs no ping before it is used.
        let pool = SqlitePoolOptions::new().test_before_acquire(false);
        let writer = pool.clone().max_connections(1).connect_with(options.clone()).await?;
        sqlx::raw_sql(sql::LAYOUT).execute(&writer).await?;
        sqlx::query(sql::ADD_KEY).bind(&digest(key)[..]).execute(&writer).await?;
        let readers = u32::try_from(available_parallelism()?.get())?;
        let readers = pool.max_connections(readers).connect_with(options.read_only(true)).await?;
        Ok(Database { writer, readers })
    }
}

impl Store for Database {
    async fn caller(&self, digest: KeyDigest) -> Result<Caller, Refusal> {
        let row: Option<KeyRow> =
            sqlx::query_as(sql::FIND_KEY).bind(&digest[..]).fetch_optional(&self.readers).await?;
        let (key, organisation, scopes) = row.ok_or(Refusal::Unauthorized)?;
        Ok(Caller { key, organisation, scopes })
    }

    async fn create(&self, caller: Caller, model: CreateModel) -> Result<Model, Refusal> {
        let now = now();
        let organisation = &caller.organisation;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let (plan, limit, models, events): QuotaRow =
            sqlx::query_as(sql::READ_QUOTA).bind(organisation).fetch_one(&mut *transaction).await?;
        if let Some(limit) = limit.filter(|&limit| models >= limit) {
            return Err(Refusal::Quota { models, limit, plan });
        }
        let added = sqlx::query(sql::ADD_MODEL)
            .bind(organisation)
            .bind(&model.name)
            .bind(&model.description)
            .bind(&model.language)
            .bind(&model.base_model)
            .bind(1)
            .bind(&now)
            .bind(&now)
            .execute(&mut *transaction)
            .await?;
        let id = added.last_insert_rowid();
        sqlx::query(sql::ADD_EVENT)
            .bind(organisation)
            .bind(events + 1)
            .bind(id)
            .bind(&now)
            .bind(&caller.key)
            .bind(sql::MODEL_CREATED)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sql::COUNT_MODEL).bind(organisation).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Model::created(id, model, now))
    }

    async fn get(&self, caller: Caller, id: i64) -> Result<Model, Refusal> {
        let row: Option<ModelRow> = sqlx::query_as(sql::READ_MODEL)
            .bind(id)
            .bind(caller.organisation)
            .fetch_optional(&self.readers)
            .await?;
        let (id, name, description, language, base_model, training_status, created_at, updated_at) =
            row.ok_or(Refusal::NotFound)?;
        Ok(Model {
            id,
            name,
            description,
            language,
            base_model,
            training_status,
            created_at,
            updated_at,
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (path, key) = axum_peer::settings()?;
    axum_peer::serve(Database::open(&path, &key).await?).await
}
