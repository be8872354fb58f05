//! The checks of a request before the engine is asked, for hosts whose callers have keys.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use crate::access::api_key::{KeyDigest, KeyId};
use crate::access::limits::Limits;
use crate::access::operation::Operation;
use crate::access::permits::{ConcurrencyPermit, ConcurrencyPermits};
use crate::access::rate_limit::{RateLimit, RateLimitStatus, Window};
use crate::access::refusal::AccessRefusal;
use crate::store::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRequest, Grant, Pending, StoreError,
    StoreErrorKind, WindowState,
};
use crate::tenant::{Caller, Plans};
use crate::time::UnixMillis;

/// The number of admissions that are deleted in one write.
const SWEPT_AT_ONCE: u32 = 1000;

/// Admits requests. The key is checked first, then its scopes, then its limits (ORDER).
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::SystemTime;
/// # use custom_models_core::wire::ErrorBody;
/// # use custom_models_core::access::{Gate, Limits, Operation};
/// # use custom_models_core::tenant::Plans;
/// # use custom_models_core::MemoryStore;
/// let store = Arc::new(MemoryStore::new());
/// let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
/// let refusal = gate.enter(Some("Bearer cm_unknown"), Operation::Create).unwrap_err();
/// assert_eq!(ErrorBody::from(&refusal).status, 401);
/// # Ok::<(), custom_models_core::store::StoreError>(())
/// ```
///
/// Cheap to clone; clones count the same requests.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn AccessStore>,
    plans: Plans,
    limits: Limits,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    permits: Arc<ConcurrencyPermits>,
}

impl Gate {
    /// A gate before a store, with the plans that its register may name, the limits, and a clock:
    /// `SystemTime::now` outside of tests.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::NoWindows`] if there are limits with windows, and the store keeps none.
    pub fn new(
        store: Arc<dyn AccessStore>,
        plans: Plans,
        limits: Limits,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        if limits.has_windows() && !store.keeps_windows() {
            return Err(StoreErrorKind::NoWindows.into());
        }
        let (clock, permits) = (Box::new(clock), Arc::default());
        Ok(Gate { shared: Arc::new(Shared { store, plans, limits, clock, permits }) })
    }

