//! The signal that the loop around the router is to stop.

use tokio::sync::watch;

/// Says whether the loop around the router has been told to stop.
#[derive(Clone)]
pub(crate) struct Stopping(watch::Receiver<()>);

impl Stopping {
    /// Creates the sender that gives the signal when it is dropped, and its receiver.
    pub(crate) fn new() -> (watch::Sender<()>, Self) {
        let (stop, stopped) = watch::channel(());
        (stop, Stopping(stopped))
    }

    /// Ready when there is to be an end.
    pub(crate) async fn stopped(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
