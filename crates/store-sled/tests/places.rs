//! Folders in which a store is opened: missing, foreign, newer, incomplete.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::error::Error;
use std::fs;
use std::path::Path;

use custom_models_core::ModelId;
use custom_models_core::field::{Description, Name};
use custom_models_core::store::{Change, ModelStore, Outcome, StoreErrorKind};
use custom_models_store_sled::SledStore;

use common::{acme, contents, create, list, make_store, new_model, submit, tamper};

const MARKER: &str = "custom-models-sled";

fn refusal(folder: &Path) -> (StoreErrorKind, String) {
    let fault = SledStore::open(folder).expect_err("a refusal");
    let cause = fault.source().map(ToString::to_string);
    (fault.kind(), cause.unwrap_or_default())
}

/// Asserts that opening is refused for this reason and changes nothing.
fn refuses_untouched(folder: &Path, kind: StoreErrorKind) {
    let before = contents(folder);
    let (found, cause) = refusal(folder);
    assert_eq!(found, kind, "{cause}");
    assert_eq!(contents(folder), before);
}

#[test]
fn a_second_opener_is_locked_out_until_the_first_lets_go() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let first = SledStore::open(&folder).unwrap();
    assert_eq!(refusal(&folder).0, StoreErrorKind::Locked);
    create(&first, "still in order").unwrap();
    first.close().unwrap();
    let second = SledStore::open(&folder).unwrap();
    assert_eq!(list(&second).unwrap().total, 1);
    assert_eq!(list(&first).unwrap_err().kind(), StoreErrorKind::Closed);
    assert_eq!(refusal(&folder).0, StoreErrorKind::Locked);
    drop(second);
    SledStore::open(&folder).unwrap();
}

#[test]
fn an_empty_folder_becomes_a_store() {
    let temporary = tempfile::tempdir().unwrap();
    let store = SledStore::open(temporary.path()).unwrap();
    create(&store, "first").unwrap();
}

#[test]
fn a_place_without_a_folder_above_is_unavailable() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("missing").join("store");
    assert_eq!(refusal(&folder).0, StoreErrorKind::Unavailable);
    assert!(!temporary.path().join("missing").exists());
}

#[test]
fn a_folder_with_other_files_is_not_ours_and_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    fs::write(temporary.path().join("letter.txt"), "dear reader").unwrap();
    refuses_untouched(temporary.path(), StoreErrorKind::NotOurs);
}

#[test]
fn a_file_is_not_ours_and_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("store");
    fs::write(&file, "dear reader").unwrap();
    assert_eq!(refusal(&file).0, StoreErrorKind::NotOurs);
    assert_eq!(fs::read(&file).unwrap(), b"dear reader");
}

#[test]
fn a_sled_database_of_something_else_is_not_ours_and_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    tamper(temporary.path(), |db| {
        db.insert("key", "value").unwrap();
    });
    refuses_untouched(temporary.path(), StoreErrorKind::NotOurs);
}

#[test]
fn a_sled_database_of_something_else_beside_our_marker_is_not_ours() {
    for marker in ["", "custom-models in sled, layout 1\n", "custom-models in sled, layout 5\n"] {
        let temporary = tempfile::tempdir().unwrap();
        tamper(temporary.path(), |db| {
            db.insert("key", "value").unwrap();
        });
        fs::write(temporary.path().join(MARKER), marker).unwrap();
        assert_eq!(refusal(temporary.path()).0, StoreErrorKind::NotOurs);
        tamper(temporary.path(), |db| {
            assert_eq!(db.len(), 1);
        });
    }
}

#[test]
fn a_marker_of_something_else_is_not_ours_and_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    for text in ["something else", "custom-models in sled, layout 0\n", "\n"] {
        fs::write(temporary.path().join(MARKER), text).unwrap();
        refuses_untouched(temporary.path(), StoreErrorKind::NotOurs);
    }
    fs::remove_file(temporary.path().join(MARKER)).unwrap();
    fs::create_dir(temporary.path().join(MARKER)).unwrap();
    refuses_untouched(temporary.path(), StoreErrorKind::NotOurs);
}

#[test]
fn a_newer_store_is_newer_and_not_touched() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 3);
    fs::write(folder.join(MARKER), "custom-models in sled, layout 6\n").unwrap();
    refuses_untouched(&folder, StoreErrorKind::Newer);
}

#[test]
fn a_newer_database_under_our_marker_is_newer() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 3);
    tamper(&folder, |db| {
        db.insert("f", "custom-models in sled, layout 6\n").unwrap();
    });
    assert_eq!(refusal(&folder).0, StoreErrorKind::Newer);
    tamper(&folder, |db| {
        db.insert("f", "something else").unwrap();
    });
    assert_eq!(refusal(&folder).0, StoreErrorKind::Damaged);
}

