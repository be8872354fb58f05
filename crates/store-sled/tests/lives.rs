//! Rows beside models: the longest ones, those left after a delete or a purge, and damaged ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use custom_models_core::field::{Description, Name};
use custom_models_core::model::{Edit, EventType, Expected, NewModel, TrainingState};
use custom_models_core::request::ListData;
use custom_models_core::store::{
    Change, ModelStore, Outcome, Purge, Purged, StoreError, StoreErrorKind,
};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_store_sled::SledStore;
use tempfile::TempDir;

use common::{Life, acme, answer_key, create, id, list, new_model, pair, submit, tamper};

const FOREVER: UnixMillis = UnixMillis::from_unix_millis(i64::MAX);

const OLD: Purge =
    Purge { events_before: Some(Timestamp::MAX), idempotency_until: FOREVER, limit: 1000 };

fn place() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    (temporary, folder)
}

fn longest() -> NewModel {
    NewModel {
        name: Name::new("𐍈".repeat(200)).unwrap(),
        description: Some(Description::new("𐍈".repeat(1000)).unwrap()),
        ..new_model("longest")
    }
}

/// The error of a training with the most bytes: in JSON each character takes six.
fn longest_error() -> String {
    "\u{1}".repeat(TrainingState::MAX_ERROR_CHARACTERS)
}

fn blobs(folder: &Path) -> usize {
    fs::read_dir(folder.join("blobs")).unwrap().count()
}

/// The kinds of existing rows, without duplicates.
fn kinds(folder: &Path) -> String {
    let mut kinds = String::new();
    tamper(folder, |db| {
        kinds = db.iter().keys().map(|key| char::from(key.unwrap()[0])).collect();
    });
    let mut kinds: Vec<char> = kinds.chars().collect();
    kinds.dedup();
    kinds.into_iter().collect()
}

/// Sled writes pages too large for its log to separate files, which are never synced.
#[test]
fn model_6_the_longest_values_come_back_and_stay_in_the_log() {
    const MODELS: u64 = 60;
    let (_temporary, folder) = place();
    let life = Life::open(&folder);
    for number in 1..=MODELS {
        submit(&*life.store, Change::Create { model: longest(), limit: None }).unwrap().unwrap();
        life.train(number);
        life.fail(number, &longest_error());
        life.edit(number, &Edit::AddData(pair(&"\u{1}".repeat(1000))));
        life.touch(number, &answer_key(number, "k")).unwrap();
        assert_eq!(blobs(&folder), 0, "after {number}");
    }
    let models: Vec<_> = (1..=MODELS).map(|number| life.get(number)).collect();
    life.store.close().unwrap();
    let life = Life::open(&folder);
    assert_eq!(blobs(&folder), 0);
    assert_eq!(list(&*life.store).unwrap().models, models);
    let events = life.engine.events(&life.caller, 0, u32::MAX).unwrap().result;
    let failed = EventType::TrainingFailed { error: longest_error() };
    assert_eq!(events.iter().filter(|event| event.event_type == failed).count(), 60);
    for model in models {
        assert_eq!(life.get(model.id.get()), model);
        assert_eq!(model.name.as_str(), longest().name.as_str());
        let data = life.engine.data(&life.caller, model.id, &ListData::default()).unwrap().result;
        assert_eq!(data[1].audio.filename, "\u{1}".repeat(1000));
        let key = answer_key(model.id.get(), "k");
        let kept = life.store.idempotency_record(&acme(), &key).unwrap().unwrap();
        assert_eq!(kept.body, serde_json::to_string(&model).unwrap());
    }
    // Pages with few rows are merged into full ones.
    for number in (1..=MODELS).filter(|number| number % 8 > 1).chain(1..=MODELS) {
        if life.store.get(&acme(), id(number)).unwrap().is_some() {
            life.edit(number, &Edit::Delete);
            assert_eq!(blobs(&folder), 0, "after the delete of {number}");
        }
    }
}

