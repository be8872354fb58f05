//! Several processes on one SQLite file.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;

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
