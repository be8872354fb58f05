//! The signal that tells waiting requests that the service shuts down.

use tokio::sync::watch;

/// A receiver of the signal. [`serve`](crate::serve::serve) gives one to every request.
#[derive(Clone)]
pub(crate) struct ShutdownSignal(watch::Receiver<()>);

impl ShutdownSignal {
    /// Creates the sender, which gives the signal when it is dropped, and its receiver.
    pub(crate) fn new() -> (watch::Sender<()>, Self) {
        let (sender, receiver) = watch::channel(());
        (sender, ShutdownSignal(receiver))
    }

    /// Ready when the signal is given.
    pub(crate) async fn given(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
