use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;
use crate::access::{KeyDigest, KeyId, KeyRecord, Scopes};
use crate::engine::Engine;
use crate::memory::MemoryStore;
use crate::model::{
    DataFile, Edit, Expected, Fence, LeaseTime, NewPair, Progress, TrainingMetrics,
};
use crate::request::{CreateModel, ListData};
use crate::store::access::AccessStore;
use crate::store::access_change::{AccessChange, Registration};
use crate::store::archive::ArchiveStore;
use crate::tenant::{Caller, Plan};
use crate::time::Timestamp;

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

fn pair(data_type: DataType) -> NewPair {
    let file = || DataFile {
        filename: "a.wav".to_owned(),
        bytes: 1,
        sha256: crate::model::ContentDigest::from_bytes([7; 32]),
        content: "content".to_owned(),
    };
    NewPair { data_type, audio: file(), audio_millis: 18_000_000, transcript: file() }
}

/// Returns the records of an engine with six models, one second per step. The training of model 1 was
/// cancelled, model 2 is training at 40 percent, 3 is deleted, 4 had data, 5 is trained, 6 failed.
fn records() -> Vec<Record> {
    let store = MemoryStore::new();
    let seconds = AtomicU64::new(1_700_000_000);
    let now = move || UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(1, Ordering::SeqCst));
    let engine = Engine::new(Arc::new(store.clone()), now);
    let caller = Caller::new(acme(), Plan::enterprise());
    let any = Expected::Anything;
    let ids: Vec<ModelId> = (0..6)
        .map(|_| {
            let request = CreateModel::builder().name("a").language("nl").build().unwrap();
            engine.create(&caller, request).unwrap().id
        })
        .collect();
    for id in [0, 1, 4, 5].map(|index| &ids[index]) {
        engine.add_data(&caller, *id, pair(DataType::Train), &any).unwrap();
        engine.add_data(&caller, *id, pair(DataType::Test), &any).unwrap();
        engine.run(&caller, *id, &any).unwrap();
    }
    engine.cancel(&caller, ids[0], &any).unwrap();
    let (fence, time) = (Fence::new(1), LeaseTime::default());
    let progress = Progress::new(40).unwrap();
    for (id, end) in [
        (ids[1], None),
        (ids[4], Some(Edit::Succeed { fence, metrics: TrainingMetrics::default() })),
        (ids[5], Some(Edit::Fail { fence, error: "broke".to_owned() })),
    ] {
        let steps = [Edit::Claim { time }, Edit::Heartbeat { fence, progress, time }];
        for edit in steps.into_iter().chain(end) {
            engine.edit(&caller, id, edit, &any).unwrap();
        }
    }
    engine.delete(&caller, ids[2]).unwrap();
    let with = engine.add_data(&caller, ids[3], pair(DataType::Train), &any);
    with.unwrap();
    let first = engine.data(&caller, ids[3], &ListData::default()).unwrap().result[0].id;
    engine.remove_data(&caller, ids[3], first, &any).unwrap();
    let registration = Registration { organisation: acme(), plan: "Gold".parse().unwrap() };
    store.apply_access(AccessChange::Register(registration)).unwrap();
    let key = KeyRecord {
        id: KeyId::from_bytes([1; 6]),
        digest: KeyDigest::from_bytes([2; 32]),
        organisation: acme(),
        scopes: Scopes::default(),
        created_at: Timestamp::MIN,
        expires_at: None,
        revoked_at: None,
    };
    store.apply_access(AccessChange::AddKey(key)).unwrap();
    let mut records = Vec::new();
    let pushed = store.export(&mut |record| {
        records.push(record);
        Ok(())
    });
    pushed.unwrap();
    let answer = json!({"record": "answer", "organisation": "acme", "operation": "run", "target": 5, "key": "k",
        "kept": {"request": "00".repeat(32), "at": 0, "status": 200, "revision": 4, "body": "{}"}});
    records.push(serde_json::from_value(answer).unwrap());
    records
}

/// Returns all findings of an audit of the records, with one value of one record replaced.
fn found_with(kind: &str, which: usize, pointer: &str, value: Value) -> Vec<Finding> {
    found_with_all([(kind, which, pointer, value)])
}

fn found_with_all<const N: usize>(changes: [(&str, usize, &str, Value); N]) -> Vec<Finding> {
    let mut records = records();
    for (kind, which, pointer, value) in changes {
        let is_meant = |it: &&mut Record| serde_json::to_value(it).unwrap()["record"] == kind;
        let record = records.iter_mut().filter(is_meant).nth(which).unwrap();
        let mut changed = serde_json::to_value(&*record).unwrap();
        *changed.pointer_mut(pointer).unwrap() = value;
        *record = serde_json::from_value(changed).unwrap();
    }
    found(&records)
}

