//! TRAIN-1 to TRAIN-6, DATA-5 and DATA-6 in the engine, READ-4 and READ-5.

use std::thread;
use std::time::Duration;

use custom_models_core::engine::{Claimed, Edited, Retention};
use custom_models_core::model::{
    DataType, Edit, Expected, Figure, LeaseTime, MetricName, NoTransition, Progress, TrainingEvent,
    TrainingMetrics, TrainingStatus,
};
use custom_models_core::request::ListData;
use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, CustomModel, Engine, MemoryStore, Plan, Refusal};
use serde_json::Value;

use crate::support::{Clock, caller, pair, request};

pub(crate) const HOURS_5: u64 = 5 * 60 * 60;
pub(crate) const ANYTHING: Expected = Expected::Anything;

pub(crate) fn worker(name: &'static str) -> Actor {
    Actor::new(name).unwrap()
}

pub(crate) fn lease(seconds: u64) -> LeaseTime {
    LeaseTime::new(Duration::from_secs(seconds)).unwrap()
}

/// Returns an engine, its clock, a caller, and a model that can be trained.
pub(crate) fn ready() -> (Engine, Clock, Caller, CustomModel) {
    let (clock, acme) = (Clock::new(), caller("acme", Plan::gold()));
    let engine = clock.engine(MemoryStore::new());
    let model = engine.create(&acme, request("n")).unwrap();
    let pair = pair(DataType::Train, HOURS_5);
    let model = engine.add_data(&acme, model.id, pair, &ANYTHING).unwrap();
    (engine, clock, acme, model)
}

/// Returns the same with a training that a worker has claimed for 60 seconds.
pub(crate) fn claimed() -> (Engine, Clock, Caller, Claimed) {
    let (engine, clock, acme, model) = ready();
    engine.run(&acme, model.id, &ANYTHING).unwrap();
    let claimed = engine.claim(&worker("w"), None, lease(60)).unwrap().unwrap();
    (engine, clock, acme, claimed)
}

/// The claimed trainings, oldest first.
pub(crate) type Claims = Vec<Claimed>;

