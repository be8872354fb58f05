//! A database that has lost groups is refused, and nothing is overwritten.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

#[path = "../common/mod.rs"]
mod common;
mod flips;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use custom_models_core::field::Description;
use custom_models_core::store::{ArchiveStore, Change, ModelStore, OpenMode, StoreErrorKind};
use custom_models_store_sled::SledStore;

use common::{contents, copy, create, export, list, make_store, tamper};

/// The size of a segment of sled's log in bytes.
const SEGMENT: usize = 512 << 10;

const WATERMARK: &str = "custom-models-watermark";

/// Asserts that opening is refused as damaged in every mode and changes nothing. Returns the cause.
fn is_damaged(folder: &Path) -> String {
    let before = contents(folder);
    let mut causes = Vec::new();
    for mode in [OpenMode::Create, OpenMode::Existing, OpenMode::Current, OpenMode::ReadOnly] {
        let fault = SledStore::open_as(folder, mode).expect_err("damage");
        assert_eq!(fault.kind(), StoreErrorKind::Damaged, "{fault:?}");
        causes.push(fault.source().unwrap().to_string());
        assert!(contents(folder) == before, "{mode:?} wrote something: {causes:?}");
    }
    causes.dedup();
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.remove(0)
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    for number in 0..6 {
        create(&store, &format!("model {number}")).unwrap();
    }
    store.close().unwrap();
    (temporary, folder)
}

/// The end of the part of a file that is in use.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

#[test]
fn model_1_a_database_that_lost_groups_is_refused_with_figures_and_not_touched() {
    let (_temporary, folder) = folder();
    let log = folder.join("db");
    let sound = fs::read(&log).unwrap();
    let mut flipped = sound.clone();
    flipped[used(&sound) / 2] ^= 1;
    fs::write(&log, &flipped).unwrap();
    let cause = is_damaged(&folder);
    assert!(cause.contains("7 groups, 6 models, 6 events and the last id 6"), "{cause}");
    assert!(cause.contains("restore a copy"), "{cause}");
    // The flip can be undone, since nothing was overwritten.
    fs::write(&log, &sound).unwrap();
    assert_eq!(list(&SledStore::open(&folder).unwrap()).unwrap().total, 6);
}

#[test]
fn model_1_whoever_removes_the_watermark_goes_on_with_what_is_left() {
    let (_temporary, folder) = folder();
    let log = folder.join("db");
    let mut bytes = fs::read(&log).unwrap();
    let place = used(&bytes) / 2;
    bytes[place] ^= 1;
    fs::write(&log, bytes).unwrap();
    is_damaged(&folder);
    fs::remove_file(folder.join(WATERMARK)).unwrap();
    let store = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
    let [finding] = &store.verify().unwrap()[..] else { panic!("not one finding") };
    assert!(finding.contains(WATERMARK), "{finding}");
    let store = SledStore::open(&folder).unwrap();
    assert!(list(&store).unwrap().total < 6);
    store.close().unwrap();
    SledStore::open(&folder).unwrap();
}

/// Sled itself refuses a log that is shorter than its snapshot says.
#[test]
fn model_1_a_database_that_sled_does_not_open_is_refused_with_figures() {
    let (_temporary, folder) = folder();
    SledStore::open(&folder).unwrap().close().unwrap();
    let log = folder.join("db");
    let mut bytes = fs::read(&log).unwrap();
    let place = used(&bytes) / 2;
    bytes[place] ^= 1;
    fs::write(&log, bytes).unwrap();
    let cause = is_damaged(&folder);
    assert!(cause.contains("7 groups, 6 models, 6 events and the last id 6"), "{cause}");
    assert!(cause.contains("restore a copy") && !cause.contains("backtrace"), "{cause}");
}

