//! MODEL-6 in the engine: it acknowledges a write when the store reports it as durable, and not otherwise.
//! The stores' own tests check that their reports are true.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use custom_models_core::model::EditRefusal;
use custom_models_core::store::{Completion, Outcome, StoreError, StoreErrorKind};
use custom_models_core::wire::ErrorBody;
use custom_models_core::{CustomModel, Plan, Refusal};
use proptest::prelude::*;

use crate::support::{Scripted, caller, config, engine, id, request, stored};

/// Returns a store that passes every completion to the test.
fn held() -> (Scripted, mpsc::Receiver<Completion>) {
    let (sender, completions) = mpsc::channel();
    let store = Scripted::new(move |_, done| sender.send(done).unwrap());
    (store, completions)
}

/// Returns a store that gives every write this outcome, and has the model 1.
fn answering(answer: impl Fn() -> Result<Outcome, StoreError> + Send + Sync + 'static) -> Scripted {
    Scripted::new(move |_, done| done(answer())).reading(|| Ok(Some(stored(1, "n"))))
}

const KINDS: [StoreErrorKind; 15] = [
    StoreErrorKind::Busy,
    StoreErrorKind::OutcomeUnknown,
    StoreErrorKind::Closed,
    StoreErrorKind::NotOurs,
    StoreErrorKind::Newer,
    StoreErrorKind::Older,
    StoreErrorKind::Missing,
    StoreErrorKind::ForeignData,
    StoreErrorKind::ReadOnly,
    StoreErrorKind::Locked,
    StoreErrorKind::Damaged,
    StoreErrorKind::Full,
    StoreErrorKind::IdsExhausted,
    StoreErrorKind::Unavailable,
    StoreErrorKind::Failed,
];

fn kind<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> StoreErrorKind {
    match answer.unwrap_err() {
        Refusal::Store(fault) => fault.kind(),
        other => panic!("{other:?} is no fault of the store"),
    }
}

/// Returns the result of a future that must be ready.
fn settled(
    future: impl Future<Output = Result<CustomModel, Refusal>>,
) -> Result<CustomModel, Refusal> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the store has answered, and the future has not"),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn model_6_a_create_is_acknowledged_when_the_store_is_done_and_not_before(
        number in 1..1000u64,
        polls in 0..4,
        fault in proptest::option::of(0..KINDS.len()),
    ) {
        let (store, completions) = held();
        let engine = engine(store);
        let mut future = pin!(engine.create_async(&caller("acme", Plan::gold()), request("n")));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            prop_assert!(future.as_mut().poll(&mut context).is_pending());
        }
        let done = completions.try_recv().unwrap();
        prop_assert!(future.as_mut().poll(&mut context).is_pending());
        let expected = stored(number, "n");
        match fault {
            None => done(Ok(Outcome::Created(expected.clone()))),
            Some(place) => done(Err(KINDS[place].into())),
        }
        match (future.poll(&mut context), fault) {
            (Poll::Ready(Ok(model)), None) => prop_assert_eq!(model, expected),
            (Poll::Ready(answer), Some(place)) => prop_assert_eq!(kind(answer), KINDS[place]),
            (answer, _) => prop_assert!(false, "{:?}", answer),
        }
    }
}

#[test]
fn model_6_a_thread_waits_until_the_store_is_done() {
    let (store, completions) = held();
    let engine = engine(store);
    let (acknowledge, acknowledged) = mpsc::channel();
    let waiting = thread::spawn(move || {
        let model = engine.create(&caller("acme", Plan::gold()), request("n"));
        acknowledge.send(()).unwrap();
        model
    });
    let done = completions.recv().unwrap();
    assert!(acknowledged.try_recv().is_err());
    done(Ok(Outcome::Created(stored(5, "n"))));
    acknowledged.recv().unwrap();
    assert_eq!(waiting.join().unwrap().unwrap(), stored(5, "n"));
}

#[test]
fn model_6_an_answer_that_is_never_given_leaves_the_outcome_unknown() {
    let dropping = || Scripted::new(|_, done| drop(done)).reading(|| Ok(Some(stored(1, "n"))));
    let caller = caller("acme", Plan::gold());
    let unknown = StoreErrorKind::OutcomeUnknown;
    assert_eq!(kind(settled(engine(dropping()).create_async(&caller, request("n")))), unknown);
    assert_eq!(kind(engine(dropping()).create(&caller, request("n"))), unknown);
    assert_eq!(kind(engine(dropping()).delete(&caller, id(1))), unknown);

    let refusal = engine(dropping()).create(&caller, request("n")).unwrap_err();
    let error = ErrorBody::from(&refusal);
    assert_eq!((error.status, error.headers), (503, vec![("Retry-After", "1".into())]));
}

#[test]
fn model_6_a_thread_is_not_left_waiting_by_a_store_that_gives_up_later() {
    let (store, completions) = held();
    let engine = engine(store);
    let waiting = thread::spawn(move || engine.create(&caller("acme", Plan::gold()), request("n")));
    drop(completions.recv().unwrap());
    assert_eq!(kind(waiting.join().unwrap()), StoreErrorKind::OutcomeUnknown);
}

#[test]
fn model_6_a_fault_of_the_store_is_no_acknowledgement_and_is_passed_on() {
    let caller = caller("acme", Plan::gold());
    for expected in KINDS {
        let failing = || answering(move || Err(StoreError::new(expected, "the disk is on fire")));
        assert_eq!(kind(engine(failing()).create(&caller, request("n"))), expected);
        assert_eq!(kind(engine(failing()).delete(&caller, id(1))), expected);
        let refusal = settled(engine(failing()).create_async(&caller, request("n"))).unwrap_err();
        let cause = std::error::Error::source(&refusal).unwrap();
        assert_eq!(cause.to_string(), "the disk is on fire");

        let unreadable = || Scripted::new(|_, _| ()).reading(move || Err(expected.into()));
        assert_eq!(kind(engine(unreadable()).get(&caller, id(1))), expected);
        assert_eq!(kind(engine(unreadable()).list(&caller, &Default::default())), expected);
        assert_eq!(kind(engine(unreadable()).close()), expected);
    }
}

#[test]
fn model_6_an_answer_that_the_change_cannot_have_is_no_acknowledgement() {
    let gold = caller("acme", Plan::gold());
    let enterprise = caller("acme", Plan::enterprise());
    let damaged = StoreErrorKind::Damaged;
    let refused = Outcome::Refused(EditRefusal::LeaseLost);
    for outcome in [Outcome::Deleted, Outcome::NotFound, refused] {
        let store = answering(move || Ok(outcome.clone()));
        assert_eq!(kind(engine(store).create(&gold, request("n"))), damaged);
    }
    let store = answering(|| Ok(Outcome::LimitReached { current: 9 }));
    assert_eq!(kind(engine(store).create(&enterprise, request("n"))), damaged);
    for outcome in [Outcome::Created(stored(1, "n")), Outcome::LimitReached { current: 9 }] {
        let store = answering(move || Ok(outcome.clone()));
        assert_eq!(kind(engine(store).delete(&gold, id(1))), damaged);
    }
}
