//! The check of a request before it reaches the engine, for callers with API keys and for a host's own accounts.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use crate::access::api_key::KeyDigest;
use crate::access::limits::Limits;
use crate::access::operation::Operation;
use crate::access::permits::{ConcurrencyPermit, ConcurrencyPermits};
use crate::access::principal::{Credentials, Principal, require_scope};
use crate::access::rate_limit::{RateLimit, RateLimitStatus, Window, WindowKey};
use crate::access::refusal::AccessRefusal;
use crate::store::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRequest, Grant, Readers, StoreError,
    StoreErrorKind, WindowState,
};
use crate::tenant::{Caller, Organisation, Plans};
use crate::time::UnixMillis;

/// Authorizes and admits requests. Checks the credentials, then their scope, then their limits (ORDER). Credentials are a
/// key in the gate's store, or a [`Principal`] that the host has authenticated.
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
/// Clones are cheap and share the concurrency counts. Every operation has two forms of the same name, as those of an
/// [`Engine`](crate::engine::Engine): `enter` blocks its thread, and `enter_async` returns a future.
#[derive(Clone)]
pub struct Gate {
    pub(super) shared: Arc<Shared>,
    pub(super) readers: Readers,
}

pub(super) struct Shared {
    pub(super) store: Arc<dyn AccessStore>,
    plans: Plans,
    pub(super) limits: Limits,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    permits: Arc<ConcurrencyPermits>,
}

