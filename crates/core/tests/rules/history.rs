//! LOG-1, IDEM-1 and DRY-1 in the engine.

use std::thread;
use std::time::Duration;

use custom_models_core::access::Operation;
use custom_models_core::engine::{Edited, Idempotent, Retention};
use custom_models_core::model::{ContentDigest, DataType, Edit, Event, Expected};
use custom_models_core::request::ListData;
use custom_models_core::store::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, IdempotentRequest, NewIdempotencyRecord,
};
use custom_models_core::tenant::Actor;
use custom_models_core::{
    Caller, CustomModel, Engine, MemoryStore, ModelId, Plan, Refusal, UpdateModel,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Clock, block_on, caller, config, engine, pair, request, tape};

const ANYTHING: Expected = Expected::Anything;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn idempotency(key: &str, body: &[u8]) -> IdempotentRequest {
    IdempotentRequest { key: key.parse().unwrap(), request: NewIdempotencyRecord::digest(body) }
}

fn create_once(
    engine: &Engine,
    caller: &Caller,
    name: &str,
    key: &str,
) -> Result<Idempotent<CustomModel>, Refusal> {
    let idempotency = idempotency(key, name.as_bytes());
    block_on(engine.create_once_async(caller, request(name), idempotency))
}

/// Returns the record of a request under the key `k`, if any.
fn replay(
    engine: &Engine,
    caller: &Caller,
    (operation, target): (Operation, Option<ModelId>),
    body: &[u8],
) -> Result<Option<IdempotencyRecord>, Refusal> {
    let key = IdempotencyScope { operation, target, key: "k".parse().unwrap() };
    let kept = engine.kept_answer(caller, &key)?;
    kept.map(|kept| kept.for_request(NewIdempotencyRecord::digest(body))).transpose()
}

/// A first request: its caller and its key; its time, its content, and its response.
type First = ((usize, usize), (i64, usize, String));

proptest! {
    #![proptest_config(config())]

    #[test]
    fn log_1_every_change_and_nothing_else_is_an_event_in_its_order(mut tape in tape()) {
        let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
        let mut expected: Vec<(u64, &str)> = Vec::new();
        let mut last = None;
        for _ in 0..tape.below(24) {
            let id = last.unwrap_or_else(|| crate::support::id(1 + tape.below(6) as u64));
            let done = match tape.below(6) {
                0 | 1 => engine.create(&acme, request("n")).map(|it| (it.id, "created")),
                2 => {
                    let update = UpdateModel::builder().name("m").build().unwrap();
                    engine.update(&acme, id, update, &ANYTHING).map(|it| (it.id, "updated"))
                }
                3 => engine.delete(&acme, id).map(|()| (id, "deleted")),
                4 => engine
                    .add_data(&acme, id, pair(DataType::Train, 20_000), &ANYTHING)
                    .map(|it| (it.id, "data_added")),
                _ => engine.run(&acme, id, &ANYTHING).map(|it| (it.id, "training_started")),
            };
            if let Ok((id, what)) = done {
                expected.push((id.get(), what));
            }
            last = (tape.below(2) == 0).then_some(id);
        }
        let mut read: Vec<Event> = Vec::new();
        loop {
            let after = read.last().map_or(0, |event| event.position);
            let part = engine.events(&acme, after, 1 + tape.below(4) as u32).unwrap();
            prop_assert_eq!(part.last_position, expected.len() as u64);
            if part.result.is_empty() {
                break;
            }
            read.extend(part.result);
        }
        let positions: Vec<u64> = read.iter().map(|event| event.position).collect();
        prop_assert_eq!(positions, (1..=expected.len() as u64).collect::<Vec<_>>());
        for (event, (id, what)) in read.iter().zip(expected) {
            let shown: Value = serde_json::to_value(event).unwrap();
            prop_assert_eq!((&shown["model_id"], &shown["type"]), (&id.into(), &what.into()));
        }
        let other = caller("other", Plan::gold());
        prop_assert_eq!(engine.events(&other, 0, 9).unwrap().last_position, 0);
    }

    #[test]
    fn idem_1_whatever_is_sent_again_is_done_once(mut tape in tape()) {
        let clock = Clock::new();
        let engine = clock.engine(MemoryStore::new());
        let callers = ["acme", "other"].map(|name| caller(name, Plan::new("Three", Some(3))));
        let mut first: Vec<First> = Vec::new();
        for _ in 0..tape.below(16) {
            clock.go(DAY / 4 * tape.below(6) as i64);
            let now = clock.now().unix_millis();
            let (who, key, name) = (tape.below(2), tape.below(3), tape.below(2));
            let known = first.iter().position(|(of, _)| *of == (who, key));
            let live = known.filter(|place| now < first[*place].1.0 + DAY);
            let before = engine.events(&callers[who], 0, 1).unwrap().last_position;
            let answer = create_once(&engine, &callers[who], &name.to_string(), &key.to_string());
            let made = engine.events(&callers[who], 0, 1).unwrap().last_position - before;
            match (answer, live) {
                (Ok(Idempotent::Executed(model)), None) => {
                    let body = serde_json::to_string(&model).unwrap();
                    prop_assert_eq!(made, 1);
                    first.retain(|(of, _)| *of != (who, key));
                    first.push(((who, key), (now, name, body)));
                }
                (Ok(Idempotent::Replayed(kept)), Some(place)) => {
                    let (_, asked, body) = &first[place].1;
                    prop_assert_eq!((made, &kept.body, kept.status), (0, body, 201));
                    prop_assert_eq!(*asked, name);
                }
                (Err(Refusal::IdempotencyKeyReused), Some(place)) => {
                    prop_assert_eq!(made, 0);
                    prop_assert_ne!(first[place].1.1, name);
                }
                // Refusals have no records.
                (Err(Refusal::QuotaExceeded { .. }), None) => prop_assert_eq!(made, 0),
                (answer, live) => prop_assert!(false, "{:?} {:?}", answer, live),
            }
        }
    }
}

