//! The lease of a training, and retries while it lasts.

use std::cell::Cell;
use std::time::Instant;

use custom_models_core::Refusal;
use custom_models_core::engine::Claimed;
use custom_models_core::model::LeaseTime;
use custom_models_core::store::StoreErrorKind;

/// The lease of a claimed training, measured by the worker's clock.
pub(crate) struct Lease<'a> {
    pub(crate) claimed: &'a Claimed,
    time: LeaseTime,
    since: Cell<Instant>,
}

impl<'a> Lease<'a> {
    /// Starts the lease of a training that was claimed just now.
    pub(crate) fn new(claimed: &'a Claimed, time: LeaseTime) -> Self {
        Lease { claimed, time, since: Cell::new(Instant::now()) }
    }

    /// The length of the lease and of each extension.
    pub(crate) fn time(&self) -> LeaseTime {
        self.time
    }

    /// Records an extension that was requested at this moment.
    pub(crate) fn extend(&self, asked: Instant) {
        self.since.set(asked);
    }

    /// Returns `true` if an extension is due: a third of the lease is over.
    pub(crate) fn is_due(&self) -> bool {
        self.since.get().elapsed() >= self.time.get() / 3
    }

    /// Returns `true` if the lease has run out, as far as this worker knows.
    pub(crate) fn has_run_out(&self) -> bool {
        self.since.get().elapsed() >= self.time.get()
    }
}

/// Retries while the fault is transient and `go_on` returns `true`.
pub(crate) fn retry_while<T>(
    mut attempt: impl FnMut() -> Result<T, Refusal>,
    mut go_on: impl FnMut() -> bool,
) -> Result<T, Refusal> {
    loop {
        match attempt() {
            Err(refusal) if is_transient(&refusal) && go_on() => {}
            done => return done,
        }
    }
}

/// Returns `true` for a fault of the store after which the same report can be repeated.
pub(crate) fn is_transient(refusal: &Refusal) -> bool {
    use StoreErrorKind::{Busy, Full, OutcomeUnknown, Unavailable};
    match refusal {
        Refusal::Store(fault) => matches!(fault.kind(), Busy | Full | OutcomeUnknown | Unavailable),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
