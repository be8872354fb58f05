//! The lease of a training that is under way, and faults that pass while it lasts.

use std::cell::Cell;
use std::time::Instant;

use custom_models_core::Refusal;
use custom_models_core::engine::Claimed;
use custom_models_core::model::LeaseTime;
use custom_models_core::store::StoreErrorKind;

/// The lease of a claimed training, by the clock of the worker.
pub(crate) struct Lease<'a> {
    pub(crate) claimed: &'a Claimed,
    time: LeaseTime,
    since: Cell<Instant>,
}

impl<'a> Lease<'a> {
    /// The lease of a training that was claimed just now.
    pub(crate) fn new(claimed: &'a Claimed, time: LeaseTime) -> Self {
        Lease { claimed, time, since: Cell::new(Instant::now()) }
    }

    /// The time that an extension is for.
    pub(crate) fn time(&self) -> LeaseTime {
        self.time
    }

    /// Takes note of an extension that was asked for at this moment.
    pub(crate) fn extend(&self, asked: Instant) {
        self.since.set(asked);
    }

    /// Returns `true` when a third of the lease is over.
    pub(crate) fn is_due(&self) -> bool {
        self.since.get().elapsed() >= self.time.get() / 3
    }

    /// Returns `true` when the lease has run out unless somebody extended it unheard.
    pub(crate) fn has_run_out(&self) -> bool {
        self.since.get().elapsed() >= self.time.get()
    }
}

/// Tries until it is done, the fault is one that does not pass, or `go_on` says no.
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

/// Tells faults of a store after which the same report may be made from those that stay.
pub(crate) fn is_transient(refusal: &Refusal) -> bool {
    use StoreErrorKind::{Busy, Full, OutcomeUnknown, Unavailable};
    match refusal {
        Refusal::Store(fault) => matches!(fault.kind(), Busy | Full | OutcomeUnknown | Unavailable),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