#[test]
fn a_creation_that_was_cut_short_is_finished() {
    let whole = "custom-models in sled, layout 5\n";
    let of_the_first_release = &"custom-models in sled, layout 1\n"[..whole.len() - 1];
    for marker in ["", &whole[..1], &whole[..whole.len() - 1], of_the_first_release] {
        for has_database in [false, true] {
            let temporary = tempfile::tempdir().unwrap();
            if has_database {
                tamper(temporary.path(), |_| {});
            }
            fs::write(temporary.path().join(MARKER), marker).unwrap();
            let store = SledStore::open(temporary.path()).unwrap();
            create(&store, "first").unwrap();
            store.close().unwrap();
            assert_eq!(fs::read_to_string(temporary.path().join(MARKER)).unwrap(), whole);
            let store = SledStore::open(temporary.path()).unwrap();
            assert_eq!(list(&store).unwrap().total, 1);
        }
    }
}

#[test]
fn model_1_a_store_that_lost_its_database_is_damaged_and_not_begun_anew() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 3);
    fs::remove_file(folder.join("db")).unwrap();
    refuses_untouched(&folder, StoreErrorKind::Damaged);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with(MARKER) {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(folder.join("db"), "").unwrap();
    assert_eq!(refusal(&folder).0, StoreErrorKind::Damaged);
}

#[test]
fn rows_that_cannot_have_been_written_are_damage() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 1);
    let id = ModelId::new(1).unwrap();
    let key = b"macme\0\0\0\0\0\0\0\0\x01";
    let counter = b"cacme";
    let mut sound = Vec::new();
    tamper(&folder, |db| {
        sound = db.get(key).unwrap().expect("the model").to_vec();
    });
    let with = |place: usize, byte: u8| {
        let mut row = sound.clone();
        row[place] = byte;
        row
    };
    // The form, the status, the revision, both times, the language, the base model, the name.
    let mut rows = vec![Vec::new(), with(0, 3), with(1, 9), with(14, 0x80), with(22, 0x80)];
    rows.extend([with(9, 0), with(30, b'X'), with(33, b'X'), with(42, 0xFF)]);
    // A status that contradicts the course, and a form without beats and course.
    rows.extend([with(1, 2), with(0, 1)]);
    // A name of whitespace, an invalid course, and an invalid flag before the description.
    assert_eq!(&sound[42..49], b"model 0");
    let blank = [&sound[..42], &b"       "[..], &sound[49..]].concat();
    let training = [&sound[..49], &b"\0\x02{}"[..], &sound[51..]].concat();
    rows.extend([blank, training, with(51, 7), with(51, 0)]);
    // A row that claims to continue.
    rows.extend([with(0, 0), vec![0, 1], vec![0]]);
    rows.extend((1..=51).map(|length| sound[..length].to_vec()));
    for row in rows {
        tamper(&folder, |db| {
            db.insert(key, row.clone()).unwrap();
        });
        let store = SledStore::open(&folder).unwrap();
        let fault = store.get(&acme(), id).err();
        let fault = fault.unwrap_or_else(|| panic!("{row:?} was read"));
        assert_eq!(fault.kind(), StoreErrorKind::Damaged, "{row:?}");
        assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Damaged);
        store.close().unwrap();
    }
    tamper(&folder, |db| {
        db.insert(key, sound.clone()).unwrap();
        db.insert(counter, b"short").unwrap();
    });
    let store = SledStore::open(&folder).unwrap();
    assert!(store.get(&acme(), id).unwrap().is_some());
    assert_eq!(list(&store).unwrap_err().kind(), StoreErrorKind::Damaged);
    let answer = create(&store, "second").unwrap_err();
    assert_eq!(answer.kind(), StoreErrorKind::Damaged);
}

#[test]
fn model_1_a_last_id_beyond_all_ids_is_damage() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 1);
    for value in [&u64::MAX.to_be_bytes()[..], b"short"] {
        tamper(&folder, |db| {
            db.insert("i", value).unwrap();
        });
        let found = SledStore::open(&folder).and_then(|store| create(&store, "second"));
        assert_eq!(found.unwrap_err().kind(), StoreErrorKind::Damaged);
    }
}

/// Sled writes pages too large for its log to separate files, which are never synced.
#[test]
fn model_6_the_largest_models_stay_in_the_log() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    let mut model = new_model("largest");
    model.name = Name::new("𐍈".repeat(200)).unwrap();
    model.description = Some(Description::new("𐍈".repeat(1000)).unwrap());
    for _ in 0..200 {
        let change = Change::Create { model: model.clone(), limit: None };
        let answer = submit(&store, change).unwrap().unwrap();
        assert!(matches!(answer, Outcome::Created(_)));
        assert_eq!(fs::read_dir(folder.join("blobs")).unwrap().count(), 0);
    }
    store.close().unwrap();
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(fs::read_dir(folder.join("blobs")).unwrap().count(), 0);
    let models = list(&store).unwrap().models;
    assert_eq!(models.len(), 200);
    assert!(models.iter().all(|found| found.name == model.name));
    assert!(models.iter().all(|found| found.description == model.description));
}
