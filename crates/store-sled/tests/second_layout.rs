//! A folder in layout 2, which had no identity and no totals, can be read and used on.
//!
//! It has models of three organisations, one of which was erased, data, events, trainings and an answer.
//! `export.jsonl` is what the version that made it exported.
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

use custom_models_core::store::{ArchiveChange, ArchiveStore, ModelStore};
use custom_models_store_sled::SledStore;
use tempfile::TempDir;

use common::{copy, create, export, list, tamper};

const MARKER: &str = "custom-models-sled";

const NOW: &str = "custom-models in sled, layout 5\n";

fn second_layout() -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    copy(&data().join("store"), &folder);
    (temporary, folder)
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/layout-2")
}

fn is_as_it_was(store: &SledStore) {
    let expected = fs::read_to_string(data().join("export.jsonl")).unwrap();
    assert_eq!(export(store), expected);
    let summary = store.summary().unwrap();
    assert_eq!((summary.last_id, summary.events, summary.has_data), (9, 13, true));
}

#[test]
fn place_2_a_folder_of_layout_2_gets_an_identity_and_goes_on() {
    let (_temporary, folder) = second_layout();
    let store = SledStore::open(&folder).unwrap();
    is_as_it_was(&store);
    let identity = store.summary().unwrap().identity;
    assert_ne!(identity.as_bytes(), &[0; 16]);
    assert_eq!(fs::read_to_string(folder.join(MARKER)).unwrap(), NOW);
    create(&store, "next").unwrap();
    assert_eq!(list(&store).unwrap().models.last().unwrap().id.get(), 10);
    let exported = export(&store);
    store.close().unwrap();
    let store = SledStore::open(&folder).unwrap();
    assert_eq!(export(&store), exported);
    assert_eq!(store.summary().unwrap().identity, identity);
    // Two copies of one folder have become two stores.
    let (_temporary, other) = second_layout();
    let other = SledStore::open(other).unwrap();
    assert_ne!(other.summary().unwrap().identity, identity);
}

/// An interrupted migration is repeated, however far it had come.
#[test]
fn a_step_from_layout_2_that_was_cut_short_is_made_again() {
    let tampers: [fn(&sled::Db); 3] = [
        |db| drop(db.insert("s", &[7; 16]).unwrap()),
        |db| {
            db.insert("s", &[7; 16]).unwrap();
            db.insert("g", &[0; 24]).unwrap();
        },
        |db| {
            db.insert("s", &[7; 16]).unwrap();
            db.insert("g", [1_u64, 6, 13].map(u64::to_be_bytes).concat()).unwrap();
            db.insert("f", NOW).unwrap();
        },
    ];
    for step in tampers {
        let (_temporary, folder) = second_layout();
        tamper(&folder, step);
        let store = SledStore::open(&folder).unwrap();
        is_as_it_was(&store);
        store.close().unwrap();
        assert_eq!(fs::read_to_string(folder.join(MARKER)).unwrap(), NOW);
        is_as_it_was(&SledStore::open(&folder).unwrap());
    }
}

/// The journal of layout 2 is that of this layout.
#[test]
fn model_6_half_a_group_of_layout_2_is_taken_back() {
    let (_temporary, folder) = second_layout();
    tamper(&folder, |db| {
        let before = db.get("i").unwrap().unwrap();
        let row = [&[1, b'i', 1, 0, 8][..], &before].concat();
        let journal = [&(row.len() as u64).to_be_bytes()[..], &row].concat();
        db.insert(b"j\0\0\0\0", journal).unwrap();
        db.insert("i", &77_u64.to_be_bytes()).unwrap();
    });
    is_as_it_was(&SledStore::open(&folder).unwrap());
}

#[test]
fn place_2_events_do_not_fall_when_an_organisation_is_erased_or_imported_again() {
    let (_temporary, folder) = second_layout();
    let store = SledStore::open(&folder).unwrap();
    let mut records = Vec::new();
    let take = &mut |record| {
        records.push(record);
        Ok(())
    };
    store.export(take).unwrap();
    let events = |store: &SledStore| store.summary().unwrap().events;
    let organisation = common::acme();
    let change = ArchiveChange::Erase { organisation, limit: 1000 };
    while store.archive(change.clone()).unwrap() > 0 {
        assert_eq!(events(&store), 13);
    }
    store.archive(ArchiveChange::Import(records.clone())).unwrap();
    assert_eq!(events(&store), 23);
    store.archive(ArchiveChange::Import(records)).unwrap();
    assert_eq!(events(&store), 23);
    store.close().unwrap();
    assert_eq!(events(&SledStore::open(&folder).unwrap()), 23);
}
