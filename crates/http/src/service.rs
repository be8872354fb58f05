//! What the routes share.

use axum::http::{HeaderMap, header};
use custom_models_core::{Admitted, Engine, Gate, Operation, Refusal};

use crate::Options;
use crate::store::StoreCalls;

/// The engine, the gate before it, and the way to the store.
pub(crate) struct Service {
    pub(crate) engine: Engine,
    gate: Gate,
    pub(crate) calls: StoreCalls,
    pub(crate) options: Options,
}

impl Service {
    pub(crate) fn new(engine: Engine, gate: Gate, options: Options) -> Self {
        let calls = StoreCalls::new(options.reads_at_once, options.store_timeout);
        Service { engine, gate, calls, options }
    }

    /// 401, 403, 429 and 429, in this order (ORDER).
    pub(crate) async fn admit(
        &self,
        headers: &HeaderMap,
        operation: Operation,
    ) -> Result<Admitted, Refusal> {
        let (gate, key) = (self.gate.clone(), authorization(headers));
        let entered = self.calls.read(move || gate.enter(key.as_deref(), operation)).await?;
        self.calls.written(entered.admit_async()).await
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