fn found(records: &[Record]) -> Vec<Finding> {
    let mut audit = Audit::default();
    records.iter().for_each(|record| audit.look(record));
    audit.findings()
}

#[test]
fn an_audit_finds_nothing_in_what_an_engine_wrote() {
    assert_eq!(found(&records()), []);
}

/// Leaving any record after the start out yields a finding, unless it is a key or an idempotency record.
#[test]
fn an_audit_misses_every_record() {
    let all = records();
    for left_out in 1..all.len() {
        let mut records = all.clone();
        let record = records.remove(left_out);
        let is_missed = !found(&records).is_empty();
        assert_eq!(is_missed, !matches!(record, Record::Key(_) | Record::Answer(_)), "{record:?}");
    }
    assert!(all.iter().any(|record| matches!(record, Record::Data { .. })));
}

#[test]
fn an_audit_says_what_it_found() {
    let all = records();
    let changed = |change: &dyn Fn(&mut Record)| {
        let mut records = all.clone();
        records.iter_mut().for_each(change);
        found(&records)
    };
    let id = |number| ModelId::new(number).unwrap();
    let models = changed(&|record| {
        if let Record::Organisation { models, .. } = record {
            *models = 9;
        }
    });
    let organisation = acme();
    assert_eq!(models, [Finding::ModelsMiscounted { organisation, counted: 9, found: 5 }]);
    let ids = changed(&|record| {
        if let Record::Start { last_id } = record {
            *last_id = 1;
        }
    });
    assert_eq!(ids, [2, 3, 4, 5, 6].map(|number| Finding::IdBeyondTheLast(acme(), id(number))));
    let sums = changed(&|record| {
        if let Record::Data { model, pair, .. } = record {
            pair.audio_millis += u64::from(*model == id(1));
        }
    });
    assert_eq!(sums, [Finding::DataMiscounted(acme(), id(1))]);
    let ends = changed(&|record| {
        if let Record::Organisation { last_event, .. } = record {
            *last_event += 1;
        }
    });
    assert!(matches!(ends[..], [Finding::HistoryWithAGap { .. }]), "{ends:?}");
    for finding in [models, ids, sums, ends].concat() {
        assert!(finding.to_string().starts_with("acme: "), "{finding}");
    }
}

fn time(second: u64) -> Value {
    let time = Timestamp::from(UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second));
    json!(time.to_string())
}

/// Changes each value of a model that its history or its data states too.
#[test]
fn an_audit_finds_a_model_that_is_not_as_its_history_says() {
    use Finding::{ChangesNotAsTold, DataMiscounted, StatusNotAsTold, TimesOutOfOrder};
    let of = |id: u64, findings: &[fn(Organisation, ModelId) -> Finding]| -> Vec<Finding> {
        findings.iter().map(|it| it(acme(), ModelId::new(id).unwrap())).collect()
    };
    let state = "/course/state";
    for (which, pointer, value, right) in [
        (0, "/created_at", time(99), of(1, &[TimesOutOfOrder, ChangesNotAsTold])),
        (0, "/created_at", time(1), of(1, &[ChangesNotAsTold])),
        (0, "/updated_at", time(99), of(1, &[ChangesNotAsTold])),
        (0, "/revision", json!(9), of(1, &[ChangesNotAsTold])),
        (0, "/revision", json!(4), of(1, &[ChangesNotAsTold])),
        (0, "/course/data/last_id", json!(9), of(1, &[DataMiscounted])),
        (0, "/course/data/test_millis", json!(9), of(1, &[DataMiscounted])),
        (1, &format!("{state}/running/run/started_at"), time(2), of(2, &[StatusNotAsTold])),
        (
            1,
            &format!("{state}/running/run/started_at"),
            time(99),
            of(2, &[TimesOutOfOrder, StatusNotAsTold]),
        ),
        (1, &format!("{state}/running/run/progress"), json!(41), of(2, &[StatusNotAsTold])),
        (3, &format!("{state}/success/started_at"), time(2), of(5, &[StatusNotAsTold])),
        (
            3,
            &format!("{state}/success/finished_at"),
            time(99),
            of(5, &[TimesOutOfOrder, StatusNotAsTold]),
        ),
        (
            4,
            &format!("{state}/failed/failed_at"),
            time(99),
            of(6, &[TimesOutOfOrder, StatusNotAsTold]),
        ),
        (4, &format!("{state}/failed/progress"), json!(41), of(6, &[StatusNotAsTold])),
    ] {
        assert_eq!(found_with("model", which, pointer, value.clone()), right, "{pointer} {value}");
    }
    // A claim resets the progress to zero without an event.
    let again = found_with("model", 1, "/course/state/running/run/progress", json!(0));
    assert_eq!(again, []);
}

