//! The training state of a model never contradicts itself, after any sequence of operations.

use custom_models_core::engine::Retention;
use custom_models_core::model::{DataType, Edit, TrainingEvent, TrainingState, TrainingStatus};
use custom_models_core::store::{ModelLine, Record};
use custom_models_core::{CustomModel, Engine, Refusal};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Clock, config, pair, stored, tape, training};
use crate::training::{
    ANYTHING, Claims, HOURS_5, beat, claimed, fail, lease, ready, succeed, worker,
};

proptest! {
    #![proptest_config(config())]

    /// The fields of a model never contradict each other after any sequence of operations, and its training
    /// state survives being stored.
    #[test]
    fn train_1_and_read_4_no_course_contradicts_itself(mut tape in tape()) {
        let (engine, clock, acme, model) = ready();
        let mut claims = Claims::new();
        let mut last = engine.get(&acme, model.id).unwrap();
        for _ in 0..tape.below(40) {
            clock.go((tape.below(80) as i64) * 1000);
            let recent = tape.below(2);
            let of = claims.iter().rev().nth(recent).cloned();
            match (tape.below(9), of) {
                (0, _) => drop(engine.run(&acme, model.id, &ANYTHING)),
                (1, _) => drop(engine.cancel(&acme, model.id, &ANYTHING)),
                (2, _) => drop(engine.add_data(
                    &acme,
                    model.id,
                    pair(DataType::Train, 1 + tape.below(3) as u64 * HOURS_5),
                    &ANYTHING,
                )),
                (3, _) => {
                    if let Some(pair) = engine.pairs(&acme, model.id).next() {
                        let _ = engine.remove_data(&acme, model.id, pair.unwrap().id, &ANYTHING);
                    }
                }
                (4, _) => claims.extend(engine.claim(&worker("w"), None, lease(60)).unwrap()),
                (5, _) => drop(engine.sweep(&Retention::default()).unwrap()),
                (6, Some(of)) => drop(beat(&engine, &of, tape.below(101) as u8)),
                (7, Some(of)) => drop(succeed(&engine, &of)),
                (8, Some(of)) => drop(fail(&engine, &of)),
                _ => {}
            }
            let now = engine.get(&acme, model.id).unwrap();
            is_consistent(&now, &clock)?;
            prop_assert!(now.version >= last.version && now.updated_at >= last.updated_at);
            prop_assert_eq!(now == last, now.version == last.version);
            let record = now.training.to_record().unwrap();
            let again = TrainingState::from_record(now.training_status(), record.as_deref());
            prop_assert_eq!(&again.unwrap(), &now.training);
            for other in TrainingStatus::ALL {
                let is_its_own = other == now.training_status();
                prop_assert_eq!(TrainingState::from_record(other, record.as_deref()).is_ok(), is_its_own);
            }
            last = now;
        }
        // The totals are those of the pairs.
        let data: Vec<_> = engine.pairs(&acme, model.id).map(Result::unwrap).collect();
        let millis: u64 = data.iter().map(|pair| pair.audio_millis).sum();
        prop_assert_eq!(last.training.data().train_millis, millis);
        prop_assert_eq!(last.training.data().train_pairs as usize, data.len());
    }
}

/// Checks the fields that each state shows, by READ-4 and section 10.
fn is_consistent(model: &CustomModel, clock: &Clock) -> Result<(), TestCaseError> {
    let shown: Value = serde_json::to_value(model).unwrap();
    let has = |field: &str| shown.get(field).is_some();
    let status = model.training_status();
    let (is_running, is_done) =
        (status == TrainingStatus::Running, status == TrainingStatus::Success);
    let has_failed = status == TrainingStatus::Failed;
    prop_assert_eq!(has("training_progress"), is_running || is_done || has_failed);
    prop_assert!(!is_done || shown["training_progress"] == 100);
    prop_assert_eq!(has("failed_at"), has_failed);
    prop_assert_eq!(has("error"), has_failed);
    prop_assert!(!is_running || has("started_training_at") && !has("finished_training_at"));
    prop_assert!(!is_done || has("finished_training_at"));
    prop_assert!(!has("training_metrics") || has("finished_training_at"));
    for end in ["finished_training_at", "failed_at"] {
        if has(end) {
            prop_assert!(shown["started_training_at"].as_str() <= shown[end].as_str());
        }
    }
    prop_assert_eq!(model.training.claimable_at().is_some(), is_running);
    let is_ready = model.training.data().is_enough();
    prop_assert!(!is_ready || status != TrainingStatus::NotRunning);
    prop_assert!(is_ready || status != TrainingStatus::ReadyToRun);
    if let Some(run) = model.training.run() {
        prop_assert!(run.attempts <= 3);
        prop_assert!(run.lease.is_none() == (run.attempts == 0));
        prop_assert!(
            model.training.claimable_at() == run.lease.as_ref().map(|it| it.expires_at)
                || run.lease.is_none() && run.is_claimable_at(clock.now())
        );
    }
    Ok(())
}

#[test]
fn train_1_a_record_that_contradicts_itself_is_none() {
    let record = training(TrainingStatus::Success).to_record().unwrap().unwrap();
    let read = |record: &str| TrainingState::from_record(TrainingStatus::Success, Some(record));
    assert!(read(&record).is_ok());
    for (from, to) in [
        ("2025-01-15T22", "2024-01-15T22"),
        ("\"last_fence\":0", "\"last_fence\":-1"),
        ("\"last_fence\":0", "\"other\":0"),
        ("\"success\"", "\"none\""),
        ("\"metrics\":{}", "\"metrics\":{\"word_error_rate\":null,\"x\":1}"),
    ] {
        let spoiled = record.replace(from, to);
        assert_ne!(spoiled, record, "{from}");
        assert!(read(&spoiled).is_err(), "{spoiled}");
    }
    for spoiled in ["", "{", "{}", "null"] {
        assert!(read(spoiled).is_err());
    }
}

