//! A partial group in a store that another process opens.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use custom_models_core::access::Operation;
use custom_models_core::model::{
    ContentDigest, DataFile, DataPair, DataType, Event, LeaseTime, NewPair,
};
use custom_models_core::store::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, ModelStore, NewIdempotencyRecord,
};
use custom_models_core::{Caller, CustomModel, Engine, Plan};

use super::*;

/// The kinds of rows that a write changes.
const KINDS: [&[u8]; 10] = [b"c", b"d", b"e", b"g", b"i", b"m", b"q", b"r", b"t", b"x"];

/// A partial group: the number of the last batch, and the kind of rows that it lacks.
const HALVES: [(usize, &[u8]); 13] = [
    (0, b"j"),
    (1, KINDS[0]),
    (1, KINDS[1]),
    (1, KINDS[2]),
    (1, KINDS[3]),
    (1, KINDS[4]),
    (1, KINDS[5]),
    (1, KINDS[6]),
    (1, KINDS[7]),
    (1, KINDS[8]),
    (1, KINDS[9]),
    (1, b""),
    (2, b"j"),
];

fn id(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

fn now() -> UnixMillis {
    UnixMillis::from(UNIX_EPOCH + Duration::from_secs(1_000_000))
}

fn pair() -> NewPair {
    let file = || DataFile {
        filename: "a.wav".to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "a".to_owned(),
    };
    NewPair {
        data_type: DataType::Train,
        audio: file(),
        audio_millis: 5 * 60 * 60 * 1000,
        transcript: file(),
    }
}

/// Gives a store model 1, whose training is claimed, and model 2, which is ready to be trained.
fn live(store: &Arc<SledStore>) {
    let engine = Engine::new(store.clone(), || UNIX_EPOCH + Duration::from_secs(1_000_000));
    let caller = Caller::new(acme(), Plan::enterprise());
    for number in [1, 2] {
        store.apply(creation(None)).unwrap();
        engine.add_data(&caller, id(number), pair(), &Expected::Anything).unwrap();
    }
    engine.run(&caller, id(1), &Expected::Anything).unwrap();
    engine.claim(&Actor::HOST, None, LeaseTime::default()).unwrap().unwrap();
}

fn answer_key(number: u64) -> IdempotencyScope {
    let key = IdempotencyKey::new("k").unwrap();
    IdempotencyScope { operation: Operation::Work, target: Some(id(number)), key }
}

/// Everything that can be read.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    listing: Listing,
    events: (Vec<Event>, u64, u64),
    data: Vec<Vec<DataPair>>,
    claimable: Vec<(Organisation, CustomModel)>,
    answers: Vec<Option<IdempotencyRecord>>,
}

pub(super) fn see(store: &SledStore) -> Seen {
    let page = store.events(&acme(), 0, 100).unwrap();
    let at = UnixMillis::from_unix_millis(i64::MAX);
    Seen {
        listing: list(store).unwrap(),
        events: (page.events, page.last, page.first),
        data: (1..4).map(|number| store.data(&acme(), id(number), 0, u32::MAX).unwrap()).collect(),
        claimable: store.claimable(None, at, 100).unwrap(),
        answers: (1..4)
            .map(|it| store.idempotency_record(&acme(), &answer_key(it)).unwrap())
            .collect(),
    }
}

/// A write with an idempotency key.
fn write(number: u64, change: Change) -> Write {
    let answer = NewIdempotencyRecord {
        key: answer_key(number),
        request: NewIdempotencyRecord::digest(b""),
    };
    Write { idempotency: Some(answer), ..Write::new(acme(), Actor::HOST, now(), change) }
}

/// Writes that change every kind of row: they create a model, start and end a training, add data,
/// and delete a model with its data.
fn writes(store: &SledStore) -> Vec<Write> {
    let running = store.get(&acme(), id(1)).unwrap().unwrap();
    let fence = running.training.run().unwrap().lease.as_ref().unwrap().fence;
    let edit = |number, edit| {
        let (edit, expected) = (Box::new(edit), Expected::Anything);
        write(number, Change::Edit { id: id(number), edit, expected })
    };
    vec![
        write(3, Change::Create { model: new_model(), limit: None }),
        edit(2, Edit::Run),
        edit(1, Edit::Fail { fence, error: "no".to_owned() }),
        edit(2, Edit::Delete),
        edit(2, Edit::AddData(pair())),
    ]
}

