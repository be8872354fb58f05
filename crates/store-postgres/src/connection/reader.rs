//! Reads: one statement each, which sees one state, in a read-only transaction.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use deadpool_postgres::Object;
use tokio_postgres::Row;

use crate::connection::pool::ConnectionPool;
use crate::connection::runtime_thread::RuntimeThread;
use crate::connection::statement::{Statement, pipeline};
use crate::error::Fault;

/// A pool of connections for reading, with the thread that drives them.
pub(crate) struct ReadPool {
    runtime_thread: Arc<RuntimeThread>,
    pool: ConnectionPool,
    patience: Duration,
}

impl ReadPool {
    pub(crate) fn new(
        runtime_thread: Arc<RuntimeThread>,
        pool: ConnectionPool,
        patience: Duration,
    ) -> Self {
        ReadPool { runtime_thread, pool, patience }
    }

    /// Runs a read on a connection of its own, and waits for its result.
    pub(crate) fn read<T: Send + 'static, F>(
        &self,
        read: impl FnOnce(Reader) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let (pool, patience) = (self.pool.clone(), self.patience);
        // The server's own timeout comes first. This one is for a server that does not respond.
        let longest = patience.saturating_mul(4);
        self.runtime_thread.wait_for(longest, StoreErrorKind::Busy, async move {
            let connection = pool.get().await.map_err(Fault::into_store_error)?;
            read(Reader { connection, patience }).await.map_err(Fault::into_store_error)
        })
    }
}

/// A connection for one read.
pub(crate) struct Reader {
    connection: Object,
    patience: Duration,
}

impl Reader {
    /// Runs one statement in a transaction of its own.
    pub(crate) async fn query(self, statement: Statement<'_>) -> Result<Vec<Row>, Fault> {
        let [rows] = self.query_all([statement]).await?;
        Ok(rows)
    }

    /// Runs several statements in one transaction and one round trip. Each sees a state of its own.
    pub(crate) async fn query_all<const N: usize>(
        self,
        statements: [Statement<'_>; N],
    ) -> Result<[Vec<Row>; N], Fault> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = {}",
            self.patience.as_millis()
        );
        // After a failed statement the commit only ends the transaction.
        let answers = pipeline(&self.connection, Some(&begin), &statements, Some("COMMIT")).await;
        if answers.is_err() {
            // The connection may be broken, so the pool opens a new one.
            drop(Object::take(self.connection));
        }
        answers?.try_into().map_err(|_| Fault::Row("rows of another statement"))
    }
}
