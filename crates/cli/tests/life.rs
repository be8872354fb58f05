//! The life of a model after creation, from the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;
use support::{Folder, NOT_FOUND, invalid};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn edit_1_update_changes_what_it_names_and_prints_the_model() {
    let folder = Folder::new();
    let before = folder.create(&["--description", "d"]);
    let updated = folder.run(&["update", "1", "--name", "m"]);
    assert_eq!((updated.code, updated.err.as_str()), (0, ""));
    let after = json(&updated.out);
    assert_eq!((&after["name"], &after["description"]), (&"m".into(), &"d".into()));
    assert_eq!(after["created_at"], before["created_at"]);
    let cleared =
        folder.run_with_input(&["update", "1", "--json", "-"], br#"{"description":null}"#);
    assert_eq!(json(&cleared.out)["description"], Value::Null);
    assert_eq!(folder.run(&["show", "1"]).out, cleared.out);
    let again = folder.run(&["update", "1", "--description", "e"]);
    let none = folder.run(&["update", "1", "--no-description"]);
    assert_eq!(json(&again.out)["description"], "e");
    assert_eq!(json(&none.out)["description"], Value::Null);
}

#[test]
fn edit_1_and_edit_2_what_is_wrong_with_an_update_is_told_at_once() {
    let folder = Folder::new();
    folder.create(&[]);
    folder
        .run(&["update", "1"])
        .is_refused(&invalid(r#"{"body":"Request body must have a name or a description"}"#));
    let body = br#"{"name":"","language":"nl"}"#;
    folder.run_with_input(&["update", "1", "--json", "-"], body).is_refused(&invalid(
        r#"{"name":"Name cannot be empty","language":"Language cannot be changed after creation"}"#,
    ));
    folder.run(&["update", "2", "--name", "m"]).is_refused(NOT_FOUND);
    folder
        .run(&["update", "1", "--description", "d", "--no-description"])
        .is_wrong_usage("cannot be used with");
}

#[test]
fn edit_4_an_update_is_made_only_at_the_revision_that_is_expected() {
    let folder = Folder::new();
    folder.create(&[]);
    let update = |name: &str, revision: &str| {
        folder.run(&["update", "1", "--name", name, "--if-revision", revision])
    };
    assert_eq!(update("a", "1").code, 0);
    let stale = update("b", "1");
    assert_eq!(stale.code, 1);
    assert_eq!(json(&stale.err)["error_code"], "PRECONDITION_FAILED");
    assert_eq!(update("c", "2").code, 0);
    update("d", "0").is_wrong_usage("--if-revision");
}

#[test]
fn train_2_and_train_6_and_read_5_a_model_without_data_is_neither_run_nor_resolved() {
    let folder = Folder::new();
    folder.create(&[]);
    for (arguments, error_code) in [
        (["run", "1"], "MODEL_NOT_READY"),
        (["cancel", "1"], "TRAINING_NOT_RUNNING"),
        (["resolve", "custom_model_1"], "MODEL_NOT_TRAINED"),
        (["resolve", "custom_model_2"], "MODEL_NOT_FOUND"),
        (["resolve", "1"], "MODEL_NOT_FOUND"),
    ] {
        let refused = folder.run(&arguments);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{arguments:?}");
        assert_eq!(json(&refused.err)["error_code"], error_code, "{arguments:?}");
    }
}

#[test]
fn log_1_events_are_printed_in_their_order_and_followed() {
    let folder = Folder::new();
    folder.create(&[]);
    folder.run(&["events", "--org", "other"]).is_done("");
    assert_eq!(folder.run(&["update", "1", "--name", "m"]).code, 0);
    let printed = folder.run(&["events"]);
    let events: Vec<Value> = printed.out.lines().map(json).collect();
    let told: Vec<_> =
        events.iter().map(|it| (&it["position"], &it["type"], &it["actor"])).collect();
    let by = Value::from("command-line");
    assert_eq!(told, [(&1.into(), &"created".into(), &by), (&2.into(), &"updated".into(), &by)]);
    let last = folder.run(&["events", "--after", "1", "--limit", "1"]);
    assert_eq!(last.out.lines().map(json).collect::<Vec<_>>(), events[1..]);
    let other = folder.run(&["events", "--org", "other"]);
    other.is_done("");

    let mut follower = folder.command(&["events", "--after", "2", "--follow"]);
    let mut follower = follower.stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(folder.run(&["delete", "1"]).code, 0);
    let mut line = String::new();
    BufReader::new(follower.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(json(&line)["type"], "deleted");
    follower.kill().unwrap();
    follower.wait().unwrap();
}
