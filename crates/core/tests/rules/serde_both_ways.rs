//! Every type of the wire is read as it is written, and what is read obeys the rules.

use std::fmt::Debug;

use custom_models_core::access::{
    AccessRefusal, Limits, Operation, OperationLimit, RateLimit, Scope, Scopes,
};
use custom_models_core::engine::{Claimed, EventList, LeaseHeld, Validated};
use custom_models_core::field::{BaseModel, Language};
use custom_models_core::model::{
    DataId, DataList, DataType, Edit, Event, Expected, LeaseTime, MetricName, Progress,
    TrainingMetrics, TrainingStatus, Uploaded,
};
use custom_models_core::request::{
    ClaimTraining, Heartbeat, ListData, ModelPage, RunModel, TrainingFailed, TrainingSucceeded,
};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::tenant::{Actor, PlanName, Plans};
use custom_models_core::wire::{ErrorBody, ReceivedError};
use custom_models_core::{
    CreateModel, CustomModel, ListModels, MemoryStore, Plan, Refusal, UpdateModel,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{Tape, caller, config, engine, pair, request, stored, tape, training};

/// Reads what is written, and stops unless the same is written again.
fn read_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let written = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&written).unwrap_or_else(|e| panic!("{written}: {e}"));
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
    // A second way, in which members come in another order and texts are owned.
    let value: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        serde_json::to_string(&serde_json::from_value::<T>(value).unwrap()).unwrap(),
        written
    );
    read
}

fn assert_same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    assert_eq!(&read_back(value), value);
}

/// A text of a tape that is no name of an actor, but not blank.
fn reason(tape: &mut Tape) -> String {
    format!("e{}", tape.text())
}

fn metrics(tape: &mut Tape) -> TrainingMetrics {
    let named = MetricName::NAMED[tape.below(5)].clone();
    let other = MetricName::new(tape.of(&["a", "z_9", "loss"])).unwrap();
    let figure = |tape: &mut Tape| {
        let number = f64::from(tape.below(60_000) as u32) / 7.0;
        serde_json::from_value(json!(number)).unwrap()
    };
    let figures = [(named, figure(tape)), (other, figure(tape))];
    let count = tape.below(3);
    TrainingMetrics::new(figures.into_iter().take(count)).unwrap()
}

