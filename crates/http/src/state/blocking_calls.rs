//! Waiting for the store: the one place where asynchronous code does, and the bound on how long.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{ReadPool, StoreErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::rejection::Rejection;
use crate::telemetry::panics::cause_of;

/// The number of calls that may write on a blocking thread at a time. Each holds its thread until its write is durable.
const MAX_BLOCKING_WRITES: usize = 32;

/// The time for which a write is waited for.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// The store's time-out.
    Bounded,
    /// Until the store answers. The task that waits this long is not a request.
    #[cfg(feature = "uploads")]
    Unbounded,
}

/// Calls of the store, each with a time-out.
pub(crate) struct BlockingCalls {
    readers: ReadPool,
    writers: Arc<Semaphore>,
    store_timeout: Duration,
}

impl BlockingCalls {
    pub(crate) fn new(reads_at_once: usize, store_timeout: Duration) -> Self {
        let writers = Arc::new(Semaphore::new(MAX_BLOCKING_WRITES));
        let readers = ReadPool::start(reads_at_once);
        if readers.threads() < reads_at_once {
            let threads = readers.threads();
            tracing::error!(threads, reads_at_once, "some threads that read were not started");
        }
        BlockingCalls { readers, writers, store_timeout }
    }

    /// Reads on a thread of the pool.
    pub(crate) async fn read<T: Send + 'static, E: Into<Rejection>>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Rejection> {
        let span = tracing::Span::current();
        let read = self.readers.read(move || span.in_scope(read).map_err(Into::into));
        timeout(self.store_timeout, read).await.map_err(|_| StoreErrorKind::Busy)?
    }

    /// Reads and writes on a thread that may block. A call that nobody waits for any more keeps its permit until it
    /// is done, so the number of threads is bounded.
    pub(crate) async fn read_and_write<T: Send + 'static, E: Into<Rejection> + Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Rejection> {
        let permit = Arc::clone(&self.writers).acquire_owned();
        let permit = timeout(self.store_timeout, permit).await.map_err(|_| StoreErrorKind::Busy)?;
        let permit = permit.map_err(|_| StoreErrorKind::Closed)?;
        self.write(on_blocking_thread(permit, call), Wait::Bounded).await
    }

    /// Waits for a write.
    pub(crate) async fn write<T, E: Into<Rejection>>(
        &self,
        write: impl Future<Output = Result<T, E>>,
        wait: Wait,
    ) -> Result<T, Rejection> {
        let written = match wait {
            Wait::Bounded => timeout(self.store_timeout, write)
                .await
                .map_err(|_| StoreErrorKind::OutcomeUnknown)?,
            #[cfg(feature = "uploads")]
            Wait::Unbounded => write.await,
        };
        written.map_err(Into::into)
    }
}

async fn on_blocking_thread<T: Send + 'static, E: Into<Rejection> + Send + 'static>(
    permit: OwnedSemaphorePermit,
    call: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Rejection> {
    let span = tracing::Span::current();
    let result = tokio::task::spawn_blocking(move || {
        let result = span.in_scope(call);
        drop(permit);
        result
    });
    let result = result.await.map_err(|broken| Rejection::internal(cause_of_join(broken)))?;
    result.map_err(Into::into)
}

/// Returns why a blocking task ended without a result.
fn cause_of_join(broken: JoinError) -> Cow<'static, str> {
    match broken.try_into_panic() {
        Ok(panic) => cause_of(&*panic),
        Err(_) => "a call of the store was cut off".into(),
    }
}
