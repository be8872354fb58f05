//! The store interface for hosts that use API keys: organisations with their plans, keys by their digests,
//! and the admissions of rate-limited requests.

use crate::access::{KeyDigest, KeyRecord, Operation, RateLimit, Window};
use crate::store::access_change::{AccessChange, AccessOutcome, Grant, Registration};
use crate::store::admit::WindowState;
use crate::store::archive::ArchiveStore;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::model_store::ModelStore;
use crate::store::pending::PendingWrite;
use crate::store::write::Completion;
use crate::tenant::Organisation;
use crate::time::UnixMillis;

/// A store of organisations, API keys and rate-limit admissions.
///
/// Every method may be called from any number of threads at once. If the store keeps models too, closing them
/// closes this part, and every method then returns [`StoreErrorKind::Closed`].
pub trait AccessStore: Send + Sync {
    /// Makes one change, or refuses it, and then calls `done` exactly once, from any thread.
    ///
    /// Atomicity, durability, order and errors are those of
    /// [`ModelStore::submit`](crate::store::ModelStore::submit). An acknowledged change survives a power cut,
    /// and so does an admission (RATE-4). A change that is not made leaves no trace.
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>);

    /// Makes one change, or refuses it, and blocks until the outcome is known: [`AccessStore::submit_access`]
    /// for a caller that waits.
    fn apply_access(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        PendingWrite::new(|done| self.submit_access(change, done), |outcome| outcome).wait()
    }

    /// Returns the registration of an organisation, if it is registered.
    fn registration(&self, organisation: &Organisation)
    -> Result<Option<Registration>, StoreError>;

    /// Returns every registered organisation, in the order of their names.
    fn registrations(&self) -> Result<Vec<Registration>, StoreError>;

    /// Returns the key with this digest and the plan of its organisation, from one consistent view of the
    /// store. Revoked and expired keys are returned as well.
    ///
    /// Does not wait for writes.
    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError>;

    /// Returns what [`AccessStore::key`] does, and the state of the key's window for an operation
    /// ([`AccessStore::window`]).
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

    /// Returns the keys of an organisation, in the order of their ids.
    fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError>;

    /// Returns true for a store that admits requests to windows (RATE-1).
    ///
    /// Such a store supports [`AccessStore::window`], [`AccessChange::Admit`], [`AccessChange::SweepWindows`]
    /// and, if it keeps models, [`Write::admission`](crate::store::Write::admission). In other stores these
    /// fail with [`StoreErrorKind::NoWindows`], and a gate with rate limits cannot be created over them.
    fn keeps_windows(&self) -> bool {
        false
    }

    /// Returns the state of a window without recording a request, from one consistent view of the store
    /// (RATE-5).
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

/// A complete store: models, access and archive. A host picks one at run time, and passes an `Arc<dyn Store>`
/// to [`Engine::new`](crate::engine::Engine::new) and [`Gate::new`](crate::access::Gate::new).
pub trait Store: ModelStore + AccessStore + ArchiveStore {}

impl<S: ModelStore + AccessStore + ArchiveStore + ?Sized> Store for S {}