/// An older copy of sled's files beside the watermark.
#[test]
fn model_1_an_older_database_under_the_watermark_is_refused() {
    let (temporary, folder) = folder();
    let older = temporary.path().join("older");
    copy(&folder, &older);
    let store = SledStore::open(&folder).unwrap();
    create(&store, "next").unwrap();
    store.close().unwrap();
    fs::copy(folder.join(WATERMARK), older.join(WATERMARK)).unwrap();
    is_damaged(&older);
    // The watermark of another store is refused.
    let other = temporary.path().join("other");
    make_store(&other, 9);
    fs::copy(other.join(WATERMARK), folder.join(WATERMARK)).unwrap();
    let fault = SledStore::open(&folder).unwrap_err();
    assert_eq!(fault.kind(), StoreErrorKind::Damaged);
    assert!(fault.source().unwrap().to_string().contains("another store"), "{fault:?}");
}

#[test]
fn model_1_a_database_that_is_empty_under_a_marker_that_is_cut_short_is_damaged() {
    let (_temporary, folder) = folder();
    fs::write(folder.join("custom-models-sled"), "").unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("/snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(folder.join("db"), "").unwrap();
    is_damaged(&folder);
}

/// At the same group the totals of the database and of the file must be equal.
#[test]
fn model_1_a_database_with_other_counts_is_refused() {
    let (_temporary, folder) = folder();
    for (models, events) in [(5_u64, 6_u64), (7, 6), (6, 5)] {
        tamper(&folder, |db| {
            db.insert("g", [7, models, events].map(u64::to_be_bytes).concat()).unwrap();
        });
        let fault = SledStore::open(&folder).unwrap_err();
        assert_eq!(fault.kind(), StoreErrorKind::Damaged);
    }
    tamper(&folder, |db| {
        db.insert("g", [7_u64, 6, 6].map(u64::to_be_bytes).concat()).unwrap();
        db.insert("i", &5_u64.to_be_bytes()).unwrap();
    });
    assert_eq!(SledStore::open(&folder).unwrap_err().kind(), StoreErrorKind::Damaged);
    tamper(&folder, |db| drop(db.insert("i", &6_u64.to_be_bytes()).unwrap()));
    SledStore::open(&folder).unwrap();
}

#[test]
fn a_damaged_watermark_is_said_to_be_so_and_loses_no_store() {
    let (_temporary, folder) = folder();
    let path = folder.join(WATERMARK);
    let sound = fs::read(&path).unwrap();
    // Damage to one slot: the other one counts, and it is reported.
    for place in (0..76).chain(4096..4172) {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        if place % 25 == 0 {
            let store = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
            assert_eq!(store.verify().unwrap().len(), 1, "{place}");
        }
    }
    // Damage to both.
    let mut bytes = sound.clone();
    bytes[20] ^= 1;
    bytes[4096 + 20] ^= 1;
    for wrong in [&bytes[..], &[], &sound[..75], b"something else"] {
        fs::write(&path, wrong).unwrap();
        let cause = is_damaged(&folder);
        assert!(cause.contains(WATERMARK) && cause.contains("remove"), "{cause}");
    }
    fs::remove_file(&path).unwrap();
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(list(&store).unwrap().total, 6);
    store.close().unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), 4172);
}

/// The file is updated in the background, so a loss is seen after a kill, too.
#[test]
fn model_1_a_store_that_was_killed_knows_what_it_had() {
    let (temporary, folder) = folder();
    let store = SledStore::open(&folder).unwrap();
    let before = fs::read(folder.join("db")).unwrap();
    create(&store, "next").unwrap();
    let killed = temporary.path().join("killed");
    let deadline = Instant::now() + Duration::from_secs(60);
    // Wait until the file has the group.
    loop {
        copy(&folder, &killed);
        SledStore::open(&killed).unwrap().close().unwrap();
        fs::remove_dir_all(&killed).unwrap();
        copy(&folder, &killed);
        fs::write(killed.join("db"), &before).unwrap();
        match SledStore::open(&killed) {
            Err(fault) if fault.kind() == StoreErrorKind::Damaged => break,
            Err(fault) => panic!("{fault:?}"),
            Ok(store) => store.close().unwrap(),
        }
        fs::remove_dir_all(&killed).unwrap();
        assert!(Instant::now() < deadline, "the watermark was not raised");
    }
}
