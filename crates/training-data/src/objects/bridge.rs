//! A bridge from blocking callers to asynchronous requests: a runtime on a thread of its own.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc as waited, oneshot};
use tokio::task::AbortHandle;

/// The time that the last requests get when the value is dropped.
const LAST: Duration = Duration::from_secs(5);

/// A thread with a runtime, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Bridge {
    handle: Handle,
    /// Cloned for each request that has to finish.
    last: Option<waited::Sender<()>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    pub(super) fn new() -> Result<Self, StoreError> {
        let failed = |error| StoreError::new(StoreErrorKind::Busy, error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (last, mut ended) = waited::channel(1);
        let (end, told) = oneshot::channel::<()>();
        let run = move || {
            runtime.block_on(async {
                let _ = told.await;
                // Nothing is sent: the channel closes when the last sender is dropped.
                let _ = tokio::time::timeout(LAST, ended.recv()).await;
            });
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("objects".to_owned()).spawn(run);
        let thread = Some(thread.map_err(failed)?);
        Ok(Bridge { handle, last: Some(last), end: Some(end), thread })
    }

    /// Blocks the calling thread until a future is done. Works on any thread.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, result) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let _ = done.send(future.await);
        });
        result.recv().map_err(|_| {
            StoreError::new(StoreErrorKind::Failed, "a request to object storage was lost")
        })
    }

    /// Runs a future until it is aborted or done.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.handle.spawn(future).abort_handle()
    }

    /// Runs a future that the runtime waits for before it ends, for a limited time.
    pub(super) fn finish(&self, future: impl Future<Output = ()> + Send + 'static) {
        let last = self.last.clone();
        self.handle.spawn(async move {
            future.await;
            drop(last);
        });
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        drop(self.last.take());
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