/// Has a model live through what the tape says, and reads back everything that is shown on the way.
fn live(tape: &mut Tape) {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    let id = engine.create(&acme, request("n")).unwrap().id;
    let (worker, mut fence) = (Actor::new("w").unwrap(), None);
    for _ in 0..tape.below(16) {
        let edit = match (tape.below(8), fence) {
            (0, _) => Edit::AddData(pair(DataType::Test, 1)),
            (1, _) => Edit::RemoveData(DataId::new(1 + tape.below(3) as u32).unwrap()),
            (2, _) => Edit::Cancel,
            (3, Some(fence)) => Edit::Heartbeat {
                fence,
                progress: Progress::new(tape.below(101) as u8).unwrap(),
                time: LeaseTime::default(),
            },
            (4, Some(fence)) => Edit::Succeed { fence, metrics: metrics(tape) },
            (5, Some(fence)) => Edit::Fail { fence, error: reason(tape) },
            (6, _) => {
                let update = UpdateModel::builder().name("m").description(tape.text()).build();
                let Ok(update) = update else { continue };
                update.into()
            }
            (_, None) => {
                let _ = engine.edit(
                    &acme,
                    id,
                    Edit::AddData(pair(DataType::Train, 18_000)),
                    &Expected::Anything,
                );
                Edit::Run
            }
            _ => Edit::Run,
        };
        let _ = engine.edit(&acme, id, edit, &Expected::Anything);
        if let Some(claimed) = engine.claim(&worker, None, LeaseTime::default()).unwrap() {
            read_back::<Claimed>(&claimed);
            assert_eq!(read_back(&claimed).fence, claimed.fence);
            fence = Some(claimed.fence);
        }
        let model = engine.get(&acme, id).unwrap();
        assert_eq!(read_back(&model).training_status(), model.training_status());
        if let Some(held) = LeaseHeld::of(&model) {
            read_back(&held);
        }
        let added = pair(DataType::Train, 1);
        assert_same(&Uploaded::new(&added, &model).into_owned());
    }
    read_back::<ModelPage>(&engine.list(&acme, &ListModels::default()).unwrap());
    let events: EventList = engine.events(&acme, 0, 100).unwrap();
    assert_same(&events);
    events.result.iter().for_each(assert_same::<Event>);
    assert_same(&DataList::from(engine.data(&acme, id, &ListData::default()).unwrap()));
    assert_same::<Validated>(&engine.validate(&acme, &request("n")).unwrap());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn read_4_and_log_1_and_data_6_what_is_shown_is_read_again(mut tape in tape()) {
        live(&mut tape);
    }

    #[test]
    fn edit_1_and_train_3_requests_are_read_as_they_are_written(mut tape in tape()) {
        let (name, description) = (tape.text(), tape.text());
        let mut update = UpdateModel::builder().description(Some(description));
        if tape.below(2) == 0 {
            update = update.name(name);
        }
        if tape.below(3) == 0 {
            update = update.no_description();
        }
        if let Ok(update) = update.build() {
            assert_same(&update);
            let written = serde_json::to_vec(&update).unwrap();
            prop_assert_eq!(UpdateModel::from_json(&written).unwrap(), update);
        }
        let fence = tape.below(60_000);
        let seconds = 1 + tape.below(60_000);
        let claim = json!({"lease_seconds": seconds}).to_string();
        assert_same(&ClaimTraining::from_json(claim.as_bytes()).unwrap());
        let heartbeat = json!({
            "fence": fence, "training_progress": tape.below(101), "lease_seconds": seconds,
        });
        assert_same(&Heartbeat::from_json(heartbeat.to_string().as_bytes()).unwrap());
        let succeeded = json!({"fence": fence, "training_metrics": metrics(&mut tape)});
        assert_same(&TrainingSucceeded::from_json(succeeded.to_string().as_bytes()).unwrap());
        let failed = json!({"fence": fence, "error": reason(&mut tape)});
        assert_same(&TrainingFailed::from_json(failed.to_string().as_bytes()).unwrap());
    }

    #[test]
    fn quota_1_and_rate_1_plans_and_limits_are_read_as_they_are_written(mut tape in tape()) {
        let plan = Plan::new(tape.text(), (tape.below(2) == 0).then(|| tape.below(60_000) as u64));
        assert_same(&plan);
        assert_same(&Plans::default().with(plan));
        let mut limits = Limits::NONE;
        for _ in 0..tape.below(4) {
            let requests: RateLimit = format!("{}/{}m", 1 + tape.below(999), 1 + tape.below(99))
                .parse()
                .unwrap();
            assert_same(&requests);
            let at_once = std::num::NonZeroU32::new(tape.below(5) as u32);
            let limit = OperationLimit { requests: Some(requests), at_once };
            limits = limits.with(tape.of(&Operation::ALL), limit);
        }
        assert_same(&limits);
        let scopes: Scopes = (0..tape.below(4)).map(|_| tape.of(&Scope::ALL)).collect();
        assert_same(&scopes);
    }
}

#[test]
fn auth_2_every_name_of_a_set_is_read_as_it_is_written() {
    Operation::ALL.iter().for_each(assert_same);
    Scope::ALL.iter().for_each(assert_same);
    Language::ALL.iter().for_each(assert_same);
    BaseModel::ALL.iter().for_each(assert_same);
    TrainingStatus::ALL.iter().for_each(assert_same);
    DataType::ALL.iter().for_each(assert_same);
    assert_same(&"Gold".parse::<PlanName>().unwrap());
    assert_same(&RunModel::default());
}