#[test]
fn an_audit_finds_a_status_that_history_or_data_contradict() {
    let id = ModelId::new(1).unwrap();
    let not_of_data = Finding::StatusNotOfData(acme(), id);
    let not_as_told = Finding::StatusNotAsTold(acme(), id);
    let success =
        json!({"success": {"started_at": time(1), "finished_at": time(2), "metrics": {}}});
    let failed = json!({"failed": {"started_at": time(1), "failed_at": time(2), "progress": 0, "error": ""}});
    let run = json!({"started_at": time(1), "progress": 0, "attempts": 0, "lease": null});
    for (status, state, right) in [
        (1, json!({"not_running": {}}), vec![not_of_data, not_as_told.clone()]),
        (3, json!({"running": {"run": run}}), vec![not_as_told.clone()]),
        (4, success, vec![not_as_told.clone()]),
        (5, failed, vec![not_as_told]),
    ] {
        let mut records = records();
        for record in &mut records {
            let mut changed = serde_json::to_value(&*record).unwrap();
            if changed["record"] == "model" && changed["id"] == 1 {
                changed["training_status"] = json!(status);
                changed["course"]["state"] = state.clone();
                *record = serde_json::from_value(changed).unwrap();
            }
        }
        assert_eq!(found(&records), right, "{status}");
    }
}

#[test]
fn an_audit_finds_what_no_other_record_knows() {
    let (id, zebra) = (|number| ModelId::new(number).unwrap(), || "zebra".parse().unwrap());
    let uncounted = Finding::NotCounted(zebra());
    // A record moved to another organisation is missing in the first, and has no counters in the second.
    for (kind, which) in [("model", 0), ("data", 0), ("event", 0), ("answer", 0)] {
        let found = found_with(kind, which, "/organisation", json!("zebra"));
        assert!(found.contains(&uncounted), "{kind}: {found:?}");
    }
    assert_eq!(found_with("answer", 0, "/kept/revision", json!(5)), []);
    let ahead = found_with("answer", 0, "/kept/revision", json!(6));
    assert_eq!(ahead, [Finding::AnswerAhead(acme(), id(5))]);
    let unknown = found_with("answer", 0, "/target", json!(7));
    assert_eq!(unknown, [Finding::IdBeyondTheLast(acme(), id(7))]);
    let purged = [("start", 0, "/last_id", json!(7)), ("answer", 0, "/target", json!(7))];
    assert_eq!(found_with_all(purged), [], "of the last model, whose history was purged");
    let late = found_with("data", 0, "/pair/created_at", time(99));
    assert_eq!(late, [Finding::TimesOutOfOrder(acme(), id(1))]);
    let nobody = found_with("key", 0, "/organisation", json!("zebra"));
    assert_eq!(nobody, [Finding::KeyOfNobody(zebra())]);
    let first = found_with("organisation", 0, "/first_event", json!(0));
    let (organisation, expected, found) = (acme(), 0, 1);
    assert_eq!(first, [Finding::HistoryWithAGap { organisation, expected, found }]);
}

#[test]
fn an_audit_finds_records_that_come_twice_and_ids_that_are_anothers() {
    let twice = |kind: &str, change: &dyn Fn(&mut Value)| {
        let mut records = records();
        let is_meant = |record: &&Record| serde_json::to_value(record).unwrap()["record"] == kind;
        let index = records.iter().position(|record| is_meant(&record)).unwrap();
        let mut copy = serde_json::to_value(&records[index]).unwrap();
        change(&mut copy);
        records.insert(index + 1, serde_json::from_value(copy).unwrap());
        found(&records)
    };
    let id = ModelId::new(1).unwrap();
    assert_eq!(twice("registration", &|_| ()), [Finding::Repeated(acme(), None)]);
    assert!(twice("organisation", &|_| ()).contains(&Finding::Repeated(acme(), None)));
    assert!(twice("model", &|_| ()).contains(&Finding::Repeated(acme(), Some(id))));
    let key = KeyId::from_bytes([1; 6]);
    let alike = [Finding::KeyLikeAnother(acme(), key)];
    assert_eq!(twice("key", &|copy| copy["digest"] = json!("00".repeat(32))), alike);
    let other = KeyId::from_bytes([3; 6]);
    let alike = [Finding::KeyLikeAnother(acme(), other)];
    assert_eq!(twice("key", &|copy| copy["id"] = json!(other.to_string())), alike);
    let found = twice("model", &|copy| copy["organisation"] = json!("zebra"));
    assert!(found.contains(&Finding::IdOfTwo(acme(), id)), "{found:?}");
}

