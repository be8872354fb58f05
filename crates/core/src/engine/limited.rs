//! The engine's operations for requests that are to be admitted with their change (RATE-3).

use std::future::Future;

use crate::access::RateLimitStatus;
use crate::engine::edit::{Edited, interpret_outcome};
use crate::engine::idempotency::Idempotent;
use crate::engine::refusal::Refusal;
use crate::engine::{Engine, created, unexpected};
use crate::model::{ContentDigest, CustomModel, Edit, Expected, ModelId};
use crate::request::CreateModel;
use crate::store::{
    AdmissionRequest, IdempotencyRecord, IdempotentRequest, Outcome, Pending, StoreError,
};
use crate::tenant::Caller;

/// The result of a request that was to be admitted with its change.
#[derive(Clone, Debug)]
pub enum Limited<T> {
    /// The request is admitted, and counts.
    Admitted {
        /// The status of its window with it; `None` where the operation has no window.
        rate_limit: Option<RateLimitStatus>,
        /// The result of its change.
        result: Result<T, Refusal>,
    },
    /// The request was answered before, and does not count again (IDEM-1).
    Replayed(IdempotencyRecord),
    /// The window of the request is full (RATE-1). It does not count, and nothing was changed.
    Full {
        /// The status of the window.
        rate_limit: RateLimitStatus,
        /// The whole seconds after which a request is admitted if nothing else is sent (RATE-5).
        retry_after: u64,
    },
}

impl<T> Limited<T> {
    /// The result of a request that is not limited. A full window is an error then.
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
    /// Creates a model for a request that is admitted with it, in one durable write (RATE-3). `admission` is that
    /// of [`Authorized::admission`](crate::access::Authorized::admission), or one that a host makes.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. A refusal of the
    /// create itself is the result of [`Limited::Admitted`].
    pub fn create_limited(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> Result<Limited<CustomModel>, Refusal> {
        let asked = digest(idempotency.as_ref());
        let write = self.creation(caller, request, idempotency, admission);
        limited(self.store.apply(write), asked, |outcome| created(outcome, caller.plan()))
    }

    /// [`Engine::create_limited`] for asynchronous hosts: a future that needs no particular runtime and blocks no
    /// thread.
    ///
    /// The write is on its way when this returns, polled or not; dropping the future does not take it back.
    pub fn create_limited_async(
        &self,
        caller: &Caller,
        request: CreateModel<'_>,
        idempotency: Option<IdempotentRequest>,
        admission: Option<AdmissionRequest>,
    ) -> impl Future<Output = Result<Limited<CustomModel>, Refusal>> + Send + use<> {
        let asked = digest(idempotency.as_ref());
        let write = self.creation(caller, request, idempotency, admission);
        let pending = Pending::new(|done| self.store.submit(write, done));
        let plan = caller.plan().clone();
        async move { limited(pending.await, asked, |outcome| created(outcome, &plan)) }
    }

    /// Makes an edit of a model for a request that is admitted with it, in one durable write (RATE-3).
    ///
    /// The write is on its way when this returns, polled or not; dropping the future does not take it back.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`] and [`Refusal::Store`]; then the request does not count. Refusals of the
    /// edit itself, those of [`Engine::edit`], are the result of [`Limited::Admitted`].
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
        async move { limited(pending.await, asked, interpret_outcome) }
    }
}

fn digest(idempotency: Option<&IdempotentRequest>) -> Option<ContentDigest> {
    idempotency.map(|idempotency| idempotency.request)
}

/// The meaning of a store's answer to a write, whose change is judged apart.
fn limited<T>(
    answer: Result<Outcome, StoreError>,
    asked: Option<ContentDigest>,
    judge: impl FnOnce(Outcome) -> Result<T, Refusal>,
) -> Result<Limited<T>, Refusal> {
    Ok(match (answer?, asked) {
        (Outcome::Repeated(kept), Some(asked)) => Limited::Replayed(kept.for_request(asked)?),
        (Outcome::WindowFull { rate_limit, retry_after }, _) => {
            Limited::Full { rate_limit, retry_after }
        }
        (Outcome::Admitted { rate_limit, outcome }, _) => {
            Limited::Admitted { rate_limit: Some(rate_limit), result: judge(*outcome) }
        }
        (outcome, _) => Limited::Admitted { rate_limit: None, result: judge(outcome) },
    })
}
