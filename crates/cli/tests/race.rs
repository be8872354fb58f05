//! Several processes on one SQLite file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::{Caller, CreateModel, Engine, Plan};
use custom_models_store_sqlite::SqliteStore;
use serde_json::Value;
use support::{Ended, Folder, GOLD_IS_FULL, feed};

#[test]
fn quota_4_twelve_processes_at_once_never_pass_the_limit_and_model_1_share_no_id() {
    let folder = Folder::new();
    let arguments = ["create", "--plan", "Gold", "--json", "-"];
    // All of them wait for their bodies, then race from making the file onwards.
    let mut racers: Vec<_> = (0..12).map(|_| folder.spawn_waiting(&arguments)).collect();
    for racer in &mut racers {
        feed(racer, br#"{"name":"n","language":"en"}"#);
    }
    let mut ids = BTreeSet::new();
    let mut refused = 0;
    for racer in racers {
        let ended = Ended::from(racer.wait_with_output().unwrap());
        if ended.code == 0 {
            let model: Value = serde_json::from_str(&ended.out).unwrap();
            assert!(ids.insert(model["id"].as_u64().unwrap()), "an id twice");
        } else {
            ended.is_refused(GOLD_IS_FULL);
            refused += 1;
        }
    }
    assert_eq!((ids.len(), refused), (5, 7));

    let listed: Value = serde_json::from_str(&folder.run(&["list"]).out).unwrap();
    assert_eq!(listed["total_results"], 5);
    let kept = listed["result"].as_array().unwrap().iter();
    assert!(kept.map(|model| model["id"].as_u64().unwrap()).eq(ids));
}

/// MODEL-6 over processes: a host that opens its file a second time, or looks at it otherwise, must
/// not lose its locks, or a process that comes and goes takes the log from under it.
#[test]
fn model_6_processes_that_come_and_go_take_nothing_from_a_host_that_opened_its_file_twice() {
    let folder = Folder::new();
    let path = folder.path().join("custom-models.db");
    let caller = Caller::new("default".parse().unwrap(), Plan::enterprise());
    let request = || CreateModel::builder().name("n").language("en").build().unwrap();
    let create = ["create", "--name", "n", "--language", "en"];

    let host = Engine::new(Arc::new(SqliteStore::open(&path).unwrap()), SystemTime::now);
    let mut ids = vec![host.create(&caller, request()).unwrap().id.get()];
    for _ in 0..3 {
        Engine::new(Arc::new(SqliteStore::open(&path).unwrap()), SystemTime::now).close().unwrap();
        for created in [folder.run(&create), folder.run(&create)] {
            let model: Value = serde_json::from_str(&created.out).unwrap();
            ids.push(model["id"].as_u64().unwrap());
        }
        ids.push(host.create(&caller, request()).unwrap().id.get());
        assert_listed(&folder, &ids);
    }
    host.close().unwrap();
    assert_listed(&folder, &ids);
}

/// Another process sees exactly these models.
fn assert_listed(folder: &Folder, ids: &[u64]) {
    let listed: Value = serde_json::from_str(&folder.run(&["list"]).out).unwrap();
    let kept = listed["result"].as_array().unwrap().iter();
    assert!(kept.map(|model| model["id"].as_u64().unwrap()).eq(ids.iter().copied()), "{listed}");
}
