//! Panics of sled on damaged files become errors, and print nothing to standard error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::process::Command;
use std::thread;

use custom_models_core::store::StoreErrorKind;
use custom_models_store_sled::SledStore;

use common::{copy, make_store};

const INSIDE: &str = "CUSTOM_MODELS_SLED_PANICS";

/// Uses damaged stores in a process of its own, where sled panics.
#[test]
fn the_panics_of_sled_are_silent_and_those_of_others_are_not() {
    if std::env::var_os(INSIDE).is_some() {
        return use_damaged_stores();
    }
    let name = "the_panics_of_sled_are_silent_and_those_of_others_are_not";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let panics: Vec<_> = said.lines().filter(|line| line.contains("panicked at")).collect();
    assert_eq!(panics.len(), 1, "{said}");
    assert!(said.contains("of somebody else"), "{said}");
}

fn use_damaged_stores() {
    let temporary = tempfile::tempdir().unwrap();
    let (sound, damaged) = (temporary.path().join("sound"), temporary.path().join("damaged"));
    make_store(&sound, 6);
    let mut segment = fs::read(sound.join("db")).unwrap();
    segment.resize(512 << 10, 0);
    // A duplicate segment, which the opening thread finds, and one with the highest LSN, which a
    // thread of sled's finds: its checksum and zeros.
    let last = [&[0xAA, 0xB4, 0x44, 0x13][..], &[0; 600]].concat();
    for second in [&segment, &last] {
        copy(&sound, &damaged);
        fs::write(damaged.join("db"), [&segment, &second[..]].concat()).unwrap();
        let fault = SledStore::open(&damaged).unwrap_err();
        assert_eq!(fault.kind(), StoreErrorKind::Damaged);
        // Otherwise the store refuses the log before sled sees it.
        fs::remove_file(damaged.join("custom-models-watermark")).unwrap();
        let fault = SledStore::open(&damaged).unwrap_err();
        assert_eq!(fault.kind(), StoreErrorKind::Damaged);
        assert!(format!("{fault:?}").contains("sled panicked"), "{fault:?}");
        fs::remove_dir_all(&damaged).unwrap();
    }
    assert!(thread::spawn(|| panic!("of somebody else")).join().is_err());
}
