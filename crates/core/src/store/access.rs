//! The store interface for hosts that use keys: organisations with their plans, keys by their digests, and
//! the admissions of limited requests.

use std::time::Duration;

use crate::access::{KeyDigest, KeyId, KeyRecord, Operation, RateLimit, RateLimitStatus, Window};
use crate::store::admit::WindowState;
use crate::store::archive::ArchiveStore;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::model_store::ModelStore;
use crate::store::pending::Pending;
use crate::store::write::Completion;
use crate::tenant::{Organisation, PlanName};
use crate::time::{Timestamp, UnixMillis};

/// A store of the organisations and keys that may use a service, and of their admissions.
///
/// Every method may be called from any thread, and any number of threads at a time. A store that
/// keeps models too is closed with them; then every method answers
/// [`StoreErrorKind::Closed`].
pub trait AccessStore: Send + Sync {
    /// Makes one change, or refuses it, and then calls `done` exactly once, from any thread.
    ///
    /// Atomicity, durability, order and errors are those of
    /// [`ModelStore::submit`](crate::store::ModelStore::submit): whatever is answered `Ok` would survive a
    /// power cut, an admission too (RATE-4), and a change that is not made leaves no trace.
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>);

    /// [`AccessStore::submit_access`] for a caller that waits.
    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        Pending::new(|done| self.submit_access(change, done)).wait()
    }

    /// The registration of an organisation, if it is registered.
    fn registration(&self, organisation: &Organisation)
    -> Result<Option<Registration>, StoreError>;

    /// Every organisation that is registered, in the order of their names.
    fn registrations(&self) -> Result<Vec<Registration>, StoreError>;

    /// The key of this digest and its organisation's plan, from one consistent view of the store.
    /// Keys that are revoked or expired are shown as well.
    ///
    /// Does not wait for writes.
    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError>;

    /// [`AccessStore::key`], and the state of the key's window for an operation ([`AccessStore::window`]).
    ///
    /// A store behind a network reads both in one round trip.
    fn key_with_window(
        &self,
        digest: &KeyDigest,
        operation: Operation,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<Option<(Grant, WindowState)>, StoreError> {
        let Some(grant) = self.key(digest)? else { return Ok(None) };
        let window = Window { key: grant.key.id.into(), operation };
        let state = self.window(&window, limit, now)?;
        Ok(Some((grant, state)))
    }

    /// The keys of an organisation, in the order of their ids.
    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError>;

    /// True for a store that admits requests to windows (RATE-1), so that it has [`AccessStore::window`],
    /// [`AccessChange::Admit`], [`AccessChange::SweepWindows`] and, if it keeps models,
    /// [`Write::admission`](crate::store::Write::admission). In others they are [`StoreErrorKind::NoWindows`], and no gate
    /// with windows is made over them.
    fn keeps_windows(&self) -> bool {
        false
    }

    /// The state of a window, from one consistent view of the store, without a request (RATE-5).
    ///
    /// Does not wait for writes. A store that several machines share uses its own clock instead of `now`.
    #[expect(unused_variables, reason = "the names are for those who have windows")]
    fn window(
        &self,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        Err(StoreErrorKind::NoWindows.into())
    }
}

/// A store that keeps both models and who may use them, and shows all of it: what a host picks when it runs. An
/// `Arc<dyn Store>` is passed to [`Engine::new`](crate::engine::Engine::new) and to [`Gate::new`](crate::access::Gate::new) as it is.
pub trait Store: ModelStore + AccessStore + ArchiveStore {}

impl<S: ModelStore + AccessStore + ArchiveStore + ?Sized> Store for S {}

/// A change with the condition that it rests on.
///
/// Not `#[non_exhaustive]`: an adapter that does not know a change must not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// Registers an organisation that is not registered; [`AccessOutcome::Taken`] if it is.
    Register(Registration),
    /// Puts a registered organisation on another plan; [`AccessOutcome::NotFound`] if it is not
    /// registered. Its models stay as they are (QUOTA-5).
    SetPlan(Registration),
    /// Adds a key; [`AccessOutcome::NotFound`] if its organisation is not registered,
    /// [`AccessOutcome::Taken`] if there is a key of the same id or digest.
    AddKey(KeyRecord),
    /// Revokes a key; [`AccessOutcome::NotFound`] if there is none of this id. One that is revoked
    /// stays as it is, which is [`AccessOutcome::Done`].
    RevokeKey {
        /// The key.
        id: KeyId,
        /// The time of the revocation.
        at: Timestamp,
    },
    /// Admits a request if its window has room, as [`admit`](crate::store::admit) does (RATE-1). Refused requests leave
    /// no trace (RATE-3).
    ///
    /// A store does not ask whose key that of a window is.
    Admit {
        /// The window.
        window: Window,
        /// The limit of the window.
        limit: RateLimit,
        /// The time of the admission. A store that several machines share uses its own clock instead.
        now: UnixMillis,
    },
    /// Deletes admissions of every window that are older than the longest window, or just as old, and takes those
    /// that lie in the future, since a clock was set back, to be of now (RATE-1).
    SweepWindows {
        /// The longest of the windows that are in use.
        longest: Duration,
        /// The time of the sweep. A store that several machines share uses its own clock instead.
        now: UnixMillis,
        /// The number of admissions that are deleted at most, so that other writes need not wait for long.
        limit: u32,
    },
}

/// The outcome of a change that a store could judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessOutcome {
    /// The change was made.
    Done,
    /// Not made: what it adds is there already.
    Taken,
    /// Not made: what it changes is not there.
    NotFound,
    /// The request is admitted, and counts.
    Admitted(RateLimitStatus),
    /// The window is full, and the request does not count.
    Refused {
        /// The rate-limit status of the key.
        rate_limit: RateLimitStatus,
        /// The whole seconds, by the clock that judged, after which a request is admitted if nothing else is
        /// sent (RATE-5).
        retry_after: u64,
    },
    /// The number of admissions that were deleted.
    Swept(u64),
}

/// An organisation and its plan, as they are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The organisation.
    pub organisation: Organisation,
    /// The name of its plan. The host decides how many models the plan allows.
    pub plan: PlanName,
}

/// A key with what a request that carries it is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key.
    pub key: KeyRecord,
    /// The plan of its organisation.
    pub plan: PlanName,
}
