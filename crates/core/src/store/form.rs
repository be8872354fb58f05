//! The form of an operation of several reads and writes.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::store::error::{StoreError, StoreErrorKind};

/// The form of an operation of several reads and writes.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// On the calling thread.
    Blocking,
    /// Reads are made by a pool, and writes are awaited.
    Async,
}

/// Runs an operation in its blocking form, in which nothing is awaited.
pub(crate) fn blocking<T, E: From<StoreError>>(
    operation: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err(StoreError::new(StoreErrorKind::Failed, "a blocking form awaits").into())
        }
    }
}
