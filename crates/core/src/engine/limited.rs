//! The engine's operations for rate-limited requests, which are admitted in the write that they make
//! (RATE-3).

use std::future::Future;

use crate::access::RateLimitStatus;
use crate::engine::edit::{Edited, edit_result};
use crate::engine::idempotency::Idempotent;
use crate::engine::refusal::Refusal;
use crate::engine::{Engine, create_result, unexpected};
use crate::model::{ContentDigest, CustomModel, Edit, Expected, ModelId};
use crate::request::CreateModel;
use crate::store::{
    AdmissionRequest, IdempotencyRecord, IdempotentRequest, Outcome, Pending, StoreError,
};
use crate::tenant::Caller;

/// The result of a rate-limited request.
///
/// Not `#[non_exhaustive]`: a host has to take each case into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited<T> {
    /// The request is admitted and counts.
    Admitted {
        /// The status of its window, including the request; `None` if the operation has no window.
        rate_limit: Option<RateLimitStatus>,
        /// The result of the change.
        result: Result<T, Refusal>,
    },
    /// The request was executed before, and does not count again (IDEM-1).
    Replayed(IdempotencyRecord),
    /// The window of the request is full (RATE-1). It does not count, and nothing was changed.
    Full {
        /// The status of the window.
        rate_limit: RateLimitStatus,
        /// The whole seconds until a request is admitted if no other is sent (RATE-5).
        retry_after: u64,
    },
}

impl<T> Limited<T> {
    /// Returns the result of a request without a rate limit. A full window is an error here.
    pub(crate) fn without_window(self) -> Result<Idempotent<T>, Refusal> {
        match self {
            Limited::Admitted { result, .. } => result.map(Idempotent::Executed),
            Limited::Replayed(kept) => Ok(Idempotent::Replayed(kept)),
            Limited::Full { rate_limit, retry_after } => {
                Err(unexpected(&Outcome::WindowFull { rate_limit, retry_after }))
            }
        }
    }
}

impl Engine {
    /// Creates a model and admits its request, in one durable write (RATE-3). `admission` comes from
    /// [`Authorized::admission`](crate::access::Authorized::admission), or from the host.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. A refusal
    /// of the create itself is the result of [`Limited::Admitted`].
    pub fn create_limited(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Result<Limited<CustomModel>, Refusal> {
        let asked = digest(idempotency.as_ref());
        let write = self.create_write(caller, request, idempotency, admission);
        limited(self.store.apply(write), asked, |outcome| create_result(outcome, caller.plan()))
    }

    /// Creates a model and admits its request, as [`Engine::create_limited`] does, without blocking a thread.
    /// Works with any async runtime.
    ///
    /// The write is submitted before this returns, even if the future is never polled. Dropping the future
    /// does not cancel the write.
    #[must_use = "dropping it does not take the write back: await it for the outcome"]
    pub fn create_limited_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> impl Future<Output = Result<Limited<CustomModel>, Refusal>> + Send + use<> {
        let asked = digest(idempotency.as_ref());
        let write = self.create_write(caller, request, idempotency, admission);
        let pending = Pending::new(|done| self.store.submit(write, done));
        let plan = caller.plan().clone();
        async move { limited(pending.await, asked, |outcome| create_result(outcome, &plan)) }
    }

    /// Edits a model and admits the request, in one durable write, without blocking a thread (RATE-3).
    ///
    /// The write is submitted before this returns, even if the future is never polled. Dropping the future
    /// does not cancel the write.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. Refusals of
    /// the edit itself, those of [`Engine::edit`], are the result of [`Limited::Admitted`].
    #[must_use = "dropping it does not take the write back: await it for the outcome"]
    pub fn edit_limited_async(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
        expected: Expected,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> impl Future<Output = Result<Limited<Edited>, Refusal>> + Send + use<> {
        let asked = digest(idempotency.as_ref());
        let write = self.edit_write(caller, id, edit, expected, idempotency, admission);
        let pending = Pending::new(|done| self.store.submit(write, done));
        async move { limited(pending.await, asked, edit_result) }
    }
}

fn digest(idempotency: Option<&IdempotentRequest>) -> Option<ContentDigest> {
    idempotency.map(|idempotency| idempotency.request)
}

/// Turns the outcome of a write into its result. `interpret` does so for the outcome of the change alone.
fn limited<T>(
    outcome: Result<Outcome, StoreError>,
    asked: Option<ContentDigest>,
    interpret: impl FnOnce(Outcome) -> Result<T, Refusal>,
) -> Result<Limited<T>, Refusal> {
    Ok(match (outcome?, asked) {
        (Outcome::Repeated(kept), Some(asked)) => Limited::Replayed(kept.for_request(asked)?),
        (Outcome::WindowFull { rate_limit, retry_after }, _) => {
            Limited::Full { rate_limit, retry_after }
        }
        (Outcome::Admitted { rate_limit, outcome }, _) => {
            Limited::Admitted { rate_limit: Some(rate_limit), result: interpret(*outcome) }
        }
        (outcome, _) => Limited::Admitted { rate_limit: None, result: interpret(outcome) },
    })
}
