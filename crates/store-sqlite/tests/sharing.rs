//! Several stores and processes on one file: histories have no gaps, and a training has one worker.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use custom_models_core::model::{EventType, Expected, LeaseTime};
use custom_models_core::store::ModelStore;
use custom_models_core::tenant::Actor;
use custom_models_core::{ModelId, UpdateModel};
use custom_models_store_sqlite::SqliteStore;

use common::{acme, caller, create_at, engine_at_now, place, request, running};

/// The environment variable with the file that the processes of a test write.
const FILE: &str = "CUSTOM_MODELS_SHARED_FILE";

/// The number of models that each creates.
const EACH: u64 = 40;

fn create_some(path: &Path) {
    let engine = engine_at_now(path);
    for _ in 0..EACH {
        engine.create(&caller(), request()).unwrap();
    }
    engine.close().unwrap();
}

/// Asserts that there is one position per model, without gaps.
fn assert_whole_history(path: &Path, models: u64) {
    let page = SqliteStore::open(path).unwrap().events(&acme(), 0, 10_000).unwrap();
    assert!(page.events.iter().map(|event| event.position).eq(1..=models));
    let ids: BTreeSet<u64> = page.events.iter().map(|event| event.model_id.get()).collect();
    assert!(ids.into_iter().eq(1..=models));
    assert_eq!((page.first, page.last), (1, models));
}

#[test]
fn stores_on_one_file_share_a_history_without_gaps() {
    let (_folder, path) = place();
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| create_some(&path)))));
    assert_whole_history(&path, 4 * EACH);
}

/// Each process runs this program with this test alone, and learns from its environment that it has
/// to write.
#[test]
fn processes_on_one_file_share_a_history_without_gaps() {
    if let Some(path) = env::var_os(FILE) {
        return create_some(&PathBuf::from(path));
    }
    let (_folder, path) = place();
    run_processes("processes_on_one_file_share_a_history_without_gaps", &path);
    assert_whole_history(&path, 3 * EACH);
}

/// Runs this program three times at once, each time one test of it that finds the file in its environment.
fn run_processes(test: &str, path: &Path) {
    let start = |_| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", test])
            .env(FILE, path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let processes: Vec<_> = (0..3).map(start).collect();
    processes.into_iter().for_each(|mut process| assert!(process.wait().unwrap().success()));
}

fn edit_some(path: &Path) {
    let engine = engine_at_now(path);
    let id = ModelId::new(1).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..EACH / 4 {
                    let name = format!("name {number}");
                    let update = UpdateModel::builder().name(name).build().unwrap();
                    engine.update(&caller(), id, update, &Expected::Anything).unwrap();
                }
            });
        }
    });
    engine.close().unwrap();
}

/// No write is refused because another process was faster.
#[test]
fn edit_4_processes_on_one_file_make_every_edit_of_one_model() {
    if let Some(path) = env::var_os(FILE) {
        return edit_some(&PathBuf::from(path));
    }
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    let id = engine.create(&caller(), request()).unwrap().id;
    run_processes("edit_4_processes_on_one_file_make_every_edit_of_one_model", &path);
    assert_eq!(engine.get(&caller(), id).unwrap().revision().get(), 1 + 3 * EACH);
    let events = SqliteStore::open(&path).unwrap().events(&acme(), 0, 10_000).unwrap();
    assert_eq!(events.last, 1 + 3 * EACH);
}

#[test]
fn stores_on_one_file_share_the_trainings_that_wait() {
    let (_folder, path) = place();
    let engine = engine_at_now(&path);
    (0..12).for_each(|_| drop(running(&engine, &caller())));
    let work = |number: usize| {
        let engine = engine_at_now(&path);
        let worker = Actor::new(format!("worker-{number}")).unwrap();
        let claim = || engine.claim(&worker, None, LeaseTime::default()).unwrap();
        let claimed: Vec<_> = std::iter::from_fn(claim).map(|it| it.model.id).collect();
        claimed.into_iter().map(|id| (id, worker.clone())).collect::<Vec<_>>()
    };
    let mut claims = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|number| scope.spawn(move || work(number))).collect();
        let claims = workers.into_iter().flat_map(|worker| worker.join().unwrap());
        claims.collect::<Vec<_>>()
    });
    claims.sort();
    assert!(claims.iter().map(|(id, _)| id.get()).eq(1..=12), "{claims:?}");
    for (id, worker) in claims {
        let lease =
            engine.get(&caller(), id).unwrap().training.run().unwrap().lease.clone().unwrap();
        assert_eq!((lease.worker, lease.fence.get()), (worker, 1));
    }
}

/// A store uses no cached rows once another store has written.
#[test]
fn a_store_sees_what_another_has_changed() {
    let (_folder, path) = place();
    let engines = [engine_at_now(&path), engine_at_now(&path)];
    let id = running(&engines[0], &caller()).id;
    engines[1].cancel(&caller(), id, &Expected::Anything).unwrap();
    engines[0].run(&caller(), id, &Expected::Anything).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    store.apply(create_at(&acme(), 7)).unwrap();
    let events = engines[1].events(&caller(), 3, 10).unwrap().result;
    let types: Vec<_> = events.into_iter().map(|event| event.event_type).collect();
    let expected = [EventType::TrainingCancelled, EventType::TrainingStarted, EventType::Created];
    assert_eq!(types, expected);
}
