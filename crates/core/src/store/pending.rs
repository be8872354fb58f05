//! Waiting for the outcome of a submitted write, by blocking a thread or by polling a future.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::oneshot::{Receiver, oneshot};
use crate::store::write::Completion;

/// The result of a submitted write: a future for any async runtime, or a value to block for.
///
/// The write is made even if this is never polled, or is dropped.
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
/// use custom_models_core::{Caller, CreateModel, Engine, ListModels, MemoryStore, Plan};
///
/// let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
/// let caller = Caller::new("acme".parse()?, Plan::gold());
/// let request = CreateModel::from_json(br#"{"name":"Medical","language":"en"}"#)?;
/// let pending = engine.create_async(&caller, request);
/// // Something else is done here; then the thread waits, or a task awaits.
/// assert_eq!(pending.wait()?.name.as_str(), "Medical");
/// assert_eq!(engine.list(&caller, &ListModels::default())?.total_results, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it does not take the write back: await it for the outcome"]
pub struct PendingWrite<T, E>(Receiver<Result<T, E>>);

impl<T: Send + 'static, E: From<StoreError> + Send + 'static> PendingWrite<T, E> {
    /// Submits a write. The thread that completes it turns its outcome into the result.
    pub(crate) fn new<O>(
        submit: impl FnOnce(Completion<O>),
        interpret: impl FnOnce(Result<O, StoreError>) -> Result<T, E> + Send + 'static,
    ) -> Self {
        let (sender, receiver) = oneshot();
        submit(Box::new(move |outcome| sender.send(interpret(outcome))));
        PendingWrite(receiver)
    }

    /// Blocks the thread until the result is there.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub fn wait(self) -> Result<T, E> {
        self.0.wait().unwrap_or_else(unknown)
    }
}

impl<T, E: From<StoreError>> Future for PendingWrite<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or_else(unknown))
    }
}

impl<T, E> fmt::Debug for PendingWrite<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingWrite").finish_non_exhaustive()
    }
}

/// The results of writes that were submitted together, in their order: a future for any async runtime, or values to
/// block for.
///
/// The writes are made even if this is never polled, or is dropped.
#[must_use = "dropping it does not take the writes back: await it for the outcomes"]
pub struct PendingWrites<T, E> {
    /// The writes whose results are not there yet. The first is waited for.
    pending: vec::IntoIter<PendingWrite<T, E>>,
    results: Vec<Result<T, E>>,
}

impl<T: Send + 'static, E: From<StoreError> + Send + 'static> PendingWrites<T, E> {
    pub(crate) fn new(pending: Vec<PendingWrite<T, E>>) -> Self {
        let results = Vec::with_capacity(pending.len());
        PendingWrites { pending: pending.into_iter(), results }
    }

    /// Blocks the thread until all results are there.
    pub fn wait(mut self) -> Vec<Result<T, E>> {
        self.results.extend(self.pending.map(PendingWrite::wait));
        self.results
    }
}

/// Results are never pinned.
impl<T, E> Unpin for PendingWrites<T, E> {}

impl<T, E: From<StoreError>> Future for PendingWrites<T, E> {
    type Output = Vec<Result<T, E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let PendingWrites { pending, results } = self.get_mut();
        while let Some(write) = pending.as_mut_slice().first_mut() {
            results.push(ready!(Pin::new(write).poll(context)));
            pending.next();
        }
        Poll::Ready(mem::take(results))
    }
}

impl<T, E> fmt::Debug for PendingWrites<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingWrites").finish_non_exhaustive()
    }
}

/// The result if the store has dropped the completion.
fn unknown<T, E: From<StoreError>>() -> Result<T, E> {
    Err(StoreError::from(StoreErrorKind::OutcomeUnknown).into())
}