pub(crate) fn report(engine: &Engine, of: &Claimed, edit: Edit) -> Result<CustomModel, Refusal> {
    let caller = Caller::new(of.organisation.clone(), Plan::gold()).acting_as(worker("w"));
    match engine.edit(&caller, of.model.id, edit, &ANYTHING)? {
        Edited::Changed { model, .. } => Ok(*model),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn beat(engine: &Engine, of: &Claimed, percent: u8) -> Result<CustomModel, Refusal> {
    let progress = Progress::new(percent).unwrap();
    report(engine, of, Edit::Heartbeat { fence: of.fence, progress, time: lease(60) })
}

pub(crate) fn succeed(engine: &Engine, of: &Claimed) -> Result<CustomModel, Refusal> {
    let figure = Figure::new(0.125).unwrap();
    let metrics = TrainingMetrics::new([(MetricName::WORD_ERROR_RATE, figure)]).unwrap();
    report(engine, of, Edit::Succeed { fence: of.fence, metrics })
}

pub(crate) fn fail(engine: &Engine, of: &Claimed) -> Result<CustomModel, Refusal> {
    report(engine, of, Edit::Fail { fence: of.fence, error: "no more paper".to_owned() })
}

#[test]
fn train_1_every_pair_of_state_and_event_is_decided() {
    use NoTransition::{InProgress, NotReady, NotRunning as None};
    // Data added (too little, enough), data removed (too little left, enough), then the rest.
    let table: [[Result<u8, NoTransition>; 8]; 5] = [
        [Ok(1), Ok(2), Ok(1), Ok(1), Err(NotReady), Err(None), Err(None), Err(None)],
        [Ok(2), Ok(2), Ok(1), Ok(2), Ok(3), Err(None), Err(None), Err(None)],
        [
            Err(InProgress),
            Err(InProgress),
            Err(InProgress),
            Err(InProgress),
            Err(InProgress),
            Ok(4),
            Ok(5),
            Ok(2),
        ],
        [Ok(4), Ok(2), Ok(4), Ok(4), Err(NotReady), Err(None), Err(None), Err(None)],
        [Ok(5), Ok(2), Ok(5), Ok(5), Ok(3), Err(None), Err(None), Err(None)],
    ];
    for (status, row) in TrainingStatus::ALL.into_iter().zip(table) {
        for (event, expected) in TrainingEvent::ALL.into_iter().zip(row) {
            let after = status.after(event).map(TrainingStatus::number);
            assert_eq!(after, expected, "{status} {event:?}");
        }
    }
}

#[test]
fn train_2_training_starts_where_it_may_and_says_what_is_missing() {
    let (engine, clock, acme, model) = ready();
    clock.go(5000);
    let running = engine.run(&acme, model.id, &ANYTHING).unwrap();
    let shown: Value = serde_json::to_value(&running).unwrap();
    assert_eq!(shown["training_status"], 3);
    assert_eq!(shown["training_progress"], 0);
    assert_eq!(shown["started_training_at"], "2025-01-15T10:00:05Z");
    assert_eq!(shown["status_message"], "Training is running. The model has no test data.");
    let again = engine.run(&acme, model.id, &ANYTHING).unwrap_err();
    assert!(matches!(again, Refusal::TrainingInProgress));

    let young = engine.create(&acme, request("young")).unwrap();
    let refusal = |id| engine.run(&acme, id, &ANYTHING).unwrap_err().to_json();
    assert_eq!(
        refusal(young.id),
        r#"{"error":"Conflict","message":"The model is not ready to be trained","error_code":"MODEL_NOT_READY","details":{"missing_seconds":18000}}"#
    );
    let mut short = pair(DataType::Train, HOURS_5 - 2);
    short.audio_millis += 1;
    engine.add_data(&acme, young.id, short, &ANYTHING).unwrap();
    assert!(refusal(young.id).contains(r#""missing_seconds":2}"#), "rounded up");
    let test = pair(DataType::Test, HOURS_5);
    let young = engine.add_data(&acme, young.id, test, &ANYTHING).unwrap();
    assert_eq!(
        young.training_status(),
        TrainingStatus::NotRunning,
        "test data is not trained with"
    );
}

#[test]
fn train_2_a_trained_model_is_not_ready_and_a_failed_one_is_unless_its_data_is_gone() {
    let (engine, _, acme, of) = claimed();
    succeed(&engine, &of).unwrap();
    let refusal = engine.run(&acme, of.model.id, &ANYTHING).unwrap_err();
    assert!(matches!(refusal, Refusal::ModelNotReady { missing_seconds: 0 }));
    assert!(!refusal.to_json().contains("details"));

    let (engine, _, acme, of) = claimed();
    fail(&engine, &of).unwrap();
    let running = engine.run(&acme, of.model.id, &ANYTHING).unwrap();
    assert_eq!(running.training_status(), TrainingStatus::Running);
    let of = engine.claim(&worker("w"), None, lease(60)).unwrap().unwrap();
    fail(&engine, &of).unwrap();
    let data = engine.data(&acme, of.model.id, &ListData::default()).unwrap().result;
    engine.remove_data(&acme, of.model.id, data[0].id, &ANYTHING).unwrap();
    let refusal = engine.run(&acme, of.model.id, &ANYTHING).unwrap_err();
    assert!(matches!(refusal, Refusal::ModelNotReady { missing_seconds: 18_000 }));
}

#[test]
fn train_3_a_heartbeat_extends_the_lease_and_is_no_change() {
    let (engine, clock, acme, of) = claimed();
    let before = engine.get(&acme, of.model.id).unwrap();
    let last = engine.events(&acme, 0, 100).unwrap().last_position;
    for (percent, shown, events) in [(0, 0, 0), (10, 10, 1), (10, 10, 1), (4, 10, 1), (100, 100, 2)]
    {
        clock.go(59_999);
        let after = beat(&engine, &of, percent).unwrap();
        assert_eq!(after.training.progress().unwrap().get(), shown);
        assert_eq!((after.revision(), after.updated_at), (before.revision(), before.updated_at));
        assert_eq!(engine.events(&acme, 0, 100).unwrap().last_position, last + events);
    }
    clock.go(60_000);
    assert!(matches!(beat(&engine, &of, 100).unwrap_err(), Refusal::LeaseLost));
}

#[test]
fn train_3_a_training_ends_with_metrics_or_an_error() {
    let (engine, clock, acme, of) = claimed();
    clock.go(1000);
    beat(&engine, &of, 42).unwrap();
    let done = succeed(&engine, &of).unwrap();
    let shown = serde_json::to_string(&done).unwrap();
    assert!(
        shown.ends_with(
            r#","training_status":4,"status_message":"Training succeeded.","created_at":"2025-01-15T10:00:00Z","updated_at":"2025-01-15T10:00:01Z","training_progress":100,"started_training_at":"2025-01-15T10:00:00Z","finished_training_at":"2025-01-15T10:00:01Z","training_metrics":{"word_error_rate":0.125}}"#
        ),
        "{shown}"
    );
    assert_eq!(engine.get(&acme, done.id).unwrap(), done);

    let (engine, clock, _, of) = claimed();
    clock.go(1000);
    beat(&engine, &of, 42).unwrap();
    let failed = fail(&engine, &of).unwrap();
    let shown = serde_json::to_string(&failed).unwrap();
    assert!(
        shown.ends_with(
            r#","training_progress":42,"started_training_at":"2025-01-15T10:00:00Z","failed_at":"2025-01-15T10:00:01Z","error":"no more paper"}"#
        ),
        "{shown}"
    );
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Figure::new(number).is_err());
    }
    assert_eq!(Progress::new(101).ok(), None);
}

#[test]
fn train_3_a_long_error_is_cut_off() {
    let (engine, _, _, of) = claimed();
    let error = "語".repeat(1001);
    let failed = report(&engine, &of, Edit::Fail { fence: of.fence, error }).unwrap();
    assert_eq!(failed.training.failure().unwrap().error.chars().count(), 1000);
}

#[test]
fn train_4_of_many_workers_one_claims_a_model() {
    let (engine, _, acme, model) = ready();
    engine.run(&acme, model.id, &ANYTHING).unwrap();
    let claims: Vec<_> = thread::scope(|scope| {
        let claim = || engine.claim(&worker("w"), None, lease(60)).unwrap();
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
        workers.into_iter().filter_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].model.id, model.id);
    assert_eq!(claims[0].data.result.len(), 1);
}

#[test]
fn train_4_a_worker_whose_lease_has_run_out_changes_nothing() {
    let (engine, clock, acme, of) = claimed();
    clock.go(60_000);
    for late in [beat(&engine, &of, 5), succeed(&engine, &of), fail(&engine, &of)] {
        assert!(matches!(late.unwrap_err(), Refusal::LeaseLost), "before anybody claims it again");
    }
    let again = engine.claim(&worker("v"), None, lease(60)).unwrap().unwrap();
    assert!(again.fence > of.fence);
    let before = engine.get(&acme, of.model.id).unwrap();
    for late in [beat(&engine, &of, 5), succeed(&engine, &of), fail(&engine, &of)] {
        assert!(matches!(late.unwrap_err(), Refusal::LeaseLost));
    }
    assert_eq!(engine.get(&acme, of.model.id).unwrap(), before);
    succeed(&engine, &again).unwrap();
    assert!(matches!(succeed(&engine, &again).unwrap_err(), Refusal::LeaseLost), "once");
}

#[test]
fn train_5_after_three_silent_workers_a_training_has_failed() {
    for by_sweep in [true, false] {
        let (engine, clock, acme, of) = claimed();
        for _ in 0..2 {
            clock.go(59_999);
            assert_eq!(engine.claim(&worker("w"), None, lease(60)).unwrap(), None);
            clock.go(1);
            assert_eq!(engine.sweep(&Retention::default()).unwrap().failed, 0);
            assert!(engine.claim(&worker("w"), None, lease(60)).unwrap().is_some());
        }
        clock.go(59_999);
        assert_eq!(engine.sweep(&Retention::default()).unwrap().failed, 0);
        clock.go(1);
        let fourth = engine.edit(&acme, of.model.id, Edit::Claim { time: lease(60) }, &ANYTHING);
        assert!(matches!(fourth.unwrap_err(), Refusal::LeaseLost), "by whatever way");
        if by_sweep {
            assert_eq!(engine.sweep(&Retention::default()).unwrap().failed, 1);
            assert_eq!(engine.sweep(&Retention::default()).unwrap().failed, 0);
        } else {
            assert_eq!(engine.claim(&worker("w"), None, lease(60)).unwrap(), None);
        }
        let failed = engine.get(&acme, of.model.id).unwrap();
        assert_eq!(failed.training_status(), TrainingStatus::Failed);
        let error = &failed.training.failure().unwrap().error;
        assert!(error.contains("three times"), "{error}");
        let event = engine.events(&acme, 0, 100).unwrap().result.pop().unwrap();
        assert_eq!(event.actor, Actor::SWEEP);
    }
}

#[test]
fn train_6_a_training_is_called_off_and_its_worker_learns_of_it() {
    let (engine, _, acme, of) = claimed();
    let ready = engine.cancel(&acme, of.model.id, &ANYTHING).unwrap();
    assert_eq!(ready.training_status(), TrainingStatus::ReadyToRun);
    let shown = serde_json::to_string(&ready).unwrap();
    assert!(!shown.contains("progress") && !shown.contains("started"), "{shown}");
    assert!(matches!(beat(&engine, &of, 5).unwrap_err(), Refusal::LeaseLost));
    let refusal = engine.cancel(&acme, of.model.id, &ANYTHING).unwrap_err();
    assert!(matches!(refusal, Refusal::TrainingNotRunning));
    assert_eq!(refusal.status(), 409);
    // The old worker does not hold a new run.
    engine.run(&acme, of.model.id, &ANYTHING).unwrap();
    assert!(matches!(succeed(&engine, &of).unwrap_err(), Refusal::LeaseLost));
}

#[test]
fn data_5_five_hours_make_a_model_ready_and_data_6_less_make_it_wait() {
    let (engine, _, acme, model) = ready();
    assert_eq!(model.training_status(), TrainingStatus::ReadyToRun);
    let removed = engine.data(&acme, model.id, &ListData::default()).unwrap().result.remove(0);
    engine.remove_data(&acme, model.id, removed.id, &ANYTHING).unwrap();
    let waiting = engine.get(&acme, model.id).unwrap();
    assert_eq!(waiting.training_status(), TrainingStatus::NotRunning);
    assert_eq!(engine.data(&acme, model.id, &ListData::default()).unwrap().result, []);
    let refusal = engine.remove_data(&acme, model.id, removed.id, &ANYTHING).unwrap_err();
    assert_eq!(refusal.error_code(), Some("DATA_NOT_FOUND"));
    let mut almost = pair(DataType::Train, HOURS_5);
    almost.audio_millis -= 1;
    let model = engine.add_data(&acme, model.id, almost, &ANYTHING).unwrap();
    assert_eq!(model.training_status(), TrainingStatus::NotRunning);
    let mut one = pair(DataType::Train, 0);
    one.audio_millis = 1;
    let model = engine.add_data(&acme, model.id, one, &ANYTHING).unwrap();
    assert_eq!(model.training_status(), TrainingStatus::ReadyToRun);
    let ids: Vec<u32> = engine.pairs(&acme, model.id).map(|pair| pair.unwrap().id.get()).collect();
    assert_eq!(ids, [2, 3], "a number is not given again");
}

#[test]
fn data_5_and_data_6_nothing_changes_while_training_runs() {
    let (engine, _, acme, of) = claimed();
    let pair = pair(DataType::Train, 1);
    let data = engine.data(&acme, of.model.id, &ListData::default()).unwrap().result;
    let refusals = [
        engine.add_data(&acme, of.model.id, pair, &ANYTHING).unwrap_err(),
        engine.remove_data(&acme, of.model.id, data[0].id, &ANYTHING).unwrap_err(),
        engine.delete(&acme, of.model.id).unwrap_err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Refusal::TrainingInProgress));
    }
    assert_eq!(engine.data(&acme, of.model.id, &ListData::default()).unwrap().result, data);
}