#[test]
fn read_4_the_message_of_a_running_training_tells_that_test_data_is_missing() {
    let (engine, _clock, acme, model) = ready();
    let message = |engine: &Engine| {
        engine.run(&acme, model.id, &ANYTHING).unwrap();
        let message = engine.get(&acme, model.id).unwrap().status_message();
        engine.cancel(&acme, model.id, &ANYTHING).unwrap();
        message
    };
    assert_eq!(message(&engine), "Training is running. The model has no test data.");
    engine.add_data(&acme, model.id, pair(DataType::Test, 1), &ANYTHING).unwrap();
    assert_eq!(message(&engine), "Training is running.");
}

#[test]
fn train_1_a_record_of_a_run_that_contradicts_itself_is_none() {
    let (engine, _clock, acme, of) = claimed();
    let state = engine.get(&acme, of.model.id).unwrap().training;
    let record = state.to_record().unwrap().unwrap();
    let read = |record: &str| TrainingState::from_record(TrainingStatus::Running, Some(record));
    assert_eq!(read(&record).unwrap(), state);
    let mut fields: Value = serde_json::from_str(&record).unwrap();
    for (name, wrong) in [("attempts", 4.into()), ("attempts", 0.into()), ("lease", Value::Null)] {
        let mut spoiled = fields.clone();
        *member(&mut spoiled, name).unwrap() = wrong;
        assert!(read(&spoiled.to_string()).is_err(), "{spoiled}");
    }
    *member(&mut fields, "last_fence").unwrap() = 0.into();
    assert!(read(&fields.to_string()).is_err(), "{fields}");
}

/// Finds a member by its name, at any depth.
fn member<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let Value::Object(members) = value else { return None };
    if members.contains_key(name) {
        return members.get_mut(name);
    }
    members.values_mut().find_map(|value| member(value, name))
}

/// Claims by id, as a worker may that lost a race: what is listed as claimable never has a live lease.
#[test]
fn train_3_a_live_lease_keeps_others_out_and_the_training_from_expiring() {
    let (engine, clock, acme, mut of) = claimed();
    for attempt in 1..=3 {
        let model = engine.get(&acme, of.model.id).unwrap();
        for edit in [Edit::Claim { time: lease(60) }, Edit::Expire] {
            let refused = engine.edit(&acme, model.id, edit, &ANYTHING);
            assert_eq!(refused.unwrap_err(), Refusal::LeaseLost, "attempt {attempt}");
        }
        clock.go(60_000);
        if attempt < 3 {
            of = engine.claim(&worker("w"), None, lease(60)).unwrap().unwrap();
        }
    }
    let refused = engine.edit(&acme, of.model.id, Edit::Claim { time: lease(60) }, &ANYTHING);
    assert_eq!(refused.unwrap_err(), Refusal::LeaseLost, "a fourth attempt");
    engine.edit(&acme, of.model.id, Edit::Expire, &ANYTHING).unwrap();
}

/// The pages show the transitions that change a state, and no others.
#[test]
fn train_1_the_diagram_in_the_pages_is_the_table() {
    let page = include_str!("../../../../ARCHITECTURE.md");
    let event_name = |event: TrainingEvent| match event {
        TrainingEvent::DataAdded { is_enough: true } => "enough data added",
        TrainingEvent::DataAdded { is_enough: false } => "too little data added",
        TrainingEvent::DataRemoved { is_enough: true } => "enough data left",
        TrainingEvent::DataRemoved { is_enough: false } => "too little data left",
        TrainingEvent::Start => "start",
        TrainingEvent::Succeed => "succeed",
        TrainingEvent::Fail => "fail",
        TrainingEvent::Cancel => "cancel",
    };
    let transition = |line: &str| {
        let (from, rest) = line.trim().split_once(" --> ")?;
        let (after, event) = rest.split_once(": ")?;
        Some([from, event, after].map(str::to_owned))
    };
    let mut shown: Vec<[String; 3]> = page.lines().filter_map(transition).collect();
    let mut decided = Vec::new();
    for status in TrainingStatus::ALL {
        for event in TrainingEvent::ALL {
            match status.after(event) {
                Ok(after) if after != status => {
                    let (from, after) = (format!("{status:?}"), format!("{after:?}"));
                    decided.push([from, event_name(event).to_owned(), after]);
                }
                _ => {}
            }
        }
    }
    shown.sort_unstable();
    decided.sort_unstable();
    assert_eq!(shown, decided);
}

#[test]
fn train_1_a_line_of_an_export_contradicts_itself_in_nothing() {
    let model = CustomModel { training: training(TrainingStatus::Running), ..stored(1, "n") };
    let line = Record::Model(ModelLine { organisation: "acme".parse().unwrap(), model });
    let line = serde_json::to_value(&line).unwrap();
    assert!(serde_json::from_value::<Record>(line.clone()).is_ok());
    for (pointer, value) in [("/training_status", 2), ("/course/state/running/run/attempts", 1)] {
        let mut line = line.clone();
        *line.pointer_mut(pointer).unwrap() = value.into();
        let error = serde_json::from_value::<Record>(line).unwrap_err().to_string();
        assert!(error.contains("a training state of another status"), "{error}");
    }
}