#[test]
fn log_1_an_event_says_who_and_what() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let clerk = acme.clone().acting_as(Actor::new("clerk@acme").unwrap());
    let model = engine.create(&clerk, request("n")).unwrap();
    engine.add_data(&acme, model.id, pair(DataType::Test, 1), &ANYTHING).unwrap();
    assert_eq!(
        serde_json::to_string(&engine.events(&acme, 0, 25).unwrap()).unwrap(),
        r#"{"count":2,"last_position":2,"result":[{"position":1,"created_at":"2025-01-15T10:00:00Z","model_id":1,"actor":"clerk@acme","type":"created"},{"position":2,"created_at":"2025-01-15T10:00:00Z","model_id":1,"actor":"host","type":"data_added","data_id":1}]}"#
    );
    for name in ["", " ", "é", "a\n", &"x".repeat(129)] {
        assert!(name.parse::<Actor>().is_err(), "{name:?}");
    }
}

#[test]
fn log_1_and_wire_410_a_reader_that_fell_behind_is_told_so() {
    let clock = Clock::new();
    let (engine, acme) = (clock.engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    for _ in 0..3 {
        engine.create(&acme, request("n")).unwrap();
        clock.go(1000);
    }
    let keep = |seconds| Retention { events: Some(Duration::from_secs(seconds)) };
    assert_eq!(engine.sweep(&Retention::default()).unwrap().purged.events, 0, "kept for ever");
    assert_eq!(engine.sweep(&keep(2)).unwrap().purged.events, 1);
    let refusal = engine.events(&acme, 0, 9).unwrap_err();
    assert_eq!(refusal.status(), 410);
    assert_eq!(
        refusal.to_json(),
        r#"{"error":"Gone","message":"Events behind this position are not kept any more","error_code":"EVENTS_EXPIRED","details":{"first_position":2}}"#
    );
    assert_eq!(engine.events(&acme, 1, 9).unwrap().count, 2);
    assert_eq!(engine.sweep(&keep(0)).unwrap().purged.events, 2);
    assert!(engine.events(&acme, 2, 9).is_err());
    assert_eq!(engine.events(&acme, 3, 9).unwrap().count, 0);
    engine.create(&acme, request("n")).unwrap();
    let part = engine.events(&acme, 3, 9).unwrap();
    assert_eq!((part.count, part.result[0].position), (1, 4));
}

#[test]
fn log_1_positions_are_dense_whoever_writes() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(engine.create(&acme, request("n")).unwrap())));
        }
    });
    let events = engine.events(&acme, 0, 1000).unwrap().result;
    assert!(events.iter().map(|event| event.position).eq(1..=200));
}

