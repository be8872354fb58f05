//! A runtime without a thread of its own: the caller that waits for a future drives it, which saves
//! a change of threads.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

use custom_models_core::store::{StoreError, StoreErrorKind};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;
use tokio::time::timeout;

/// The idle time after which connections are polled before a future runs.
const REST: Duration = Duration::from_millis(1);

/// A runtime that runs on the calling thread. Its tasks make no progress while it is idle.
pub(crate) struct InlineRuntime {
    runtime: Option<Runtime>,
    /// The time since which it is idle.
    since: Instant,
}

impl InlineRuntime {
    pub(crate) fn new() -> Self {
        InlineRuntime { runtime: None, since: Instant::now() }
    }

    /// Runs a future to its end. After `patience` it fails as `late`, and everything it started is
    /// dropped, its connections included, so that the server rolls back.
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
        let done = block_on(&runtime, async move {
            if has_rested {
                // Lets tasks handle what has arrived meanwhile, such as the end of a connection.
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

/// Blocks on a future. On a thread of another runtime, which must not block, a new thread does it.
fn block_on<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    if Handle::try_current().is_err() {
        return runtime.block_on(future);
    }
    let run = move || runtime.block_on(future);
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl Drop for InlineRuntime {
    fn drop(&mut self) {
        // Dropping a runtime on a thread of another one would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