#[test]
fn read_5_and_read_4_a_key_resolves_while_the_last_training_ended_well() {
    let (engine, _, acme, of) = claimed();
    let resolved = || engine.resolve(&acme, of.model.model_key()).map(|model| model.id);
    assert!(matches!(resolved().unwrap_err(), Refusal::ModelNotTrained));
    succeed(&engine, &of).unwrap();
    assert_eq!(resolved().unwrap(), of.model.id);
    let other = caller("other", Plan::gold());
    let refusal = engine.resolve(&other, of.model.model_key()).unwrap_err();
    assert!(matches!(refusal, Refusal::ModelNotFound));
    // More data, and another training that runs or is cancelled, do not discard the last success.
    let more = pair(DataType::Train, 1);
    let model = engine.add_data(&acme, of.model.id, more, &ANYTHING).unwrap();
    assert_eq!(model.training_status(), TrainingStatus::ReadyToRun);
    assert!(resolved().is_ok());
    let running = engine.run(&acme, model.id, &ANYTHING).unwrap();
    let shown = serde_json::to_string(&running).unwrap();
    assert!(
        !shown.contains("finished") && !shown.contains("metrics"),
        "the one that runs: {shown}"
    );
    assert!(resolved().is_ok());
    engine.cancel(&acme, model.id, &ANYTHING).unwrap();
    assert!(resolved().is_ok());
    engine.run(&acme, model.id, &ANYTHING).unwrap();
    let of = engine.claim(&worker("w"), None, lease(60)).unwrap().unwrap();
    fail(&engine, &of).unwrap();
    assert!(matches!(resolved().unwrap_err(), Refusal::ModelNotTrained));
}