    /// Does the first half of an admission: finds the key of the `Authorization` header (AUTH-1), checks that its
    /// scopes cover the operation (AUTH-2), and takes a place (RATE-2).
    ///
    /// Reads the store, and does not wait for writes.
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::Unauthorized`], [`AccessRefusal::InsufficientScope`],
    /// [`AccessRefusal::ConcurrencyLimited`], in this order; [`AccessRefusal::Store`] and
    /// [`AccessRefusal::UnknownPlan`].
    pub fn enter(
        &self,
        authorization: Option<&str>,
        operation: Operation,
    ) -> Result<Authorized, AccessRefusal> {
        let limits = self.shared.limits.of(operation);
        let (grant, window) = self.shared.grant(authorization, operation, limits.requests)?;
        let plan = self.shared.plans.resolve(&grant.plan)?;
        let key = grant.key.id;
        let permit = match limits.at_once {
            None => None,
            Some(at_once) => match self.shared.permits.take((key, operation), at_once) {
                Some(permit) => Some(permit),
                None => {
                    let rate_limit = window.map(|window| window.rate_limit);
                    return Err(AccessRefusal::ConcurrencyLimited { at_once, rate_limit });
                }
            },
        };
        Ok(Authorized {
            gate: self.clone(),
            requests: limits.requests,
            window,
            admitted: Admitted {
                caller: Caller::new(grant.key.organisation, plan).acting_as(key.into()),
                key,
                operation,
                rate_limit: None,
                permit,
            },
        })
    }

    /// Looks the key of a request up again that was let in a while ago: it may have been revoked, or have
    /// expired. Takes no place, and no admission.
    ///
    /// Reads the store, and does not wait for writes.
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::Unauthorized`], [`AccessRefusal::InsufficientScope`] and
    /// [`AccessRefusal::Store`].
    pub fn recheck(
        &self,
        authorization: Option<&str>,
        operation: Operation,
    ) -> Result<(), AccessRefusal> {
        self.shared.grant(authorization, operation, None).map(drop)
    }

    /// Deletes the admissions that no window counts any more, of keys that are idle too, and takes those that lie in
    /// the future, since a clock was set back, to be of now (RATE-1). Returns the number of those that were deleted.
    ///
    /// # Errors
    ///
    /// A fault of the store; what was done until then is done.
    pub fn sweep(&self) -> Result<u64, StoreError> {
        if !self.shared.store.keeps_windows() {
            return Ok(0);
        }
        let longest = self.shared.limits.longest_window();
        let mut all = 0;
        loop {
            let (now, limit) = (self.shared.now(), SWEPT_AT_ONCE);
            let change = AccessChange::SweepWindows { longest, now, limit };
            match self.shared.store.apply_access(change)? {
                AccessOutcome::Swept(swept) => {
                    all += swept;
                    if swept < u64::from(limit) {
                        return Ok(all);
                    }
                }
                other => return Err(impossible(other)),
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Shared {
    fn now(&self) -> UnixMillis {
        (self.clock)().into()
    }

    /// The key of a request, if it is valid (AUTH-1) and its scopes cover the operation (AUTH-2), and its window
    /// where there is a limit.
    fn grant(
        &self,
        authorization: Option<&str>,
        operation: Operation,
        limit: Option<RateLimit>,
    ) -> Result<(Grant, Option<WindowState>), AccessRefusal> {
        let now = self.now();
        let digest = authorization.and_then(KeyDigest::of_authorization);
        let digest = digest.ok_or(AccessRefusal::Unauthorized)?;
        let found = match limit {
            None => self.store.key(&digest)?.map(|grant| (grant, None)),
            Some(limit) => {
                let found = self.store.key_with_window(&digest, operation, limit, now)?;
                found.map(|(grant, window)| (grant, Some(window)))
            }
        };
        let found = found.filter(|(grant, _)| grant.key.is_valid_at(now.into()));
        let (grant, window) = found.ok_or(AccessRefusal::Unauthorized)?;
        if !grant.key.scopes.contains(operation.scope()) {
            return Err(AccessRefusal::InsufficientScope { required: operation.scope() });
        }
        Ok((grant, window))
    }
}

/// A request whose key and scope are right, with its place, that does not count yet.
#[derive(Debug)]
#[must_use = "the request is not admitted yet"]
pub struct Authorized {
    gate: Gate,
    requests: Option<RateLimit>,
    /// The window as it was when the key was looked up.
    window: Option<WindowState>,
    /// The admitted request that it becomes.
    admitted: Admitted,
}

impl Authorized {
    /// The id of the key that the request was sent with.
    pub const fn key(&self) -> KeyId {
        self.admitted.key
    }

    /// The operation that is asked for.
    pub const fn operation(&self) -> Operation {
        self.admitted.operation
    }

    /// The caller of the request, to look up whether the request was answered before (IDEM-1). Nothing else
    /// may be asked of an engine before the request is admitted.
    pub const fn caller(&self) -> &Caller {
        &self.admitted.caller
    }

    /// Returns true if anything limits the operation. With a window, the admission is a durable write. With a
    /// limit on requests at a time, a place is taken now, and has to be free again as soon as nobody waits
    /// (RATE-2).
    pub const fn is_limited(&self) -> bool {
        self.requests.is_some() || self.admitted.permit.is_some()
    }

    /// Refuses a request whose window was full when its key was looked up, so that its body need not be read
    /// (RATE-3). The admission decides in the end.
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::RateLimited`].
    pub fn check_window(&self) -> Result<(), AccessRefusal> {
        match self.window {
            Some(WindowState { rate_limit, retry_after: Some(retry_after) }) => {
                Err(AccessRefusal::RateLimited { rate_limit, retry_after })
            }
            _ => Ok(()),
        }
    }

    /// The admission of the request, to be written with its change
    /// ([`Engine::create_limited`](crate::engine::Engine::create_limited)); `None` if the operation has no window. Once
    /// that is done, [`Authorized::counted`] follows.
    pub fn admission(&self) -> Option<AdmissionRequest> {
        let Admitted { key, operation, .. } = self.admitted;
        let window = Window { key: key.into(), operation };
        self.requests.map(|limit| AdmissionRequest { window, limit })
    }

    /// Admits a request whose admission was written with its change, or may have been. `rate_limit` is the
    /// rate-limit status that the write returned; `None` keeps the one from before.
    pub fn counted(self, rate_limit: Option<RateLimitStatus>) -> Admitted {
        let before = self.window.map(|window| window.rate_limit);
        Admitted { rate_limit: rate_limit.or(before), ..self.admitted }
    }

    /// Admits a request, and submits its admission without waiting for it: its client has left, or the store
    /// has failed it already. The rate-limit status stays the one from before.
    pub fn leave(self) -> Admitted {
        if let Some(change) = self.change() {
            self.gate.shared.store.submit_access(change, Box::new(|_| ()));
        }
        self.counted(None)
    }

    /// Admits a request that was answered before, which does not count again (IDEM-1). The rate-limit status
    /// stays the one from before.
    pub fn repeats(self) -> Admitted {
        self.counted(None)
    }

    /// Does the second half for a request that makes no change, or whose body is large: admits it if its window
    /// has room (RATE-1), and returns when that is durable. From then on it counts, even if it fails (RATE-3).
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::RateLimited`] and [`AccessRefusal::Store`].
    pub fn admit(self) -> Result<Admitted, AccessRefusal> {
        match self.change() {
            None => Ok(self.admitted),
            Some(change) => {
                let outcome = self.gate.shared.store.apply_access(change);
                self.admitted.judged(outcome)
            }
        }
    }

    /// [`Authorized::admit`] for asynchronous hosts: a future that needs no particular runtime and
    /// blocks no thread. The admission is on its way when this returns, polled or not.
    pub fn admit_async(
        self,
    ) -> impl Future<Output = Result<Admitted, AccessRefusal>> + Send + use<> {
        let submit =
            |change| Pending::new(|done| self.gate.shared.store.submit_access(change, done));
        let pending = self.change().map(submit);
        let admitted = self.admitted;
        async move {
            match pending {
                None => Ok(admitted),
                Some(pending) => admitted.judged(pending.await),
            }
        }
    }

    fn change(&self) -> Option<AccessChange> {
        let AdmissionRequest { window, limit } = self.admission()?;
        Some(AccessChange::Admit { window, limit, now: self.gate.shared.now() })
    }
}

/// A request that may be judged by the engine. Its place is free again when this is dropped, which is
/// for when the answer is sent or the client is gone (RATE-2).
#[derive(Debug)]
pub struct Admitted {
    caller: Caller,
    key: KeyId,
    operation: Operation,
    rate_limit: Option<RateLimitStatus>,
    permit: Option<ConcurrencyPermit>,
}

impl Admitted {
    /// The caller for whom the engine is to be asked.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The id of the key that the request was sent with.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// The rate-limit status of the key, this request included if it counts; `None` if the operation has no
    /// window (RATE-5).
    pub const fn rate_limit(&self) -> Option<RateLimitStatus> {
        self.rate_limit
    }

    fn judged(mut self, outcome: Result<AccessOutcome, StoreError>) -> Result<Self, AccessRefusal> {
        match outcome? {
            AccessOutcome::Admitted(rate_limit) => {
                self.rate_limit = Some(rate_limit);
                Ok(self)
            }
            AccessOutcome::Refused { rate_limit, retry_after } => {
                Err(AccessRefusal::RateLimited { rate_limit, retry_after })
            }
            other => Err(impossible(other).into()),
        }
    }
}

fn impossible(outcome: AccessOutcome) -> StoreError {
    let cause = format!("an answer that the change cannot have: {outcome:?}");
    StoreError::new(StoreErrorKind::Damaged, cause)
}
