//! Writes that block their thread.

use std::borrow::Cow;
use std::sync::Arc;

use custom_models_core::store::StoreErrorKind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::rejection::Rejection;
use crate::state::blocking_calls::{BlockingCalls, Wait};
use crate::telemetry::panics::cause_of;

/// The number of calls that may write on a blocking thread at a time. Each holds its thread until its write is durable.
const MAX_BLOCKING_WRITES: usize = 32;

/// A bounded number of threads that write, and wait until that is durable.
pub(crate) struct BlockingWrites(Arc<Semaphore>);

impl Default for BlockingWrites {
    fn default() -> Self {
        BlockingWrites(Arc::new(Semaphore::new(MAX_BLOCKING_WRITES)))
    }
}

impl BlockingWrites {
    /// Reads and writes on a thread that may block. A call that nobody waits for any more keeps its permit until it
    /// is done, so the number of threads is bounded.
    pub(crate) async fn call<T: Send + 'static, E: Into<Rejection> + Send + 'static>(
        &self,
        calls: &BlockingCalls,
        call: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Rejection> {
        let permit = timeout(calls.store_timeout, Arc::clone(&self.0).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreErrorKind::Busy)?;
        let permit = permit.map_err(|_| StoreErrorKind::Closed)?;
        calls.write(on_blocking_thread(permit, call), Wait::Bounded).await
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
