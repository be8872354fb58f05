//! DATA from the command line.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::Folder;

const FLAC: &[u8] = include_bytes!("../../training-data/tests/audio/tone.flac");

/// A folder with a model, an audio and its transcript.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.create(&[]);
    fs::write(folder.path().join("a.flac"), FLAC).unwrap();
    fs::write(folder.path().join("a.txt"), "The rhythm is regular.").unwrap();
    folder
}

const ADD: [&str; 9] =
    ["data", "add", "1", "--type", "train", "--audio", "a.flac", "--transcript", "a.txt"];

fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let is_content =
        |path: &PathBuf| path.extension().is_none_or(|it| it != "json" && it != "lock");
    let paths = entries.map(|entry| entry.unwrap().path()).filter(is_content);
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Leaves a file as a process that died did, some time ago.
fn leave(path: &Path) {
    fs::write(path, b"left").unwrap();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 60 * 60);
    fs::File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

#[test]
fn data_1_and_data_6_a_pair_is_added_listed_and_removed_with_its_files() {
    let folder = folder();
    let added = folder.run(&ADD);
    assert_eq!((added.code, added.err.as_str()), (0, ""));
    assert_eq!(
        added.out,
        "{\"message\":\"Training data uploaded\",\"data_type\":\"train\",\"filename\":\"a.flac\",\
        \"transcript_filename\":\"a.txt\",\"training_status\":1}\n"
    );
    let list: Value = serde_json::from_str(&folder.run(&["data", "list", "1"]).out).unwrap();
    assert_eq!((&list["count"], &list["result"][0]["audio_millis"]), (&1.into(), &1000.into()));
    let place = folder.path().join("custom-models.db.data");
    assert_eq!(files(&place).len(), 2);
    let removed = folder.run(&["data", "remove", "1", "1"]);
    assert_eq!((removed.code, removed.out.as_str()), (0, ""));
    assert!(files(&place).is_empty());
    let again = folder.run(&["data", "remove", "1", "1"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("DATA_NOT_FOUND"), "{}", again.err);
}

#[test]
fn data_2_what_is_wrong_is_told_at_once_and_nothing_is_left() {
    let folder = folder();
    let wrong = folder.run(&["data", "add", "1", "--audio", "a.txt", "--transcript", "a.flac"]);
    assert_eq!(wrong.code, 1);
    assert_eq!(
        wrong.err,
        "{\"error\":\"Validation Error\",\"message\":\"Invalid field values\",\"details\":{\
        \"type\":\"Type is required\",\
        \"audio_file\":\"Audio file must be .mp3, .wav, .flac, .m4a, .aac or .ogg\",\
        \"transcript_file\":\"Transcript file must be .txt\"}}\n"
    );
    let missing = folder.run(&["data", "add", "1", "--audio", "no.flac"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("cannot read 'no.flac'"), "{}", missing.err);
    let nobody = folder.run(&["data", "add", "2", "--type", "test", "--audio", "a.flac"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("MODEL_NOT_FOUND"), "{}", nobody.err);
    assert!(files(&folder.path().join("custom-models.db.data")).is_empty());
}

#[test]
fn edit_5_the_files_of_a_model_go_with_it_wherever_they_are() {
    let folder = folder();
    let elsewhere: Vec<&str> = ADD.into_iter().chain(["--data", "elsewhere"]).collect();
    assert_eq!(folder.run(&elsewhere).code, 0);
    assert_eq!(files(&folder.path().join("elsewhere")).len(), 2);
    assert_eq!(folder.run(&["delete", "1", "--data", "elsewhere"]).code, 0);
    assert!(files(&folder.path().join("elsewhere")).is_empty());
}

/// A service removes what a crash left, when it starts and after each change; what is referred to stays.
#[cfg(feature = "serve")]
#[test]
fn data_4_a_service_sweeps_what_nothing_refers_to() {
    let folder = folder();
    assert_eq!(folder.run(&ADD).code, 0);
    let place = folder.path().join("custom-models.db.data/default/1");
    let kept = files(&place);
    let left = |name: &str| {
        let path = place.join(name.repeat(32));
        leave(&path);
        path
    };
    let first = left("0");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--sweep-every", "1s"];
    let mut served = folder.command(&serve).spawn().unwrap();
    let gone = |path: &Path| {
        let begun = std::time::Instant::now();
        while path.exists() {
            assert!(begun.elapsed().as_secs() < 60, "{path:?} stays");
            std::thread::yield_now();
        }
    };
    gone(&first);
    // An idle store is not looked through again and again; one that is changed is.
    let second = left("1");
    folder.create(&[]);
    gone(&second);
    assert_eq!(files(&place), kept);
    served.kill().unwrap();
    served.wait().unwrap();
}

#[test]
fn data_4_a_sweep_says_what_it_did() {
    let folder = folder();
    assert_eq!(folder.run(&ADD).code, 0);
    let place = folder.path().join("custom-models.db.data/default/1");
    leave(&place.join("0".repeat(32)));
    let swept = |files| {
        format!("{{\"failed_trainings\":0,\"events\":0,\"answers\":0,\"files\":{files}}}\n")
    };
    assert_eq!(folder.run(&["sweep"]).out, swept(1));
    assert_eq!(folder.run(&["sweep"]).out, swept(0));
    assert_eq!(files(&place).len(), 2);
}