#[test]
fn nothing_is_left_of_models_that_are_gone_but_what_they_were_counted_by() {
    let (_temporary, folder) = place();
    let life = Life::open(&folder);
    for number in 1..=3 {
        submit(&*life.store, Change::Create { model: longest(), limit: None }).unwrap().unwrap();
        life.train(number);
        life.touch(number, &answer_key(number, "k")).unwrap();
    }
    life.fail(1, &longest_error());
    life.edit(2, &Edit::Cancel);
    life.wait(Duration::from_secs(24 * 60 * 60));
    // An expired answer makes room for the next one.
    let again = life.touch(1, &answer_key(1, "k")).unwrap();
    assert!(matches!(again, Outcome::Changed { .. }), "{again:?}");
    let again = life.touch(1, &answer_key(1, "k")).unwrap();
    assert!(matches!(again, Outcome::Repeated(_)), "{again:?}");
    assert_eq!(life.store.claimable(None, FOREVER, 9).unwrap(), [(acme(), life.get(3))]);
    life.edit(3, &Edit::Cancel);
    (1..=3).for_each(|number| life.edit(number, &Edit::Delete));
    assert_eq!(life.store.purge(OLD).unwrap(), Purged { events: 19, answers: 3 });
    assert_eq!(life.store.purge(OLD).unwrap(), Purged::default());
    life.store.close().unwrap();
    assert_eq!(kinds(&folder), "cfgisx");
    // Writes go on after the purge.
    let life = Life::open(&folder);
    create(&*life.store, "next").unwrap();
    life.edit(4, &Edit::AddData(pair("a.wav")));
    let page = life.store.events(&acme(), 0, 9).unwrap();
    assert_eq!((page.events[0].position, page.first, page.last), (20, 20, 21));
}

#[test]
fn log_1_a_purge_forgets_beginnings_and_so_many_rows_at_most() {
    let (_temporary, folder) = place();
    let life = Life::open(&folder);
    create(&*life.store, "first").unwrap();
    for number in 0..5 {
        life.touch(1, &answer_key(1, &number.to_string())).unwrap();
        life.wait(Duration::from_secs(10));
    }
    let ends = || {
        let page = life.store.events(&acme(), 0, 9).unwrap();
        (page.first, page.last, page.events.len())
    };
    let answers = || -> Vec<usize> {
        let is_kept = |number: &usize| {
            let key = answer_key(1, &number.to_string());
            life.store.idempotency_record(&acme(), &key).unwrap().is_some()
        };
        (0..5).filter(is_kept).collect()
    };
    // The times of the fourth answer and of the event after the create and three more.
    let at = UnixMillis::from_unix_millis(1_000_030_000);
    let purge = Purge { events_before: None, idempotency_until: at, limit: 3 };
    assert_eq!(life.store.purge(purge).unwrap(), Purged { events: 0, answers: 3 });
    assert_eq!((ends(), answers()), ((1, 6, 6), vec![3, 4]));
    let purge = Purge { events_before: Some(at.into()), limit: 2, ..purge };
    assert_eq!(life.store.purge(purge).unwrap(), Purged { events: 2, answers: 1 });
    assert_eq!((ends(), answers()), ((3, 6, 4), vec![4]));
    assert_eq!(life.store.purge(purge).unwrap(), Purged { events: 2, answers: 0 });
    assert_eq!(life.store.purge(purge).unwrap(), Purged::default());
    assert_eq!((ends(), answers()), ((5, 6, 2), vec![4]));
}

/// Sets a row, has a store use it, and restores the row.
fn with_row(
    folder: &Path,
    key: &[u8],
    row: Option<&[u8]>,
    call: impl FnOnce(&Life) -> Option<StoreError>,
) {
    let mut sound = None;
    tamper(folder, |db| {
        sound = match row {
            Some(row) => db.insert(key, row).unwrap(),
            None => db.remove(key).unwrap(),
        };
    });
    let life = Life::open(folder);
    let fault = call(&life);
    let fault = fault.unwrap_or_else(|| panic!("{key:?} as {row:?} was believed"));
    assert_eq!(fault.kind(), StoreErrorKind::Damaged, "{key:?} as {row:?}: {fault:?}");
    life.store.close().unwrap();
    tamper(folder, |db| match sound {
        Some(sound) => drop(db.insert(key, sound).unwrap()),
        None => drop(db.remove(key).unwrap()),
    });
}

