//! The beginning of a history is moved by purges and erasures, and stored, so that a missing first
//! event is noticed.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use custom_models_core::store::{ArchiveChange, ArchiveStore, ModelStore};
use custom_models_store_sqlite::SqliteStore;

use common::{NOW, acme, caller, create_at, engine_at_now, findings, place, request, sql};

/// The beginning of a history is stored, so that a missing first event is noticed.
#[test]
fn a_first_event_that_is_gone_is_found() {
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    engine.create(&caller(), request()).unwrap();
    engine.create(&caller(), request()).unwrap();
    engine.close().unwrap();
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(findings(&store), [""; 0]);
    sql(&path, "DELETE FROM events WHERE position = 1");
    assert_eq!(findings(&store).len(), 1, "{:?}", findings(&store));
    assert!(store.events(&acme(), 0, 10).is_err());
    sql(&path, "DELETE FROM events");
    assert_eq!(findings(&store).len(), 1, "{:?}", findings(&store));
}

/// An erasure in steps moves the beginning of the history at each step, and leaves no gap.
#[test]
fn a_history_that_is_being_erased_has_no_gap() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    (0..5).for_each(|_| drop(store.apply(create_at(&acme(), NOW)).unwrap()));
    let mut firsts = Vec::new();
    while store
        .archive(ArchiveChange::Erase { organisation: acme(), limit: 2 })
        .is_ok_and(|gone| gone > 0)
    {
        firsts.push(store.events(&acme(), 0, 10).unwrap().first);
    }
    assert_eq!(firsts, [1, 1, 2, 4, 6, 1]);
}