#[test]
fn idem_1_two_at_the_same_time_are_one() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let answers: Vec<_> = thread::scope(|scope| {
        let ask = || create_once(&engine, &acme, "n", "k").unwrap();
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let now = answers.iter().filter(|answer| matches!(answer, Idempotent::Executed(_))).count();
    assert_eq!(now, 1);
    assert_eq!(engine.list(&acme, &Default::default()).unwrap().total_results, 1);
}

#[test]
fn idem_1_an_answer_is_kept_for_24_hours_and_swept_after() {
    let clock = Clock::new();
    let (engine, acme) = (clock.engine(MemoryStore::new()), caller("acme", Plan::gold()));
    create_once(&engine, &acme, "n", "k").unwrap();
    let replay = |name: &str| replay(&engine, &acme, (Operation::Create, None), name.as_bytes());
    clock.go(DAY - 1);
    assert!(replay("n").unwrap().is_some());
    assert!(matches!(replay("m").unwrap_err(), Refusal::IdempotencyKeyReused));
    assert_eq!(engine.sweep(&Retention::default()).unwrap().purged.answers, 0);
    clock.go(1);
    assert_eq!(replay("n").unwrap(), None);
    assert_eq!(engine.sweep(&Retention::default()).unwrap().purged.answers, 1);
    assert!(matches!(create_once(&engine, &acme, "m", "k").unwrap(), Idempotent::Executed(_)));
}

#[test]
fn idem_1_uploads_and_runs_are_done_once_too() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let edit = |edit: &Edit, key: &str| {
        let once = idempotency(key, b"{}");
        block_on(engine.edit_once_async(&acme, model.id, edit.clone(), &ANYTHING, once))
    };
    let upload = Edit::AddData(pair(DataType::Train, 18_000));
    assert!(matches!(edit(&upload, "k").unwrap(), Idempotent::Executed(Edited::Changed { .. })));
    let Idempotent::Replayed(kept) = edit(&upload, "k").unwrap() else { panic!("done again") };
    assert_eq!(
        kept.body,
        r#"{"message":"Training data uploaded","data_type":"train","filename":"a.wav","transcript_filename":"a.txt","training_status":2}"#
    );
    assert_eq!(engine.data(&acme, model.id, &ListData::default()).unwrap().result.len(), 1);
    // The same key with another operation is another request.
    let Idempotent::Executed(Edited::Changed { model: running, .. }) =
        edit(&Edit::Run, "k").unwrap()
    else {
        panic!("not done")
    };
    let kept = replay(&engine, &acme, (Operation::Run, Some(model.id)), b"{}").unwrap().unwrap();
    assert_eq!(kept.body, serde_json::to_string(&running).unwrap());
    assert_eq!((kept.status, kept.revision), (200, running.revision()));
}

#[test]
fn idem_1_a_key_is_up_to_255_visible_characters() {
    for key in ["k", "!~", &"k".repeat(255)] {
        assert_eq!(key.parse::<IdempotencyKey>().unwrap().as_str(), key);
    }
    for key in ["", " ", "a b", "é", "\u{7f}", &"k".repeat(256)] {
        assert!(key.parse::<IdempotencyKey>().is_err(), "{key:?}");
    }
    let digest = NewIdempotencyRecord::digest(b"abc");
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest.to_string(), text);
    assert_eq!(serde_json::from_str::<ContentDigest>(&format!("\"{text}\"")).unwrap(), digest);
    for spoiled in [&text[1..], &text.to_uppercase(), &text.replace('b', "+")] {
        assert!(serde_json::from_str::<ContentDigest>(&format!("\"{spoiled}\"")).is_err());
    }
}

#[test]
fn dry_1_a_create_is_judged_and_not_made() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let judged = |plan: Plan| {
        let caller = caller("acme", plan);
        engine.validate(&caller, &request("n")).map(|it| serde_json::to_string(&it).unwrap())
    };
    for current in 0..5 {
        assert_eq!(
            judged(Plan::gold()).unwrap(),
            format!(r#"{{"valid":true,"current_models":{current},"plan_limit":5}}"#)
        );
        assert_eq!(engine.list(&acme, &Default::default()).unwrap().total_results, current);
        engine.create(&acme, request("n")).unwrap();
    }
    assert_eq!(judged(Plan::gold()).unwrap_err().status(), 402);
    assert_eq!(
        judged(Plan::enterprise()).unwrap(),
        r#"{"valid":true,"current_models":5,"plan_limit":null}"#
    );
}