/// The key of the first row of a kind.
fn first_key(folder: &Path, kind: u8) -> Vec<u8> {
    let mut key = Vec::new();
    tamper(folder, |db| {
        key = db.scan_prefix([kind]).next().unwrap().unwrap().0.to_vec();
    });
    key
}

#[test]
fn rows_of_lives_that_cannot_have_been_written_are_damage() {
    let (_temporary, folder) = place();
    let life = Life::open(&folder);
    create(&*life.store, "first").unwrap();
    life.train(1);
    life.touch(1, &answer_key(1, "k")).unwrap();
    life.store.close().unwrap();
    let key = |kind| first_key(&folder, kind);
    let bad_rows = [None, Some(&b""[..]), Some(b"\x01"), Some(b"\0\x01"), Some(b"no form")];
    for row in bad_rows {
        with_row(&folder, &key(b'e'), row, |life| life.store.events(&acme(), 0, 9).err());
        with_row(&folder, &key(b'e'), row, |life| life.store.purge(OLD).err());
        let answer = |life: &Life| life.store.idempotency_record(&acme(), &answer_key(1, "k"));
        with_row(&folder, &key(b'r'), row, |life| match row {
            None => life.store.purge(OLD).err(),
            Some(_) => answer(life).err(),
        });
    }
    for row in bad_rows.into_iter().skip(1) {
        with_row(&folder, &key(b'x'), row, |life| life.store.events(&acme(), 0, 9).err());
        with_row(&folder, &key(b'd'), row, |life| {
            life.store.data(&acme(), id(1), 0, u32::MAX).err()
        });
        with_row(&folder, &key(b'q'), row, |life| life.store.claimable(None, FOREVER, 9).err());
        with_row(&folder, &key(b'r'), row, |life| life.touch(1, &answer_key(1, "k")).err());
    }
    let claim = [&key(b'q')[..9], &2_u64.to_be_bytes()].concat();
    for claim in [claim, [b"q", &[0; 15][..], &[1]].concat()] {
        let found = |life: &Life| life.store.claimable(None, FOREVER, 9).err();
        with_row(&folder, &claim, Some(b"acme"), found);
    }
    let row = |life: &Life| life.store.purge(OLD).err();
    with_row(&folder, b"t", Some(b""), row);
    with_row(&folder, b"xno name", Some(b""), row);
    // The damaged row is restored, and nothing else was changed.
    let life = Life::open(&folder);
    assert_eq!(life.store.events(&acme(), 0, 9).unwrap().events.len(), 4);
    assert_eq!(life.store.purge(OLD).unwrap(), Purged { events: 4, answers: 1 });
}

#[test]
fn an_event_that_cannot_be_kept_is_of_a_write_that_is_not_made() {
    let (_temporary, folder) = place();
    let life = Life::open(&folder);
    create(&*life.store, "first").unwrap();
    life.edit(1, &Edit::AddData(pair("a.wav")));
    let before = life.get(1);
    life.store.close().unwrap();
    with_row(&folder, b"xacme", Some(b"short"), |life| {
        let edit = Edit::AddData(pair("b.wav"));
        let fault = life.engine.edit(&life.caller, id(1), edit, &Expected::Anything).unwrap_err();
        assert_eq!(life.get(1), before);
        assert_eq!(life.store.data(&acme(), id(1), 0, u32::MAX).unwrap().len(), 1);
        match fault {
            custom_models_core::Refusal::Store(fault) => Some(fault),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_journal_that_cannot_be_is_damage_and_the_store_is_not_opened() {
    let (_temporary, folder) = place();
    Life::open(&folder).store.close().unwrap();
    tamper(&folder, |db| {
        db.insert(b"j\0\0\0\0", b"\0\0\0\0\0\0\0\x01x").unwrap();
    });
    let fault = SledStore::open(&folder).unwrap_err();
    assert_eq!(fault.kind(), StoreErrorKind::Damaged);
}