#[test]
fn an_audit_finds_a_plan_that_the_host_does_not_know() {
    let (mut records, organisation) = (records(), "zebra".parse().unwrap());
    let plan: PlanName = "Silver".parse().unwrap();
    records.insert(1, Record::Registration { organisation, plan: plan.clone() });
    assert_eq!(found(&records), [], "nobody said which plans there are");
    let mut audit = Audit::default().with_plans(Plans::default());
    records.iter().for_each(|record| audit.look(record));
    let unknown = Finding::UnknownPlan("zebra".parse().unwrap(), plan);
    assert_eq!(audit.findings(), std::slice::from_ref(&unknown));
    assert!(unknown.to_string().contains("'Silver'") && unknown.to_string().contains("--config"));
}

/// The first event that cannot follow is reported; events after it are not.
#[test]
fn an_audit_finds_events_that_cannot_follow_those_before_them() {
    let all = records();
    let events = all.iter().filter(|record| matches!(record, Record::Event(_))).count();
    let mut kinds = std::collections::BTreeSet::new();
    for which in 0..events {
        for (of, other) in [
            (1, json!({"type": "created"})),
            (1, json!({"type": "training_started"})),
            (2, json!({"type": "data_added", "data_id": 9})),
            (2, json!({"type": "data_removed", "data_id": 9})),
            (3, json!({"type": "updated"})),
            (4, json!({"type": "training_succeeded"})),
            (5, json!({"type": "deleted"})),
        ] {
            let mut records = all.clone();
            let mut events = records.iter_mut().filter(|it| matches!(it, Record::Event(_)));
            let event = events.nth(which).unwrap();
            let mut changed = serde_json::to_value(&*event).unwrap();
            if changed["model"] != of || changed["event"] == other {
                continue;
            }
            changed["event"] = other;
            *event = serde_json::from_value(changed.clone()).unwrap();
            let found = found(&records);
            assert_ne!(found, [], "{changed}");
            kinds.extend(found.into_iter().map(|finding| match finding {
                Finding::EventOutOfPlace { .. } => "out of place",
                Finding::NotAsTold(..) => "not there",
                Finding::CreationMissing(..) => "not created",
                _ => "another",
            }));
        }
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

/// Events after one out of place are not compared with the model.
#[test]
fn an_audit_finds_an_event_out_of_place_once() {
    let model = ModelId::new(1).unwrap();
    let out_of_place =
        |position| Finding::EventOutOfPlace { organisation: acme(), position, model };
    let too_early = found_with("event", 6, "/event", json!({"type": "training_started"}));
    assert_eq!(too_early, [out_of_place(7)]);
    let counters = json!({"record": "organisation", "organisation": "acme", "models": 0, "last_event": 3, "first_event": 1});
    let mut late = vec![json!({"record": "start", "last_id": 1}), counters];
    late.extend([(1, "updated"), (2, "created"), (3, "deleted")].map(|(position, event)| {
        json!({"record": "event", "organisation": "acme", "position": position, "model": 1, "created_at": time(1),
            "actor": "host", "event": {"type": event}})
    }));
    let late: Vec<_> = late.into_iter().map(|it| serde_json::from_value(it).unwrap()).collect();
    assert_eq!(found(&late), [out_of_place(2)]);
}

/// A missing event is found even if the beginning of the history was purged.
#[test]
fn an_audit_finds_what_contradicts_the_rest_of_a_history() {
    let all = records();
    let mut purged = all.clone();
    let mut left = 0;
    purged.retain(|record| {
        !matches!(record, Record::Event(_)) || {
            left += 1;
            left > 12
        }
    });
    for record in &mut purged {
        if let Record::Organisation { first_event, .. } = record {
            *first_event = 13;
        }
    }
    assert_eq!(found(&purged), []);
    let end = purged.len() - 3;
    for gone in all.len() - left..end {
        let mut records = purged.clone();
        if matches!(records.remove(gone), Record::Event(_)) {
            assert_ne!(found(&records), [], "record {gone}");
        }
    }
}
