//! The lease of a training that is under way, and faults that pass while it lasts.

use std::cell::Cell;
use std::time::Instant;

use custom_models_core::{Claimed, LeaseTime, Refusal, StoreErrorKind};

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
    pub(crate) fn is_to_be_extended(&self) -> bool {
        self.since.get().elapsed() >= self.time.get() / 3
    }

    /// Returns `true` when the lease has run out unless somebody extended it unheard.
    pub(crate) fn has_run_out(&self) -> bool {
        self.since.get().elapsed() >= self.time.get()
    }
}

/// Tries until it is done, the fault is one that does not pass, or `go_on` says no.
pub(crate) fn persist<T>(
    mut attempt: impl FnMut() -> Result<T, Refusal>,
    mut go_on: impl FnMut() -> bool,
) -> Result<T, Refusal> {
    loop {
        match attempt() {
            Err(refusal) if may_pass(&refusal) && go_on() => {}
            done => return done,
        }
    }
}

/// Tells faults of a store after which the same report may be made from those that stay.
pub(crate) fn may_pass(refusal: &Refusal) -> bool {
    use StoreErrorKind::{Busy, Full, OutcomeUnknown, Unavailable};
    match refusal {
        Refusal::Store(fault) => matches!(fault.kind(), Busy | Full | OutcomeUnknown | Unavailable),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use custom_models_core::StoreError;

    use super::*;

    fn fault(kind: StoreErrorKind) -> Refusal {
        Refusal::Store(StoreError::from(kind))
    }

    /// The result of answers that come one after the other, and how many were asked for.
    fn persisted(answers: Vec<Result<u8, Refusal>>, patience: usize) -> (String, usize) {
        let (mut answers, mut asked) = (answers.into_iter(), 0);
        let attempt = || {
            asked += 1;
            answers.next().unwrap()
        };
        let mut times = 0;
        let result = persist(attempt, || {
            times += 1;
            times <= patience
        });
        (format!("{:?}", result.map_err(|refusal| refusal.to_string())), asked)
    }

    #[test]
    fn train_3_a_report_is_made_again_while_the_fault_may_pass() {
        use StoreErrorKind::{Busy, Closed, Damaged, Full, OutcomeUnknown, Unavailable};
        let passing = [Busy, OutcomeUnknown, Full, Unavailable].map(|kind| Err(fault(kind)));
        let answers = || passing.clone().into_iter().chain([Ok(7)]);
        assert_eq!(persisted(answers().collect(), 9), ("Ok(7)".to_owned(), 5));
        let (given_up, asked) = persisted(answers().collect(), 2);
        assert!(given_up.starts_with("Err") && asked == 3, "{given_up} {asked}");
        for stays in [fault(Closed), fault(Damaged), Refusal::LeaseLost, Refusal::ModelNotFound] {
            let (refused, asked) = persisted(vec![Err(stays), Ok(7)], 9);
            assert!(refused.starts_with("Err") && asked == 1, "{refused} {asked}");
        }
    }
}
