//! The state that all requests share: the engine, the gate before it, and what bounds the waiting.

pub(crate) mod blocking_calls;
#[cfg(feature = "uploads")]
mod blocking_writes;
#[cfg(feature = "uploads")]
mod contents;
pub(crate) mod event_notifier;
pub(crate) mod permits;
pub(crate) mod shutdown;

use std::future::Future;

use axum::http::request::Parts;
use custom_models_core::access::{Admitted, Authorized, Credentials, Operation};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::{Caller, Engine, Organisation, Refusal};
use tokio::time::timeout;

use crate::authenticator::Access;
use crate::options::Options;
use crate::rejection::Rejection;
use crate::state::blocking_calls::{BlockingCalls, Wait};
use crate::state::event_notifier::EventNotifier;
use crate::state::permits::Permits;

/// The engine with all that a handler needs beside it.
pub(crate) struct AppState {
    pub(crate) engine: Engine,
    access: Access,
    pub(crate) calls: BlockingCalls,
    pub(crate) notifier: EventNotifier,
    #[cfg(feature = "uploads")]
    pub(crate) uploads: contents::Uploads,
    pub(crate) options: Options,
}

impl AppState {
    pub(crate) fn new(engine: Engine, access: Access, options: Options) -> Self {
        let calls = BlockingCalls::new(options.reads_at_once, options.store_timeout);
        let engine = engine.with_readers(calls.readers().clone());
        let share = options.organisation_share;
        let notifier = EventNotifier::new(Permits::new(options.waiters, share));
        AppState {
            engine,
            access,
            calls,
            notifier,
            #[cfg(feature = "uploads")]
            uploads: contents::Uploads::new(&options),
            options,
        }
    }

    /// Checks the credentials and their scope, and takes a place: 401, 403 and 429, in this order (ORDER).
    pub(crate) async fn enter(
        &self,
        head: &Parts,
        operation: Operation,
    ) -> Result<Authorized, Rejection> {
        let credentials = self.authenticate(head).await?;
        let gate = self.access.gate.clone();
        self.calls.read(move || gate.enter(credentials, operation)).await
    }

    /// Checks the credentials and their scope once more, for a request that has taken long.
    pub(crate) async fn recheck(
        &self,
        head: &Parts,
        operation: Operation,
        organisation: &Organisation,
    ) -> Result<(), Rejection> {
        let credentials = self.authenticate(head).await?;
        let (gate, organisation) = (self.access.gate.clone(), organisation.clone());
        self.calls.read(move || gate.recheck(credentials, operation, &organisation)).await
    }

    /// Finds the credentials of a request.
    async fn authenticate(&self, head: &Parts) -> Result<Credentials, Rejection> {
        let authentication = self.access.authenticator.authenticate(head);
        let authentication = timeout(self.options.store_timeout, authentication).await;
        authentication.map_err(|_| StoreErrorKind::Busy)?
    }

    /// Writes the admission of a request: 429 if its window is full.
    pub(crate) async fn admit(&self, authorized: Authorized) -> Result<Admitted, Rejection> {
        self.calls.write(authorized.admit_async(), Wait::Bounded).await
    }

    /// Reads from the engine.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        caller: &Caller,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.calls.read(move || read(&engine, &caller)).await
    }

    /// Lets a request enter and reads for it, in one call where its operation has no limit. A limited one takes two: a
    /// call that nobody waits for any more must not hold a place.
    pub(crate) async fn enter_and_read<T: Send + 'static>(
        &self,
        head: &Parts,
        operation: Operation,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<(Admitted, Result<T, Rejection>), Rejection> {
        let credentials = self.authenticate(head).await?;
        let (gate, engine) = (self.access.gate.clone(), self.engine.clone());
        let call = self.calls.read(move || {
            let authorized = gate.enter(credentials, operation)?;
            if authorized.is_limited() {
                return Ok::<_, Rejection>(Err((authorized, read)));
            }
            let admitted = authorized.admit()?;
            let result = read(&engine, admitted.caller()).map_err(Rejection::from);
            Ok(Ok((admitted, result)))
        });
        match call.await? {
            Ok(done) => Ok(done),
            Err((authorized, read)) => {
                let admitted = self.admit(authorized).await?;
                let result = self.read(admitted.caller(), read).await;
                Ok((admitted, result))
            }
        }
    }

    /// Waits for a write, and notifies requests that wait for its event.
    pub(crate) async fn write<T>(
        &self,
        caller: &Caller,
        write: impl Future<Output = Result<T, Refusal>>,
        wait: Wait,
    ) -> Result<T, Rejection> {
        let written = self.calls.write(write, wait).await?;
        self.notifier.notify(caller.organisation());
        Ok(written)
    }
}
