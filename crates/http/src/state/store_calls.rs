//! The one place where asynchronous code waits for the store.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::{Refusal, StoreErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::rejection::Rejection;
use crate::state::read_pool::Readers;
use crate::telemetry::panics::cause_of;

/// The number of requests of workers that may ask at a time. Each holds a thread while its answer is made durable.
const WORKS_AT_ONCE: usize = 32;

/// The time for which a write is waited for.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// No longer than the store may take.
    Bounded,
    /// Until it is answered, by a task of its own that nobody waits for so long.
    ToTheEnd,
}

/// Waits for the store, and not for ever.
pub(crate) struct StoreCalls {
    readers: Readers,
    /// The number of further requests that may wait on a thread for what they write.
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl StoreCalls {
    pub(crate) fn new(reads_at_once: usize, patience: Duration) -> Self {
        let turns = Arc::new(Semaphore::new(WORKS_AT_ONCE));
        StoreCalls { readers: Readers::start(reads_at_once), turns, patience }
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T: Send + 'static, E: Into<Rejection>>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Rejection> {
        let read = self.readers.read(|| read().map_err(Into::into));
        timeout(self.patience, read).await.map_err(|_| StoreErrorKind::Busy)?
    }

    /// Reads and writes on a thread that may block, in its turn among those that do. One that nobody waits
    /// for any more keeps its turn until it is done, so there are never more threads than turns.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Rejection> {
        let late = |_| StoreErrorKind::Busy;
        let turn = timeout(self.patience, self.turn()).await.map_err(late)??;
        self.written(on_thread(turn, work)).await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Rejection> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map_err(|_| StoreErrorKind::Closed.into())
    }

    /// Waits for a write that is on its way.
    pub(crate) async fn written<T, E: Into<Rejection>>(
        &self,
        write: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Rejection> {
        let written = timeout(self.patience, write).await;
        written.map_err(|_| StoreErrorKind::OutcomeUnknown)?.map_err(Into::into)
    }

    /// Waits for a write that is on its way, so long.
    pub(crate) async fn waited_for<T>(
        &self,
        write: impl Future<Output = Result<T, Refusal>>,
        wait: Wait,
    ) -> Result<T, Rejection> {
        match wait {
            Wait::Bounded => self.written(write).await,
            Wait::ToTheEnd => write.await.map_err(Into::into),
        }
    }
}

async fn on_thread<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Rejection> {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || {
        let answer = span.in_scope(work);
        drop(turn);
        answer
    });
    let done = done.await.map_err(|broken| Rejection::internal(why(broken)))?;
    done.map_err(Into::into)
}

/// Why a call of the store broke off.
fn why(broken: JoinError) -> Cow<'static, str> {
    match broken.try_into_panic() {
        Ok(panic) => cause_of(&*panic),
        Err(_) => "a call of the store was cut off".into(),
    }
}
