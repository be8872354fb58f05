//! The state that the routes share.

pub(crate) mod event_notifier;
pub(crate) mod places;
mod read_pool;
pub(crate) mod shutdown;
pub(crate) mod store_calls;

use std::future::Future;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use custom_models_core::{Admitted, Caller, Engine, Entered, Gate, Operation, Refusal, StoreError};
use custom_models_training_data::ContentStore;

use crate::options::Options;
use crate::rejection::Rejection;
use crate::state::event_notifier::Waiters;
use crate::state::places::Places;
use crate::state::store_calls::{StoreCalls, Wait};

/// The engine, the gate before it, the way to the store, and those who wait for events.
pub(crate) struct Service {
    pub(crate) engine: Engine,
    gate: Gate,
    pub(crate) calls: StoreCalls,
    pub(crate) waiters: Waiters,
    /// The places of uploads that are on their way.
    pub(crate) uploads: Arc<Places>,
    pub(crate) options: Options,
}

impl Service {
    pub(crate) fn new(engine: Engine, gate: Gate, options: Options) -> Self {
        let calls = StoreCalls::new(options.reads_at_once, options.store_timeout);
        let share = options.organisation_share;
        let waiters = Waiters::new(Places::new(options.waiters, share));
        let uploads = Places::new(options.uploads_at_once.max(1), share);
        Service { engine, gate, calls, waiters, uploads, options }
    }

    /// 401, 403 and 429 by the places, in this order (ORDER).
    pub(crate) async fn enter(
        &self,
        headers: &HeaderMap,
        operation: Operation,
    ) -> Result<Entered, Rejection> {
        let (gate, key) = (self.gate.clone(), authorization(headers));
        self.calls.read(move || gate.enter(key.as_deref(), operation)).await
    }

    /// 401 and 403 once more, for a request that has taken its time.
    pub(crate) async fn recheck(
        &self,
        headers: &HeaderMap,
        operation: Operation,
    ) -> Result<(), Rejection> {
        let (gate, key) = (self.gate.clone(), authorization(headers));
        self.calls.read(move || gate.recheck(key.as_deref(), operation)).await
    }

    /// 429 by the window.
    pub(crate) async fn admit(&self, entered: Entered) -> Result<Admitted, Rejection> {
        self.calls.written(entered.admit_async()).await
    }

    /// Asks the engine for something that changes nothing.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        caller: &Caller,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (engine, caller) = (self.engine.clone(), caller.clone());
        self.calls.read(move || read(&engine, &caller)).await
    }

    /// Lets a request in that reads, and reads for it: in one turn, where nothing limits the operation. A
    /// place must not be held by a turn that nobody waits for any more.
    pub(crate) async fn enter_and_read<T: Send + 'static>(
        &self,
        headers: &HeaderMap,
        operation: Operation,
        read: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<(Admitted, Result<T, Rejection>), Rejection> {
        let (gate, key, engine) = (self.gate.clone(), authorization(headers), self.engine.clone());
        let turn = self.calls.read(move || {
            let entered = gate.enter(key.as_deref(), operation)?;
            if entered.is_limited() {
                return Ok::<_, Rejection>(Err((entered, read)));
            }
            let admitted = entered.admit()?;
            let found = read(&engine, admitted.caller()).map_err(Rejection::from);
            Ok(Ok((admitted, found)))
        });
        match turn.await? {
            Ok(done) => Ok(done),
            Err((entered, read)) => {
                let admitted = self.admit(entered).await?;
                let found = self.read(admitted.caller(), read).await;
                Ok((admitted, found))
            }
        }
    }

    /// Waits for a change that is on its way, and tells those who wait for its event.
    pub(crate) async fn change<T>(
        &self,
        caller: &Caller,
        write: impl Future<Output = Result<T, Refusal>>,
        wait: Wait,
    ) -> Result<T, Rejection> {
        let changed = self.calls.waited_for(write, wait).await?;
        self.waiters.wake(caller.organisation());
        Ok(changed)
    }

    /// Removes contents that nothing refers to any more, behind the answer's back. What stays is a
    /// sweep's.
    pub(crate) fn clear(
        &self,
        clear: impl FnOnce(&dyn ContentStore) -> Result<(), StoreError> + Send + 'static,
    ) {
        let Some(contents) = self.options.contents.clone() else { return };
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            span.in_scope(|| {
                if let Err(fault) = clear(&*contents) {
                    tracing::warn!(cause = ?fault.to_string(), "contents were not removed");
                }
            });
        });
    }

    /// Asks the engine for changes that it makes on a thread that waits.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&Engine, &Caller) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (engine, worker) = (self.engine.clone(), caller.clone());
        let done = self.calls.work(move || work(&engine, &worker)).await?;
        self.waiters.wake(caller.organisation());
        Ok(done)
    }
}

/// The `Authorization` header, if it is there once and of visible characters: two of them could be
/// read as either.
fn authorization(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok().map(str::to_owned),
        _ => None,
    }
}
