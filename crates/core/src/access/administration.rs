//! The gate's operations on organisations, keys and admissions, and the asynchronous forms of its checks.

use std::future::Future;

use crate::access::api_key::KeyRecord;
use crate::access::gate::{Authorized, Gate};
use crate::access::operation::Operation;
use crate::access::principal::Credentials;
use crate::access::refusal::AccessRefusal;
use crate::store::{
    AccessChange, AccessOutcome, Form, PendingRead, PendingWrite, ReadPool, Registration,
    StoreError, blocking,
};
use crate::tenant::Organisation;

/// The most admissions that one write deletes.
const SWEPT_AT_ONCE: u32 = 1000;

impl Gate {
    /// Returns this gate with its asynchronous reads on the threads of `readers`
    /// ([`Engine::with_readers`](crate::engine::Engine::with_readers)).
    #[must_use]
    pub fn with_readers(self, readers: ReadPool) -> Self {
        Gate { readers: readers.into(), ..self }
    }

    /// Authorizes a request, as [`Gate::enter`] does, without blocking a thread.
    ///
    /// A permit that is taken after the future was dropped is released at once.
    pub fn enter_async(
        &self,
        credentials: impl Into<Credentials>,
        operation: Operation,
    ) -> PendingRead<Authorized, AccessRefusal> {
        let credentials = credentials.into();
        self.queue(move |gate| gate.enter(credentials, operation))
    }

    /// Checks credentials again, as [`Gate::recheck`] does, without blocking a thread.
    pub fn recheck_async(
        &self,
        credentials: impl Into<Credentials>,
        operation: Operation,
        organisation: &Organisation,
    ) -> PendingRead<(), AccessRefusal> {
        let (credentials, organisation) = (credentials.into(), organisation.clone());
        self.queue(move |gate| gate.recheck(credentials, operation, &organisation))
    }

    /// Changes organisations, keys or admissions, and returns when that is durable. [`AccessChange`] states the outcomes
    /// of each change.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::access::{Gate, Limits};
    /// # use custom_models_core::tenant::Plans;
    /// # use custom_models_core::MemoryStore;
    /// use custom_models_core::store::{AccessChange, AccessOutcome, Registration};
    ///
    /// # let store = Arc::new(MemoryStore::new());
    /// let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
    /// let acme = Registration { organisation: "acme".parse()?, plan: "Gold".parse()? };
    /// assert_eq!(gate.change(AccessChange::Register(acme.clone()))?, AccessOutcome::Done);
    /// assert_eq!(gate.registrations()?, [acme]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn change(&self, change: AccessChange) -> Result<AccessOutcome, StoreError> {
        self.shared.store.apply_access(change)
    }

    /// Makes a change, as [`Gate::change`] does, without blocking a thread.
    ///
    /// The write is submitted before this returns, even if the future is never polled.
    pub fn change_async(&self, change: AccessChange) -> PendingWrite<AccessOutcome, StoreError> {
        PendingWrite::new(|done| self.shared.store.submit_access(change, done), |outcome| outcome)
    }

    /// Returns every registered organisation, in the order of their names.
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.shared.store.registrations()
    }

    /// Returns every registered organisation, as [`Gate::registrations`] does, without blocking a thread.
    pub fn registrations_async(&self) -> PendingRead<Vec<Registration>, StoreError> {
        self.queue(Gate::registrations)
    }

    /// Returns an organisation with its plan, if it is registered.
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn registration(
        &self,
        organisation: &Organisation,
    ) -> Result<Option<Registration>, StoreError> {
        self.shared.store.registration(organisation)
    }

    /// Returns an organisation, as [`Gate::registration`] does, without blocking a thread.
    pub fn registration_async(
        &self,
        organisation: &Organisation,
    ) -> PendingRead<Option<Registration>, StoreError> {
        let organisation = organisation.clone();
        self.queue(move |gate| gate.registration(&organisation))
    }

    /// Returns the keys of an organisation, also the revoked and the expired ones, in the order of their ids.
    ///
    /// # Errors
    ///
    /// An error of the store.
    pub fn keys(&self, organisation: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.shared.store.keys(organisation)
    }

    /// Returns the keys of an organisation, as [`Gate::keys`] does, without blocking a thread.
    pub fn keys_async(
        &self,
        organisation: &Organisation,
    ) -> PendingRead<Vec<KeyRecord>, StoreError> {
        let organisation = organisation.clone();
        self.queue(move |gate| gate.keys(&organisation))
    }

    /// Deletes admissions that are in no window any more, also those of idle keys. Moves admissions in the
    /// future, which a clock that was set back leaves, to now (RATE-1). Returns the number of deleted
    /// admissions.
    ///
    /// # Errors
    ///
    /// An error of the store; deletions made before it stay.
    pub fn sweep(&self) -> Result<u64, StoreError> {
        blocking(self.sweep_as(Form::Blocking))
    }

    /// Deletes admissions, as [`Gate::sweep`] does, without blocking a thread.
    ///
    /// It begins when the future is polled first, and ends with the write that is under way when it is dropped.
    #[must_use = "nothing is swept before it is polled; dropping it does not take deletions back"]
    pub fn sweep_async(&self) -> impl Future<Output = Result<u64, StoreError>> + Send + use<> {
        let gate = self.clone();
        async move { gate.sweep_as(Form::Async).await }
    }

    async fn sweep_as(&self, form: Form) -> Result<u64, StoreError> {
        if !self.shared.store.keeps_windows() {
            return Ok(0);
        }
        let longest = self.shared.limits.longest_window();
        let mut all = 0;
        loop {
            let (now, limit) = (self.shared.now(), SWEPT_AT_ONCE);
            let change = AccessChange::SweepWindows { longest, now, limit };
            let outcome = match form {
                Form::Blocking => self.change(change)?,
                Form::Async => self.change_async(change).await?,
            };
            let AccessOutcome::Swept(swept) = outcome else {
                return Err(StoreError::unexpected(&outcome));
            };
            all += swept;
            if swept < u64::from(limit) {
                return Ok(all);
            }
        }
    }

    fn queue<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        read: impl FnOnce(&Gate) -> Result<T, E> + Send + 'static,
    ) -> PendingRead<T, E> {
        let gate = self.clone();
        self.readers.get().read(move || read(&gate))
    }
}
