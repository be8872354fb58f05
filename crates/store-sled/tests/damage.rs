//! Damaged files cause errors: no panic reaches the caller, and nothing hangs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use custom_models_core::store::{ModelStore, StoreError, StoreErrorKind};
use custom_models_store_sled::SledStore;

use common::{acme, copy, create, delete, list, make_store, submit};

/// The time after which a call counts as hanging; no call takes a hundredth of it.
const HANGS: Duration = Duration::from_secs(120);

/// A way to damage a folder.
type Damage = Box<dyn Fn(&Path) + Send>;

/// Opens a damaged store and uses it in every way. Each operation either succeeds correctly or
/// fails with a cause.
fn use_it(folder: &Path) -> Result<(), StoreError> {
    let store = SledStore::open(folder)?;
    let models = list(&store).map_or(Vec::new(), |listing| listing.models);
    for model in models.iter().take(20) {
        let _ = store.get(&acme(), model.id);
        let _ = submit(&store, delete(model.id)).expect("an answer");
    }
    for number in 0..40 {
        let _ = create(&store, &format!("after the damage {number}"));
    }
    let _ = list(&store);
    store.close()
}

/// Damages copies of one store, each in one way, and uses them. Returns the number of those that
/// did not open.
fn try_all(models: usize, damages: Vec<(String, Damage)>) -> usize {
    let temporary = tempfile::tempdir().unwrap();
    let sound = temporary.path().join("sound");
    make_store(&sound, models);
    let mut refused = 0;
    for (number, (what, damage)) in damages.into_iter().enumerate() {
        let damaged = temporary.path().join(format!("damaged-{number}"));
        copy(&sound, &damaged);
        damage(&damaged);
        let (report, reported) = mpsc::channel();
        let folder = damaged.clone();
        let user = thread::spawn(move || report.send(use_it(&folder)).unwrap());
        let result = match reported.recv_timeout(HANGS) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: hangs"),
            Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{what}: panics"),
        };
        user.join().unwrap();
        if let Err(fault) = result {
            refused += 1;
            let expected = [StoreErrorKind::Damaged, StoreErrorKind::Failed];
            assert!(expected.contains(&fault.kind()), "{what}: {fault:?}");
            assert!(std::error::Error::source(&fault).is_some(), "{what}");
        }
        fs::remove_dir_all(damaged).unwrap();
    }
    refused
}

/// A small pseudo-random generator, the same in every run.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// Overwrites some bytes of a file at a random place.
fn scribble(path: &Path, seed: u64) {
    let mut bytes = fs::read(path).unwrap();
    let mut number = numbers(seed);
    // Most of sled's log is zeros after its end, so half of the damage aims at the part in use.
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    for _ in 0..=number(4) {
        let reach = if number(2) == 0 { bytes.len() } else { used };
        let start = usize::try_from(number(reach as u64)).unwrap();
        let length = usize::try_from(1 + number(64)).unwrap();
        let end = (start + length).min(bytes.len());
        for byte in &mut bytes[start..end] {
            *byte = u8::try_from(number(256)).unwrap();
        }
    }
    fs::write(path, bytes).unwrap();
}

fn snapshot(folder: &Path) -> PathBuf {
    let is_snapshot = |path: &PathBuf| path.to_string_lossy().contains("/snap.");
    let mut paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.find(is_snapshot).unwrap()
}

#[test]
fn a_log_that_is_cut_short_anywhere() {
    let mut damages: Vec<(String, Damage)> = Vec::new();
    for length in [0, 1, 19, 20, 21, 100, 511, 512, 4096, 30_000, 524_287, 524_288] {
        let cut = move |folder: &Path| {
            let log = fs::OpenOptions::new().write(true).open(folder.join("db"));
            let log = log.unwrap();
            log.set_len(length).unwrap();
        };
        damages.push((format!("the log cut to {length} bytes"), Box::new(cut)));
    }
    let refused = try_all(200, damages);
    assert!(refused > 0, "an empty log was taken for a store");
}

#[test]
fn a_log_that_is_scribbled_over() {
    let scribble_log = |seed| -> (String, Damage) {
        let damage = move |folder: &Path| scribble(&folder.join("db"), seed);
        (format!("scribble {seed} over the log"), Box::new(damage))
    };
    try_all(60, (0..40).map(scribble_log).collect());
}

#[test]
fn a_log_that_is_something_else() {
    let fill = |byte: u8| -> (String, Damage) {
        let damage = move |folder: &Path| {
            fs::write(folder.join("db"), vec![byte; 600_000]).unwrap();
        };
        (format!("a log of {byte}s"), Box::new(damage))
    };
    let refused = try_all(60, [0, 1, 7, 0x55, 0xFF].map(fill).into());
    assert!(refused > 0, "bytes were taken for a store");
}

#[test]
fn a_snapshot_that_is_scribbled_over_cut_short_or_gone() {
    let mut damages: Vec<(String, Damage)> = vec![
        (
            "an empty snapshot".to_owned(),
            Box::new(|folder| fs::write(snapshot(folder), b"").unwrap()),
        ),
        ("no snapshot".to_owned(), Box::new(|folder| fs::remove_file(snapshot(folder)).unwrap())),
    ];
    for seed in 0..20 {
        let damage = move |folder: &Path| scribble(&snapshot(folder), seed);
        let what = format!("scribble {seed} over the snapshot");
        damages.push((what, Box::new(damage)));
    }
    let refused = try_all(60, damages);
    assert!(refused > 0, "a damaged snapshot was believed");
}

#[test]
fn a_configuration_that_is_scribbled_over_cut_short_or_gone() {
    let mut damages: Vec<(String, Damage)> = Vec::new();
    for bytes in [&b""[..], b"x", b"not a configuration", &[0xFF; 64]] {
        let damage = move |folder: &Path| fs::write(folder.join("conf"), bytes).unwrap();
        damages.push((format!("a configuration of {bytes:?}"), Box::new(damage)));
    }
    damages.push((
        "no configuration".to_owned(),
        Box::new(|folder| fs::remove_file(folder.join("conf")).unwrap()),
    ));
    for seed in 0..20 {
        let damage = move |folder: &Path| scribble(&folder.join("conf"), seed);
        let what = format!("scribble {seed} over the configuration");
        damages.push((what, Box::new(damage)));
    }
    try_all(60, damages);
}
