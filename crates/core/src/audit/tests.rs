use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::{
    AccessChange, AccessStore, ArchiveStore, Caller, CreateModel, DataFile, Engine, Expected,
    KeyDigest, KeyId, KeyRecord, MemoryStore, NewPair, Plan, Registration, Scopes, Timestamp,
};

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

fn pair(data_type: DataType) -> NewPair {
    let file = || DataFile {
        filename: "a.wav".to_owned(),
        bytes: 1,
        sha256: crate::ContentDigest::from_bytes([7; 32]),
        content: "content".to_owned(),
    };
    NewPair { data_type, audio: file(), audio_millis: 18_000_000, transcript: file() }
}

/// What an engine leaves of a few models: 1 is trained, 2 runs, 3 is deleted, 4 had data.
fn records() -> Vec<Record> {
    let store = MemoryStore::new();
    let now = || UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let engine = Engine::new(store.clone(), now);
    let caller = Caller::new(acme(), Plan::enterprise());
    let any = Expected::Anything;
    let ids: Vec<ModelId> = (0..4)
        .map(|_| {
            let request = CreateModel::builder().name("a").language("nl").build().unwrap();
            engine.create(&caller, request).unwrap().id
        })
        .collect();
    for id in &ids[..2] {
        engine.add_data(&caller, *id, pair(DataType::Train), &any).unwrap();
        engine.add_data(&caller, *id, pair(DataType::Test), &any).unwrap();
        engine.run(&caller, *id, &any).unwrap();
    }
    engine.cancel(&caller, ids[0], &any).unwrap();
    engine.delete(&caller, ids[2]).unwrap();
    let with = engine.add_data(&caller, ids[3], pair(DataType::Train), &any);
    with.unwrap();
    let first = engine.data(&caller, ids[3]).unwrap()[0].id;
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
    records
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

/// Whatever record but a key or an answer is left out, something contradicts something.
#[test]
fn an_audit_misses_every_record() {
    let all = records();
    for left_out in 1..all.len() {
        let mut records = all.clone();
        let record = records.remove(left_out);
        let is_missed = !found(&records).is_empty();
        assert_eq!(is_missed, !matches!(record, Record::Key(_)), "{record:?}");
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
    assert_eq!(models, [Finding::ModelsMiscounted { organisation, counted: 9, found: 3 }]);
    let ids = changed(&|record| {
        if let Record::Start { last_id } = record {
            *last_id = 1;
        }
    });
    assert_eq!(ids, [2, 4].map(|number| Finding::IdBeyondTheLast(acme(), id(number))));
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