impl Gate {
    /// Creates a gate over a store, with the plans that registrations may name, the limits, and a clock:
    /// `SystemTime::now` outside of tests.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::NoWindows`] if an operation has a rate limit and the store keeps no windows.
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
        let shared = Arc::new(Shared { store, plans, limits, clock, permits });
        Ok(Gate { shared, readers: Readers::default() })
    }

    /// Authorizes a request: finds the principal of the credentials (AUTH-1), checks that its scopes cover the
    /// operation (AUTH-2), and takes a concurrency permit (RATE-2). An `Authorization` header is credentials too. The
    /// request is not admitted yet.
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
        credentials: impl Into<Credentials>,
        operation: Operation,
    ) -> Result<Authorized, AccessRefusal> {
        let limits = self.shared.limits.of(operation);
        let (Principal { caller, identity, .. }, window) =
            self.shared.principal(credentials.into(), operation, limits.requests)?;
        let permit = match limits.at_once {
            None => None,
            Some(at_once) => match self.shared.permits.take((identity, operation), at_once) {
                Some(permit) => Some(permit),
                None => {
                    let rate_limit = window.map(|window| window.rate_limit);
                    return Err(AccessRefusal::ConcurrencyLimited { at_once, rate_limit });
                }
            },
        };
        let admitted = Admitted { caller, identity, operation, rate_limit: None, permit };
        Ok(Authorized { gate: self.clone(), requests: limits.requests, window, admitted })
    }

    /// Checks the credentials of a long-running request of `organisation` again: a key may have been revoked or have
    /// expired since, and an account may have moved. Takes no permit, and admits nothing.
    ///
    /// Reads the store, and does not wait for writes.
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::Unauthorized`], also for credentials of another organisation,
    /// [`AccessRefusal::InsufficientScope`] and [`AccessRefusal::Store`].
    pub fn recheck(
        &self,
        credentials: impl Into<Credentials>,
        operation: Operation,
        organisation: &Organisation,
    ) -> Result<(), AccessRefusal> {
        let now_of = match credentials.into() {
            Credentials::Key(digest) => {
                self.shared.grant(digest, operation, None)?.0.key.organisation
            }
            Credentials::Principal(Principal { caller, scopes, .. }) => {
                require_scope(scopes, operation)?;
                caller.organisation().clone()
            }
        };
        if now_of == *organisation { Ok(()) } else { Err(AccessRefusal::Unauthorized) }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn now(&self) -> UnixMillis {
        (self.clock)().into()
    }

    /// Returns the principal of credentials whose scopes cover the operation, and the state of its window if there is a
    /// rate limit.
    fn principal(
        &self,
        credentials: Credentials,
        operation: Operation,
        limit: Option<RateLimit>,
    ) -> Result<(Principal, Option<WindowState>), AccessRefusal> {
        match credentials {
            Credentials::Key(digest) => {
                let (grant, window) = self.grant(digest, operation, limit)?;
                let plan = self.plans.resolve(&grant.plan)?;
                Ok((Principal::of_key(grant.key, plan), window))
            }
            Credentials::Principal(principal) => {
                require_scope(principal.scopes, operation)?;
                let window = Window { key: principal.identity, operation };
                let state = |limit| self.store.window(&window, limit, self.now());
                Ok((principal, limit.map(state).transpose()?))
            }
        }
    }

    /// Returns the key of a request if it is valid (AUTH-1) and its scopes cover the operation (AUTH-2), and
    /// the state of its window if there is a rate limit.
    fn grant(
        &self,
        digest: Option<KeyDigest>,
        operation: Operation,
        limit: Option<RateLimit>,
    ) -> Result<(Grant, Option<WindowState>), AccessRefusal> {
        let now = self.now();
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
        require_scope(grant.key.scopes, operation)?;
        Ok((grant, window))
    }
}

/// A request with valid credentials and scope and with a concurrency permit. It does not count in its window yet.
#[derive(Debug)]
#[must_use = "the request is not admitted yet"]
pub struct Authorized {
    gate: Gate,
    requests: Option<RateLimit>,
    /// The state of the window when the request entered.
    window: Option<WindowState>,
    /// The admitted request that this becomes.
    admitted: Admitted,
}

impl Authorized {
    /// Returns the identity by which the request is counted: the id of its key, or what the host chose.
    pub const fn identity(&self) -> &WindowKey {
        self.admitted.identity()
    }

    /// Returns the requested operation.
    pub const fn operation(&self) -> Operation {
        self.admitted.operation
    }

    /// Returns the caller, to look up the request's idempotency record (IDEM-1). A host must not call the
    /// engine for anything else before the request is admitted.
    pub const fn caller(&self) -> &Caller {
        &self.admitted.caller
    }

    /// Returns true if the operation has a limit. With a rate limit, the admission is a durable write. With a
    /// concurrency limit, the request holds a permit, which the host has to release as soon as nobody waits
    /// for the response (RATE-2).
    pub const fn is_limited(&self) -> bool {
        self.requests.is_some() || self.admitted.permit.is_some()
    }

    /// Refuses a request whose window was full when it entered, so that the host need not read its body
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

    /// Returns the admission to write together with the request's change
    /// ([`Engine::create_limited`](crate::engine::Engine::create_limited)); `None` if the operation has no
    /// window. Call [`Authorized::counted`] after that write.
    pub fn admission(&self) -> Option<AdmissionRequest> {
        let Admitted { identity, operation, .. } = self.admitted;
        let window = Window { key: identity, operation };
        self.requests.map(|limit| AdmissionRequest { window, limit })
    }

    /// Marks the request as admitted after its admission was written with its change, or may have been.
    /// `rate_limit` is the status that the write returned; `None` keeps the earlier one.
    pub fn counted(self, rate_limit: Option<RateLimitStatus>) -> Admitted {
        let before = self.window.map(|window| window.rate_limit);
        Admitted { rate_limit: rate_limit.or(before), ..self.admitted }
    }

    /// Marks the request as admitted, and submits its admission without waiting: for a client that has
    /// disconnected, or a store that has failed already. The rate-limit status stays the earlier one.
    pub fn leave(self) -> Admitted {
        if let Some(change) = self.change() {
            self.gate.shared.store.submit_access(change, Box::new(|_| ()));
        }
        self.counted(None)
    }

    /// Marks the request as admitted without counting it again, because it repeats an earlier one (IDEM-1).
    /// The rate-limit status stays the earlier one.
    pub fn repeats(self) -> Admitted {
        self.counted(None)
    }

    /// Admits the request if its window has room (RATE-1), and returns when that is durable: for a request
    /// that makes no change, or that has a large body. From then on the request counts, even if it fails
    /// (RATE-3).
    ///
    /// # Errors
    ///
    /// [`AccessRefusal::RateLimited`] and [`AccessRefusal::Store`].
    pub fn admit(self) -> Result<Admitted, AccessRefusal> {
        match self.change() {
            None => Ok(self.admitted),
            Some(change) => {
                let outcome = self.gate.change(change);
                self.admitted.judged(outcome)
            }
        }
    }

    /// Admits the request, as [`Authorized::admit`] does, without blocking a thread. Works with any async
    /// runtime. The admission is submitted before this returns, even if the future is never polled. Dropping the future
    /// releases the concurrency permit.
    #[must_use = "dropping it does not take the admission back: await it for the outcome"]
    pub fn admit_async(
        self,
    ) -> impl Future<Output = Result<Admitted, AccessRefusal>> + Send + use<> {
        let pending = self.change().map(|change| self.gate.change_async(change));
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

/// An admitted request, which the engine may execute. Dropping it releases its concurrency permit: a host
/// drops it once the response is sent or the client has disconnected (RATE-2).
#[derive(Debug)]
#[must_use = "dropping it releases its concurrency permit"]
pub struct Admitted {
    caller: Caller,
    identity: WindowKey,
    operation: Operation,
    rate_limit: Option<RateLimitStatus>,
    permit: Option<ConcurrencyPermit>,
}

impl Admitted {
    /// Returns the caller to pass to the engine.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the identity by which the request is counted: the id of its key, or what the host chose.
    pub const fn identity(&self) -> &WindowKey {
        &self.identity
    }

    /// Returns the rate-limit status of the identity, including this request if it counts; `None` if the operation
    /// has no window (RATE-5).
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
            other => Err(StoreError::unexpected(&other).into()),
        }
    }
}
