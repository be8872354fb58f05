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
