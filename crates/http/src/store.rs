//! The one place where asynchronous code waits for the store.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::{Refusal, StoreErrorKind};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::observe::cause_of;

/// Waits for the store, and not for ever.
pub(crate) struct StoreCalls {
    reads: Arc<Semaphore>,
    patience: Duration,
}

impl StoreCalls {
    pub(crate) fn new(reads_at_once: usize, patience: Duration) -> Self {
        let reads = reads_at_once.clamp(1, Semaphore::MAX_PERMITS);
        StoreCalls { reads: Arc::new(Semaphore::new(reads)), patience }
    }

    /// Reads on a thread that may block. A read that nobody waits for any more keeps its turn until
    /// it is done, so there are never more threads than turns.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.reads).acquire_owned();
        let reading = async {
            let turn = turn.await.map_err(|_| StoreErrorKind::Closed);
            let turn = turn.map_err(|kind| Refusal::Store(kind.into()))?;
            let span = tracing::Span::current();
            let read = tokio::task::spawn_blocking(move || {
                let answer = span.in_scope(read);
                drop(turn);
                answer
            });
            read.await.unwrap_or_else(|broken| Err(Refusal::Internal { cause: why(broken) }))
        };
        let late = |_| Refusal::Store(StoreErrorKind::Busy.into());
        timeout(self.patience, reading).await.map_err(late)?
    }

    /// Waits for a write that is on its way.
    pub(crate) async fn written<T>(
        &self,
        write: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let late = |_| Refusal::Store(StoreErrorKind::OutcomeUnknown.into());
        timeout(self.patience, write).await.map_err(late)?
    }
}

/// Why a read broke off.
fn why(broken: JoinError) -> Cow<'static, str> {
    match broken.try_into_panic() {
        Ok(panic) => cause_of(&*panic),
        Err(_) => "a read was cut off".into(),
    }
}
