//! A runtime without a thread of its own: whoever waits for a future runs it, so that nothing is handed
//! from thread to thread and back.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use custom_models_core::store::{StoreError, StoreErrorKind};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;

/// The time without use after which connections are looked at before a future runs.
const REST: Duration = Duration::from_millis(1);

/// A runtime, on whatever thread it is used. What was spawned on it rests while it is not.
pub(crate) struct InlineRuntime {
    runtime: Option<Runtime>,
    /// Since when it rests.
    since: Instant,
}

impl InlineRuntime {
    pub(crate) fn new() -> Self {
        InlineRuntime { runtime: None, since: Instant::now() }
    }

    /// Runs a future to its end. One that takes longer is `late`; then whatever it had begun is dropped,
    /// its connections included, so that no server goes on with half of it.
    pub(crate) fn run<T: Send>(
        &mut self,
        patience: Duration,
        late: StoreErrorKind,
        future: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|cause| StoreError::new(StoreErrorKind::Failed, cause))?,
        };
        let has_rested = self.since.elapsed() >= REST;
        let done = waited_for(&runtime, async move {
            if has_rested {
                // What came in meanwhile is seen to: the end of a connection, perhaps.
                yield_now().await;
                yield_now().await;
            }
            timeout(patience, future).await
        });
        self.since = Instant::now();
        match done {
            Ok(done) => {
                self.runtime = Some(runtime);
                done
            }
            Err(_) => {
                runtime.shutdown_background();
                Err(StoreError::new(late, "the server does not answer"))
            }
        }
    }
}

/// A thread that works for another runtime may not wait for a future: there, another one does.
fn waited_for<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    let run = move || runtime.block_on(future);
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Drop for InlineRuntime {
    fn drop(&mut self) {
        // A runtime that is dropped on a thread of another one would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
