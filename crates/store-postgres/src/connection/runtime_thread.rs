//! A thread with a runtime. Callers hand it a future and block until it is done, so that a store
//! can be opened, used and dropped on any thread, even one of another runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use custom_models_core::store::{StoreError, StoreErrorKind};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The thread, until it is stopped.
pub(crate) struct RuntimeThread {
    running: Mutex<Option<Running>>,
}

struct Running {
    calls: UnboundedSender<Call>,
    thread: JoinHandle<()>,
}

impl RuntimeThread {
    /// Starts the thread under a name.
    pub(crate) fn start(name: &str) -> Result<Arc<Self>, StoreError> {
        let failed = |cause| StoreError::new(StoreErrorKind::Failed, cause);
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (calls, receiver) = unbounded_channel();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(spawn_all(receiver));
                // The runtime and its connections are dropped here, on their own thread.
            })
            .map_err(failed)?;
        Ok(Arc::new(RuntimeThread { running: Mutex::new(Some(Running { calls, thread })) }))
    }

    /// Runs a future on the thread and waits for its result. Fails as [`StoreErrorKind::Closed`] if
    /// the thread is stopped, and as `late` after `patience`. A late future goes on, so that it
    /// returns its connection in a clean state.
    pub(crate) fn wait_for<T: Send + 'static>(
        &self,
        patience: Duration,
        late: StoreErrorKind,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::from(StoreErrorKind::Closed);
        let (sender, answer) = mpsc::sync_channel(1);
        // A caller that has given up no longer listens.
        let call = async move { sender.send(future.await).unwrap_or_default() };
        {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Running { calls, .. }) = &*running else { return Err(closed()) };
            calls.send(Box::pin(call)).map_err(|_| closed())?;
        }
        answer.recv_timeout(patience).unwrap_or_else(|end| match end {
            RecvTimeoutError::Timeout => Err(StoreError::new(late, "the server does not answer")),
            RecvTimeoutError::Disconnected => Err(closed()),
        })
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Stops the thread, and waits for its end. Stopping again does nothing.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { calls, thread }) = running {
            drop(calls);
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Drop for RuntimeThread {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn spawn_all(mut calls: UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        tokio::spawn(call);
    }
}
