//! A connection for long reads in one consistent transaction.

use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use deadpool_postgres::Object;
use tokio_postgres::Row;

use crate::connection::inline_runtime::InlineRuntime;
use crate::connection::pool::ConnectionPool;
use crate::error::Fault;
use crate::settings::{Address, Settings};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A connection for long reads. The calling thread drives it. Its transaction sees one state of the
/// database.
pub(crate) struct LongRead {
    runtime: InlineRuntime,
    connection: Object,
    longest: Duration,
}

impl LongRead {
    /// Connects, and begins the transaction.
    pub(crate) fn open(address: &Address, settings: &Settings) -> Result<Self, StoreError> {
        let pool = ConnectionPool::writing(address, settings)?;
        let longest = settings.patience.saturating_mul(4);
        let mut runtime = InlineRuntime::new();
        let connection = runtime.run(longest, StoreErrorKind::Busy, async {
            pool.get().await.map_err(Fault::into_store_error)
        })?;
        let mut reading = LongRead { runtime, connection, longest };
        reading.command(BEGIN)?;
        Ok(reading)
    }

    pub(crate) fn query(&mut self, sql: &str) -> Result<Vec<Row>, StoreError> {
        let LongRead { runtime, connection, longest } = self;
        runtime.run(*longest, StoreErrorKind::Busy, async {
            let rows = connection.query(sql, &[]).await;
            rows.map_err(|error| Fault::from(error).into_store_error())
        })
    }

    pub(crate) fn command(&mut self, sql: &str) -> Result<(), StoreError> {
        let LongRead { runtime, connection, longest } = self;
        runtime.run(*longest, StoreErrorKind::Busy, async {
            let done = connection.batch_execute(sql).await;
            done.map_err(|error| Fault::from(error).into_store_error())
        })
    }
}
