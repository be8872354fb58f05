//! Waiting for the outcome of a submitted write, by blocking a thread or by polling a future.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::oneshot::{Receiver, oneshot};
use crate::store::write::Completion;

/// The outcome of a submitted write: a future, or a value to block for. It is
/// [`StoreErrorKind::OutcomeUnknown`] if the store drops the completion.
///
/// Works with any async runtime. Dropping it does not cancel the write.
pub(crate) struct Pending<T>(Receiver<Result<T, StoreError>>);

impl<T: Send + 'static> Pending<T> {
    /// Submits a write with the completion that this value waits for.
    pub(crate) fn new(submit: impl FnOnce(Completion<T>)) -> Self {
        let (sender, receiver) = oneshot();
        submit(Box::new(move |outcome| sender.send(outcome)));
        Pending(receiver)
    }

    /// Blocks the thread until the outcome is there.
    pub(crate) fn wait(self) -> Result<T, StoreError> {
        self.0.wait().unwrap_or_else(unknown)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or_else(unknown))
    }
}

fn unknown<T>() -> Result<T, StoreError> {
    Err(StoreErrorKind::OutcomeUnknown.into())
}
