//! The engine's calls of a store for workers and sweeps: TRAIN-3 to TRAIN-6, DATA-6, LOG-1, ORDER.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use custom_models_core::engine::{LeaseHeld, Retention};
use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{DataId, DataType, Edit, EditRefusal, Expected};
use custom_models_core::request::RunModel;
use custom_models_core::store::{Completion, Outcome, StoreError};
use custom_models_core::{Engine, MemoryStore, Plan, Refusal};

use crate::support::{Call, Clock, Recorder, Scripted, caller, kinds, pair, request};
use crate::training::{ANYTHING, HOURS_5, claimed, lease, ready, worker};

/// Returns a store with this many trainings that wait for a worker, all of one organisation.
fn waiting(trainings: usize) -> (MemoryStore, Clock) {
    let (store, clock) = (MemoryStore::new(), Clock::new());
    let (engine, acme) = (clock.engine(store.clone()), caller("acme", Plan::gold()));
    for _ in 0..trainings {
        let model = engine.create(&acme, request("n")).unwrap();
        engine.add_data(&acme, model.id, pair(DataType::Train, HOURS_5), &ANYTHING).unwrap();
        engine.run(&acme, model.id, &ANYTHING).unwrap();
    }
    (store, clock)
}

/// Returns an engine over a store that shows its trainings, and gives the writes about them these outcomes,
/// by their number.
fn answering(
    (store, clock): (MemoryStore, Clock),
    answer: impl Fn(usize) -> Result<Outcome, StoreError> + Send + Sync + 'static,
) -> Engine {
    let count = AtomicUsize::new(0);
    let submit = move |_, done: Completion| done(answer(count.fetch_add(1, Ordering::Relaxed)));
    clock.engine(Scripted::new(submit).showing(store))
}

fn lost() -> Outcome {
    Outcome::Refused(EditRefusal::LeaseLost)
}

#[test]
fn train_2_the_body_of_a_run_is_an_object_of_any_fields() {
    for body in ["{}", r#" {"any": [1]} "#] {
        assert_eq!(RunModel::from_json(body.as_bytes()), Ok(RunModel::default()));
    }
    for (body, kind) in [("", ViolationKind::NotJson), ("[]", ViolationKind::NotAnObject)] {
        let violations = RunModel::from_json(body.as_bytes()).unwrap_err();
        assert_eq!(kinds(&violations), [(Field::Body, kind)]);
    }
}

#[test]
fn train_4_a_claim_ends_where_no_training_can_be_had() {
    let engine = answering(waiting(2), |number| {
        assert!(number < 2, "each is tried once");
        Ok(lost())
    });
    assert_eq!(engine.claim(&worker("w"), None, lease(60)).unwrap(), None);
}

#[test]
fn train_3_a_claim_of_one_organisation_takes_no_training_of_another() {
    let (engine, _, acme, model) = ready();
    engine.run(&acme, model.id, &ANYTHING).unwrap();
    let claim = |of: &str| engine.claim(&worker("w"), Some(&of.parse().unwrap()), lease(60));
    assert_eq!(claim("other").unwrap(), None);
    assert_eq!(claim("acme").unwrap().unwrap().model.id, model.id);
}

#[test]
fn train_3_a_claim_is_shown_until_when_it_holds() {
    let (engine, _, acme, of) = claimed();
    let held = LeaseHeld::of(&of.model).unwrap();
    assert_eq!(held.expires_at, of.expires_at);
    assert_eq!(
        serde_json::to_string(&held).unwrap(),
        r#"{"expires_at":"2025-01-15T10:01:00Z","training_progress":0}"#
    );
    let ready = engine.cancel(&acme, of.model.id, &ANYTHING).unwrap();
    assert_eq!(LeaseHeld::of(&ready), None);
}

/// One sync per claim: nothing is written to find out that a training has not failed.
#[test]
fn train_5_only_a_training_that_has_failed_is_written_before_a_claim() {
    let (store, clock) = waiting(1);
    let mut recorder = Recorder::default();
    recorder.store = store;
    let engine = clock.engine(recorder.clone());
    let writes = || {
        let is_write = |call: &Call| matches!(call, Call::Submit(_));
        recorder.calls().iter().filter(|call| is_write(call)).count()
    };
    for _ in 0..3 {
        assert!(engine.claim(&worker("w"), None, lease(60)).unwrap().is_some());
        assert_eq!(writes(), 1);
        clock.go(60_000);
    }
    assert_eq!(engine.claim(&worker("w"), None, lease(60)).unwrap(), None);
    assert_eq!(writes(), 1, "it fails");
}

#[test]
fn log_1_a_sweep_forgets_more_than_a_store_does_at_once() {
    let (clock, store) = (Clock::new(), MemoryStore::new());
    let (engine, acme) = (clock.engine(store), caller("acme", Plan::enterprise()));
    (0..1001).for_each(|_| drop(engine.create(&acme, request("n")).unwrap()));
    clock.go(10_000);
    let retention = Retention { events: Some(Duration::from_secs(5)) };
    assert_eq!(engine.sweep(&retention).unwrap().purged.events, 1001);
}

#[test]
fn data_6_a_pair_is_read_by_its_number() {
    let (engine, _, acme, model) = ready();
    let seconds = [HOURS_5, 1, 2, 3];
    for seconds in &seconds[1..] {
        engine.add_data(&acme, model.id, pair(DataType::Test, *seconds), &ANYTHING).unwrap();
    }
    let number = |number| DataId::new(number).unwrap();
    for (id, seconds) in (1..).zip(seconds) {
        let pair = engine.pair(&acme, model.id, number(id)).unwrap();
        assert_eq!((pair.id, pair.audio_millis), (number(id), seconds * 1000));
    }
    engine.remove_data(&acme, model.id, number(3), &ANYTHING).unwrap();
    for gone in [3, 5] {
        let refusal = engine.pair(&acme, model.id, number(gone)).unwrap_err();
        assert!(matches!(refusal, Refusal::DataNotFound));
    }
}

/// The check before a body is read refuses what the edit itself would refuse.
#[test]
fn order_an_edit_is_checked_without_being_made() {
    let (engine, _, acme, of) = claimed();
    let check = |edit, expected| engine.check(&acme, &of.model, &edit, None, &expected);
    assert!(check(Edit::Cancel, Expected::Anything).is_ok());
    assert!(engine.get(&acme, of.model.id).unwrap().training.run().is_some(), "nothing was made");
    let refusal = check(Edit::Run, Expected::Anything).unwrap_err();
    assert!(matches!(refusal, Refusal::TrainingInProgress), "{refusal:?}");
    let refusal = check(Edit::RemoveData(DataId::new(1).unwrap()), Expected::Anything).unwrap_err();
    assert!(matches!(refusal, Refusal::DataNotFound), "{refusal:?}");
}