/// A store with a partial write that cannot be rolled back yet, and its contents before.
pub(super) fn half_a_write(
    which: usize,
    (batch, without): (usize, &'static [u8]),
) -> (TempDir, Recorder, Arc<SledStore>, Seen) {
    let (temporary, recorder, store) = store();
    live(&store);
    let before = see(&store);
    let write = writes(&store).swap_remove(which);
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, batch, without));
    recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
    let error = store.apply(write).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::OutcomeUnknown);
    (temporary, recorder, store, before)
}

/// A copy of a folder as a kill would leave it now.
pub(super) fn killed(temporary: &TempDir) -> PathBuf {
    let copy = temporary.path().join("killed");
    copy_folder(&temporary.path().join("store"), &copy);
    copy
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Asserts that the store is unchanged and usable.
pub(super) fn is_as_it_was(store: &SledStore, before: &Seen, what: &str) {
    assert_eq!(see(store), *before, "{what}");
    let write = write(3, Change::Create { model: new_model(), limit: Some(3) });
    let Outcome::Created(model) = store.apply(write).unwrap() else { panic!("{what}") };
    assert!(model.id > id(2), "{what}");
    let page = store.events(&acme(), before.events.1, 100).unwrap();
    assert_eq!((page.events.len(), page.last), (1, before.events.1 + 1), "{what}");
}

#[test]
fn model_6_half_a_group_is_put_right_after_its_process_was_killed() {
    for which in 0..5 {
        for half in HALVES {
            let (temporary, _recorder, _store, before) = half_a_write(which, half);
            let store = SledStore::open(killed(&temporary)).unwrap();
            is_as_it_was(&store, &before, &format!("write {which} of {half:?}"));
        }
    }
}

#[test]
fn model_6_half_a_write_is_taken_back_before_anybody_sees_it() {
    for half in HALVES {
        let (_temporary, _recorder, store, before) = half_a_write(1, half);
        is_as_it_was(&store, &before, &format!("{half:?}"));
    }
}

#[test]
fn model_6_half_a_group_is_put_right_after_its_store_was_closed() {
    for half in HALVES {
        let (temporary, _recorder, store, before) = half_a_write(3, half);
        store.close().unwrap();
        let store = SledStore::open(temporary.path().join("store")).unwrap();
        is_as_it_was(&store, &before, &format!("{half:?}"));
    }
}

#[test]
fn quota_2_the_only_models_of_an_organisation_that_are_half_there_do_not_count() {
    for without in [&b"m"[..], b"c"] {
        let (temporary, recorder, store) = store();
        recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, 1, without));
        recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
        assert_eq!(create(&store, &recorder), Err(StoreErrorKind::OutcomeUnknown));
        let store = SledStore::open(killed(&temporary)).unwrap();
        assert_eq!(ids(&store), [0; 0]);
        let created = submit(&store, &recorder, creation(Some(1))).unwrap();
        assert!(matches!(created, Outcome::Created(_)), "{created:?}");
    }
}

/// The changes are made, and the journal is partly removed.
#[test]
fn model_6_a_write_that_is_whole_is_kept() {
    let (temporary, recorder, store) = store();
    live(&store);
    let write = writes(&store).swap_remove(1);
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, 2, b"nothing"));
    recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
    assert!(store.apply(write).is_err());
    let other = SledStore::open(killed(&temporary)).unwrap();
    assert_eq!(see(&other), see(&store));
    assert_eq!(see(&other).claimable.len(), 2);
}

#[test]
fn model_6_a_store_that_cannot_be_put_right_is_not_opened_and_tried_again() {
    for step in ["apply", "flush", "sync"] {
        let (temporary, _recorder, _store, before) = half_a_write(0, (1, b"c"));
        let folder = killed(&temporary);
        let recorder = Recorder::default();
        recorder.tell(step, Fault::Fails(StoreErrorKind::Full));
        let error = SledStore::open_on(&folder, recorder.clone()).err().unwrap();
        assert_eq!(error.kind(), StoreErrorKind::Full);
        let store = SledStore::open_on(&folder, recorder).unwrap();
        is_as_it_was(&store, &before, step);
    }
}

#[test]
fn a_store_that_was_killed_in_order_is_opened_and_nothing_is_written() {
    let (temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    let recorder = Recorder::default();
    let store = SledStore::open_on(&killed(&temporary), recorder.clone()).unwrap();
    assert_eq!(recorder.steps(), ["open"]);
    assert_eq!(ids(&store), [1]);
}
