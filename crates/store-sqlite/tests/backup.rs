//! Backups made while the store is written are complete, and can be restored.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use custom_models_core::store::{ModelStore, StoreErrorKind};
use custom_models_core::{Caller, CreateModel, Engine, ListModels, Plan};
use custom_models_store_sqlite::SqliteStore;

fn caller() -> Caller {
    Caller::new("acme".parse().unwrap(), Plan::enterprise())
}

fn create(engine: &Engine) -> u64 {
    let request = CreateModel::builder().name("n").language("en").build().unwrap();
    engine.create(&caller(), request).unwrap().id.get()
}

fn count(path: &Path) -> u64 {
    let engine = Engine::new(Arc::new(SqliteStore::open(path).unwrap()), SystemTime::now);
    let events = engine.events(&caller(), 0, 1).unwrap().last_position;
    let models = engine.list(&caller(), &ListModels::default()).unwrap().total_results;
    engine.close().unwrap();
    assert_eq!(models, events);
    models
}

fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("models.db"), folder.path().join("a%20b?c#.db"));
    (folder, path, copy)
}

#[test]
fn model_6_a_copy_has_all_that_was_acknowledged_before_it_while_others_write() {
    let (folder, path, copy) = place();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let engine = Engine::new(store.clone(), SystemTime::now);
    let (acknowledged, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    create(&engine);
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for round in 0..5 {
            while acknowledged.load(Ordering::SeqCst) < 50 * (round + 1) {
                thread::yield_now();
            }
            let before = acknowledged.load(Ordering::SeqCst);
            let _ = fs::remove_file(&copy);
            store.backup(&copy).unwrap();
            let restored = folder.path().join(format!("restored-{round}.db"));
            SqliteStore::restore(&copy, &restored).unwrap();
            assert!(count(&restored) >= before);
        }
        is_over.store(true, Ordering::SeqCst);
    });
    engine.close().unwrap();
    let all = acknowledged.into_inner();
    assert_eq!(count(&path), all);
}

#[test]
fn a_copy_takes_nobodys_place_and_a_store_is_made_of_nothing_but_a_copy() {
    let (folder, path, copy) = place();
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    create(&Engine::new(store.clone(), SystemTime::now));
    let kind = |done: Result<(), custom_models_core::store::StoreError>| done.unwrap_err().kind();
    assert_eq!(kind(store.backup(&path)), StoreErrorKind::Unavailable);
    assert_eq!(kind(store.backup(folder.path().join("no/such.db"))), StoreErrorKind::Unavailable);
    store.backup(&copy).unwrap();
    assert_eq!(kind(store.backup(&copy)), StoreErrorKind::Unavailable);
    let new = folder.path().join("new.db");
    assert_eq!(kind(SqliteStore::restore(&path, &new)), StoreErrorKind::Unavailable, "in use");
    assert_eq!(kind(SqliteStore::restore(&copy, &path)), StoreErrorKind::Unavailable);
    assert_eq!(kind(SqliteStore::restore("no.db", &new)), StoreErrorKind::Missing);
    let whole = fs::read(&copy).unwrap();
    let broken = folder.path().join("broken.db");
    let mut cases =
        vec![(Vec::new(), StoreErrorKind::NotOurs), (vec![b'x'; 8192], StoreErrorKind::NotOurs)];
    cases.push((whole[..whole.len() - 4096].to_vec(), StoreErrorKind::Damaged));
    let mut damaged = whole.clone();
    damaged[4096..8192].fill(0xAA);
    cases.push((damaged, StoreErrorKind::Damaged));
    for (bytes, expected) in cases {
        fs::write(&broken, bytes).unwrap();
        assert_eq!(kind(SqliteStore::restore(&broken, &new)), expected);
        assert!(!new.exists());
    }
    SqliteStore::restore(&copy, &new).unwrap();
    assert_eq!(count(&new), 1);
    store.close().unwrap();
    let left = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
    let left: BTreeSet<String> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    let expected = ["a%20b?c#.db", "broken.db", "models.db", "new.db"].map(str::to_owned);
    assert_eq!(left, BTreeSet::from(expected));
}
