//! Waiting for the store: the one place where asynchronous code does, and the bound on how long.

use std::future::Future;
use std::time::Duration;

use custom_models_core::store::{ReadPool, StoreErrorKind};
use tokio::time::timeout;

use crate::rejection::Rejection;

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
    pub(super) store_timeout: Duration,
}

impl BlockingCalls {
    pub(crate) fn new(reads_at_once: usize, store_timeout: Duration) -> Self {
        let readers = ReadPool::start(reads_at_once);
        if readers.threads() < reads_at_once {
            let threads = readers.threads();
            tracing::error!(threads, reads_at_once, "some threads that read were not started");
        }
        BlockingCalls { readers, store_timeout }
    }

    /// Returns the threads that read.
    pub(crate) fn readers(&self) -> &ReadPool {
        &self.readers
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
