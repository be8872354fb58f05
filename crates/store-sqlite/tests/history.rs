//! The beginning of a history: moved by purges and erasures, and kept, so that a first event that is
//! missing is seen.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use custom_models_core::{ArchiveChange, ArchiveStore, LifeStore, ModelStore, Purge};
use custom_models_store_sqlite::SqliteStore;
use rusqlite::Connection;

use common::{
    NOW, acme, at, caller, create_at, engine_at_now, findings, moment, place, request, sql,
};

/// The beginning of a history is kept, so that a first event that is missing is seen.
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

/// An erasure in steps leaves a history that begins later at every step, never one with a gap.
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

/// A purge may be in one group with the events that it forgets.
#[test]
fn a_purge_behind_events_of_its_own_group_is_counted() {
    let (_folder, path) = place();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    store.apply(create_at(&acme(), 5)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        // The first is a group of its own, which waits for the other process; the rest is the next one.
        let (sender, answers) = channel();
        for _ in 0..4 {
            let sender = sender.clone();
            let done = Box::new(move |it: Result<_, _>| sender.send(it.is_ok()).unwrap());
            store.submit(create_at(&acme(), 5), done);
        }
        let purging = scope.spawn(|| {
            store.purge(Purge {
                events_before: Some(at(NOW)),
                answers_until: moment(0),
                limit: 100,
            })
        });
        other.execute_batch("ROLLBACK").unwrap();
        assert!(answers.iter().take(4).all(|is_made| is_made));
        purging.join().unwrap().unwrap();
    });
    let page = store.events(&acme(), 0, 10).unwrap();
    assert_eq!(page.last, 5);
    assert_eq!(findings(&store), [""; 0]);
    assert_eq!(store.summary().unwrap().events, 5);
}
