//! A store in layout 3, the last one without an identity: everything in it is there, and the
//! history goes on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::PathBuf;

use custom_models_core::Organisation;
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, ModelStore, Purge, Record, StoreSummary,
};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

use common::{NOW, acme, create_at, findings, place, records};

fn copy() -> (TempDir, PathBuf) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/third-layout.db");
    let (folder, path) = place();
    fs::copy(file, &path).unwrap();
    (folder, path)
}

fn organisation(name: &str) -> Organisation {
    name.parse().unwrap()
}

/// The counters of every organisation: models, last event, first event.
fn counters(store: &SqliteStore) -> Vec<(String, u64, u64, u64)> {
    let counters = records(store).into_iter().filter_map(|record| match record {
        Record::Organisation { organisation, models, last_event, first_event } => {
            Some((organisation.to_string(), models, last_event, first_event))
        }
        _ => None,
    });
    counters.collect()
}

#[test]
fn the_file_is_of_the_third_layout() {
    let version = |path: &PathBuf| -> u32 {
        let file = Connection::open(path).unwrap();
        file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    let (_folder, path) = copy();
    assert_eq!(version(&path), 3);
    SqliteStore::open(&path).unwrap().close().unwrap();
    assert_eq!(version(&path), 7);
}

#[test]
fn histories_begin_where_they_began() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(&path).unwrap();
    let expected = [("acme", 5, 5, 4), ("clinic-7", 1, 3, 1), ("visitors", 3, 3, 4)];
    let expected = expected.map(|(name, models, last, first)| (name.into(), models, last, first));
    assert_eq!(counters(&store), expected);
    assert_eq!(findings(&store), [""; 0]);
    assert_eq!(records(&store).len(), 1 + 2 + 1 + 3 + 9 + 1 + 5 + 1);
    let visitors = store.events(&organisation("visitors"), 0, 10).unwrap();
    assert_eq!((visitors.events.len(), visitors.first, visitors.last), (0, 4, 3));
    store.apply(create_at(&acme(), NOW)).unwrap();
    let page = store.events(&acme(), 0, 10).unwrap();
    assert!(page.events.iter().map(|event| event.position).eq(4..=6));
}

/// An identity is drawn once and stays. Events erased before this layout are not counted.
#[test]
fn place_2_an_identity_is_given_once_and_stays() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(&path).unwrap();
    let summary = store.summary().unwrap();
    let StoreSummary { identity, lineage, last_id, events, has_data } = summary;
    assert_eq!((lineage, last_id, events, has_data), (None, 14, 11, true));
    assert_ne!(identity.as_bytes(), &[0; 16]);
    store.close().unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap().summary().unwrap(), summary);
    let (_other_folder, other) = copy();
    assert_ne!(SqliteStore::open(&other).unwrap().summary().unwrap().identity, identity);
}

#[test]
fn place_2_events_are_counted_when_they_are_purged_or_erased() {
    let (_folder, path) = copy();
    let store = SqliteStore::open(&path).unwrap();
    let mut events = vec![store.summary().unwrap().events];
    let purge = Purge {
        events_before: Some(common::at(NOW + 1)),
        idempotency_until: common::moment(0),
        limit: 100,
    };
    assert_eq!(store.purge(purge).unwrap().events, 5);
    events.push(store.summary().unwrap().events);
    for organisation in ["acme", "visitors", "nobody", "clinic-7"].map(organisation) {
        loop {
            let organisation = organisation.clone();
            let gone = store.archive(ArchiveChange::Erase { organisation, limit: 1 }).unwrap();
            events.push(store.summary().unwrap().events);
            if gone == 0 {
                break;
            }
        }
    }
    assert!(events.iter().all(|count| *count == 11), "{events:?}");
    assert!(!store.summary().unwrap().has_data);
    assert_eq!(records(&store), [Record::Start { last_id: 14 }]);
}