#[test]
fn wire_every_error_is_read_again() {
    let invalid = CreateModel::from_json(br#"{"name":"","language":"\"\\"}"#).unwrap_err();
    let exceeded = Refusal::QuotaExceeded { current_models: 5, plan_limit: 5, plan: "Gold".into() };
    let access = AccessRefusal::InsufficientScope { required: Scope::Write };
    let refusals = [
        invalid.into(),
        exceeded,
        Refusal::ModelNotFound,
        Refusal::ModelNotReady { missing_seconds: 7 },
        Refusal::Store(StoreErrorKind::Busy.into()),
    ];
    let bodies = refusals.iter().map(ErrorBody::from).chain([ErrorBody::from(&access)]);
    for body in bodies {
        let received: ReceivedError = serde_json::from_str(&body.to_json()).unwrap();
        assert_eq!(serde_json::to_value(&received).unwrap(), serde_json::to_value(&body).unwrap());
        assert_eq!(received.error_code.as_deref(), body.error_code);
        assert_same(&received);
    }
}

/// Stops if a value is read with these members in the place of its own.
fn assert_refused<T: Serialize + DeserializeOwned + Debug>(value: &T, members: Value) {
    let mut changed = serde_json::to_value(value).unwrap();
    assert!(serde_json::from_value::<T>(changed.clone()).is_ok());
    for (name, member) in members.as_object().unwrap() {
        changed[name] = member.clone();
    }
    let read = serde_json::from_value::<T>(changed);
    assert!(read.is_err(), "{members}: {read:?}");
}

#[test]
fn name_4_and_model_1_and_train_1_a_model_that_breaks_a_rule_is_not_read() {
    let with = |status| CustomModel { training: training(status), ..stored(1, "n") };
    let new = with(TrainingStatus::NotRunning);
    for members in [
        json!({"name": " "}),
        json!({"name": "x".repeat(201)}),
        json!({"name": null}),
        json!({"description": "x".repeat(1001)}),
        json!({"language": "EN"}),
        json!({"base_model": "other"}),
        json!({"id": 0, "model_key": "custom_model_0"}),
        json!({"id": 1u64 << 53, "model_key": format!("custom_model_{}", 1u64 << 53)}),
        json!({"model_key": "custom_model_2"}),
        json!({"created_at": "2025-01-15T10:00:01Z"}),
        json!({"created_at": "2025-01-15"}),
        json!({"training_status": 0}),
        json!({"training_status": 6}),
        json!({"training_status": 3}),
        json!({"training_status": 4}),
        json!({"training_status": 5}),
        json!({"training_progress": 1}),
        json!({"error": "e"}),
        json!({"failed_at": "2025-01-15T10:00:00Z"}),
        json!({"started_training_at": "2025-01-15T10:00:00Z"}),
        json!({"finished_training_at": "2025-01-15T10:00:00Z"}),
        json!({"training_metrics": {"a": 1}}),
    ] {
        assert_refused(&new, members);
    }
    let running = with(TrainingStatus::Running);
    assert_refused(&running, json!({"training_progress": 101}));
    assert_refused(&running, json!({"training_progress": null}));
    assert_refused(&running, json!({"started_training_at": null}));
    assert_refused(&running, json!({"finished_training_at": "2025-01-15T10:00:00Z"}));
    let success = with(TrainingStatus::Success);
    assert_refused(&success, json!({"training_progress": 99}));
    assert_refused(&success, json!({"finished_training_at": "2025-01-15T09:59:59Z"}));
    assert_refused(&success, json!({"training_metrics": {"A": 1}}));
    let failed = with(TrainingStatus::Failed);
    assert_refused(&failed, json!({"error": null}));
    assert_refused(&failed, json!({"failed_at": "2025-01-15T09:59:59Z"}));
    assert_refused(&failed, json!({"failed_at": null}));
}

#[test]
fn train_3_and_rate_1_and_quota_1_other_types_obey_their_rules() {
    let heartbeat = br#"{"fence":1,"training_progress":1}"#;
    let heartbeat = Heartbeat::from_json(heartbeat).unwrap();
    for seconds in [json!(0), json!(86_401), json!(-1), json!("1")] {
        assert_refused(&heartbeat, json!({"lease_seconds": seconds}));
    }
    assert_refused(&heartbeat, json!({"training_progress": 101}));
    let failed = TrainingFailed::from_json(br#"{"fence":1,"error":"e"}"#).unwrap();
    assert_refused(&failed, json!({"error": " "}));
    assert_refused(&OperationLimit::CREATE, json!({"requests": "0/1h"}));
    assert_refused(&OperationLimit::CREATE, json!({"at_once": 0}));
    assert_refused(&Limits::default(), json!({"fly": {"requests": null, "at_once": null}}));
    let twice = json!([{"name": "Gold", "model_limit": 1}, {"name": "Gold", "model_limit": 2}]);
    assert!(serde_json::from_value::<Plans>(twice).is_err());
    assert!(serde_json::from_value::<PlanName>(json!("")).is_err());
    assert!(serde_json::from_value::<DataId>(json!(0)).is_err());
    assert!(serde_json::from_value::<Scopes>(json!(["fly"])).is_err());
}
