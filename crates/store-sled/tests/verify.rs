//! Rows that contradict others are found and named, and nothing is written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::path::Path;

use custom_models_core::store::{ArchiveStore, MOST_FINDINGS, ModelStore, OpenMode};
use custom_models_store_sled::SledStore;

use common::{copy, tamper};

fn findings(folder: &Path) -> Vec<String> {
    SledStore::open_as(folder, OpenMode::ReadOnly).unwrap().verify().unwrap()
}

fn key(kind: u8, organisation: &str, rest: &[u8]) -> Vec<u8> {
    [&[kind], organisation.as_bytes(), b"\0", rest].concat()
}

fn first_key(db: &sled::Db, kind: &str) -> Vec<u8> {
    db.scan_prefix(kind).next().unwrap().unwrap().0.to_vec()
}

type Tamper = fn(&sled::Db);

#[test]
fn what_contradicts_itself_is_found() {
    let temporary = tempfile::tempdir().unwrap();
    let sound = temporary.path().join("sound");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/layout-2/store");
    copy(&data, &sound);
    SledStore::open(&sound).unwrap().close().unwrap();
    assert!(findings(&sound).is_empty());
    let tampers: [(&str, Tamper); 17] = [
        ("model 4 of acme: an unknown form", |db| {
            db.insert(key(b'm', "acme", &4_u64.to_be_bytes()), b"\x09").unwrap();
        }),
        ("acme: 3 models are counted, 2 are there", |db| {
            db.remove(key(b'm', "acme", &4_u64.to_be_bytes())).unwrap();
        }),
        ("other: 4 models are counted, 3 are there", |db| {
            db.insert("cother", [4_u64, 1].map(u64::to_be_bytes).concat()).unwrap();
        }),
        ("counter of other", |db| drop(db.insert("cother", "short").unwrap())),
        ("the last id is 9, but there is a model 11", |db| {
            let model = db.get(key(b'm', "acme", &4_u64.to_be_bytes())).unwrap().unwrap();
            db.insert(key(b'm', "acme", &11_u64.to_be_bytes()), model).unwrap();
        }),
        ("acme: of the events 1 to 10, 9 are there", |db| {
            db.remove(key(b'e', "acme", &5_u64.to_be_bytes())).unwrap();
        }),
        ("of the events 2 to 10, 10 are there", |db| {
            let history = [&[1][..], &[2_u64, 10].map(u64::to_be_bytes).concat()].concat();
            db.insert("xacme", history).unwrap();
        }),
        ("event 5 of acme", |db| {
            db.insert(key(b'e', "acme", &5_u64.to_be_bytes()), b"\x09").unwrap();
        }),
        ("not in the queue", |db| drop(db.remove(first_key(db, "q")).unwrap())),
        ("a queue entry without a model", |db| {
            let claim = [&b"q"[..], &[0x80; 8], &8_u64.to_be_bytes()].concat();
            db.insert(claim, "acme").unwrap();
        }),
        ("a queue entry of a model that does not wait then", |db| {
            let claim = [&b"q"[..], &[0x80; 8], &4_u64.to_be_bytes()].concat();
            db.insert(claim, "acme").unwrap();
        }),
        ("data without a model", |db| {
            let (found, row) = db.scan_prefix("d").next().unwrap().unwrap();
            let number = &found[found.len() - 4..];
            db.insert(key(b'd', "acme", &[&77_u64.to_be_bytes(), number].concat()), row).unwrap();
        }),
        ("an answer without an entry in the index of times", |db| {
            drop(db.remove(first_key(db, "t")).unwrap())
        }),
        ("an answer is missing", |db| drop(db.remove(first_key(db, "r")).unwrap())),
        ("key: ", |db| drop(db.insert([&b"k"[..], &[7; 32]].concat(), "no key").unwrap())),
        ("registration of acme", |db| drop(db.insert("oacme", "\u{1}").unwrap())),
        ("counted in all", |db| {
            db.insert("g", [1_u64, 6, 12].map(u64::to_be_bytes).concat()).unwrap();
        }),
    ];
    for (expected, spoil) in tampers {
        let folder = temporary.path().join("spoilt");
        copy(&sound, &folder);
        // Another test checks the watermark.
        std::fs::remove_file(folder.join("custom-models-watermark")).unwrap();
        tamper(&folder, spoil);
        let found = findings(&folder);
        assert!(found.iter().any(|it| it.contains(expected)), "{expected}: {found:#?}");
        assert!(found.len() <= 4, "{found:#?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_store_with_much_damage_is_not_told_of_all() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    common::make_store(&folder, 150);
    tamper(&folder, |db| {
        for id in 1..=150_u64 {
            db.insert(key(b'm', "acme", &id.to_be_bytes()), b"\x09").unwrap();
        }
    });
    assert_eq!(findings(&folder).len(), MOST_FINDINGS);
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(store.verify().unwrap().len(), MOST_FINDINGS);
    store.close().unwrap();
}
