//! Standard output that takes nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::{Ended, Folder, feed};

const CREATE: [&str; 3] = ["create", "--json", "-"];
const BODY: &[u8] = br#"{"name":"n","language":"en"}"#;

#[test]
fn a_create_whose_reader_is_gone_is_done_and_says_nothing() {
    let folder = Folder::new();
    let mut child = folder.spawn_waiting(&CREATE);
    // It waits for its body, so that nothing is printed before the reader is gone.
    drop(child.stdout.take());
    feed(&mut child, BODY);
    Ended::from(child.wait_with_output().unwrap()).is_done("");
    assert_eq!(folder.run(&["show", "1"]).code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_create_whose_answer_is_lost_is_done_and_says_so() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let folder = Folder::new();
    let create = ["create", "--name", "n", "--language", "en"];
    let output = folder.command(&create).stdout(full).output().unwrap();
    let ended = Ended::from(output);
    assert_eq!(ended.code, 4);
    assert!(
        ended.err.starts_with("error: done, but the answer was not written: "),
        "{}",
        ended.err
    );
    assert_eq!(folder.run(&["show", "1"]).code, 0);
}

/// Runs a command whose standard output is full.
#[cfg(target_os = "linux")]
fn run_into_full(folder: &Folder, arguments: &[&str]) -> Ended {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    Ended::from(folder.command(arguments).stdout(full).output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn whatever_is_printed_in_vain_is_said_to_be() {
    let folder = Folder::new();
    folder.create(&[]);
    folder.run(&["org", "add", "acme"]);
    for arguments in [
        &["list"][..],
        &["show", "1"],
        &["update", "1", "--name", "m"],
        &["data", "list", "1"],
        &["events"],
        &["events", "--follow"],
        &["org", "list"],
        &["org", "add", "zebra"],
        &["key", "list"],
        &["key", "create", "--org", "acme", "--scope", "training:work"],
        &["check"],
        &["sweep"],
        &["export", "all.jsonl"],
        &["openapi"],
        &["completions", "bash"],
        &["demo", "--listen", "127.0.0.1:0"],
        &["--version"],
        &["--help"],
        &["list", "--help"],
        &["help", "key"],
    ] {
        let ended = run_into_full(&folder, arguments);
        assert_eq!(ended.code, 4, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("not written: No space left on device"), "{}", ended.err);
    }
}
