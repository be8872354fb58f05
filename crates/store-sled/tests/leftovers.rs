//! Incomplete files left by a kill or a full disk do not stop the next opening.
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

use custom_models_core::store::{ArchiveStore, ModelStore, OpenMode, StoreErrorKind};
use custom_models_store_sled::SledStore;

use common::{contents, copy, create, export, list, make_store};

const WATERMARK: &str = "custom-models-watermark";
const ASIDE: &str = "custom-models-watermark.new";

/// A store whose next opening writes a new snapshot, and that snapshot.
fn store_and_snapshot() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 30);
    let store = SledStore::open(&folder).unwrap();
    create(&store, "next").unwrap();
    store.close().unwrap();
    let opened = temporary.path().join("opened");
    copy(&folder, &opened);
    SledStore::open(&opened).unwrap().close().unwrap();
    let [(name, bytes)] = &snapshots(&opened)[..] else { panic!("one snapshot") };
    let [(before, _)] = &snapshots(&folder)[..] else { panic!("one snapshot") };
    assert_ne!(name, before);
    let half_made = folder.join(format!("{name}.generating"));
    (temporary, half_made, bytes.clone())
}

fn snapshots(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let snapshots = names.filter(|name| name.starts_with("snap."));
    snapshots.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

fn no_half_made(folder: &Path) {
    let all = snapshots(folder);
    assert!(all.iter().all(|(name, _)| !name.ends_with(".generating")), "{all:?}");
}

#[test]
fn a_snapshot_that_is_half_made_is_made_anew() {
    let (temporary, half_made, bytes) = store_and_snapshot();
    let folder = half_made.parent().unwrap();
    let end = bytes.len();
    // Its contents, their length and the checksum are three writes.
    for length in [0, 1, end / 2, end - 12, end - 4, end] {
        let killed = temporary.path().join(format!("killed at {length}"));
        copy(folder, &killed);
        fs::write(killed.join(half_made.file_name().unwrap()), &bytes[..length]).unwrap();
        let before = contents(&killed);
        let store = SledStore::open_as(&killed, OpenMode::ReadOnly).unwrap();
        assert_eq!(list(&store).unwrap().total, 31, "{length}");
        let exported = export(&store);
        store.close().unwrap();
        assert_eq!(contents(&killed), before, "{length}");
        let store = SledStore::open(&killed).unwrap();
        no_half_made(&killed);
        assert_eq!(export(&store), exported, "{length}");
        create(&store, "after").unwrap();
        store.close().unwrap();
        let store = SledStore::open(&killed).unwrap();
        assert_eq!(list(&store).unwrap().total, 32, "{length}");
        assert!(store.verify().unwrap().is_empty(), "{length}");
    }
}

#[test]
fn a_creation_that_was_cut_short_at_its_configuration_is_finished() {
    let temporary = tempfile::tempdir().unwrap();
    make_store(&temporary.path().join("store"), 1);
    let conf = fs::read(temporary.path().join("store").join("conf")).unwrap();
    for length in 0..=conf.len() {
        let folder = temporary.path().join(format!("cut short at {length}"));
        fs::create_dir_all(folder.join("blobs")).unwrap();
        fs::write(folder.join("custom-models-sled"), "").unwrap();
        fs::write(folder.join("conf"), &conf[..length]).unwrap();
        let store = SledStore::open(&folder).unwrap_or_else(|fault| panic!("{length}: {fault:?}"));
        create(&store, "first").unwrap();
        store.close().unwrap();
        assert_eq!(fs::read(folder.join("conf")).unwrap(), conf);
    }
}

/// Two stores without a watermark: one of ours that lost it, and one of layout 2, which has none.
fn without_watermark(temporary: &Path) -> [PathBuf; 2] {
    let ours = temporary.join("store");
    make_store(&ours, 3);
    fs::remove_file(ours.join(WATERMARK)).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/layout-2/store");
    let second = temporary.join("layout 2");
    copy(&data, &second);
    [ours, second]
}

/// Opens a store without a watermark, which creates it.
fn makes_watermark(folder: &Path) {
    let store = SledStore::open(folder).unwrap();
    create(&store, "next").unwrap();
    store.close().unwrap();
    assert_eq!(fs::read(folder.join(WATERMARK)).unwrap().len(), 4172);
    assert!(!folder.join(ASIDE).exists());
    let store = SledStore::open(folder).unwrap();
    assert!(store.verify().unwrap().is_empty());
}

#[test]
fn a_watermark_that_is_half_made_is_made_anew() {
    let temporary = tempfile::tempdir().unwrap();
    let whole = temporary.path().join("whole");
    make_store(&whole, 1);
    let watermark = fs::read(whole.join(WATERMARK)).unwrap();
    let mut first_write = watermark.clone();
    first_write[..4096].fill(0);
    for folder in without_watermark(temporary.path()) {
        for bytes in [&[][..], &first_write[..4100], &first_write, &watermark, &[7; 5000]] {
            let killed = temporary.path().join("killed");
            copy(&folder, &killed);
            fs::write(killed.join(ASIDE), bytes).unwrap();
            let before = contents(&killed);
            SledStore::open_as(&killed, OpenMode::ReadOnly).unwrap().close().unwrap();
            assert_eq!(contents(&killed), before);
            makes_watermark(&killed);
            fs::remove_dir_all(killed).unwrap();
        }
    }
}

#[test]
fn a_watermark_that_cannot_be_made_leaves_none_and_is_made_later() {
    let temporary = tempfile::tempdir().unwrap();
    let [ours, second] = without_watermark(temporary.path());
    for folder in [ours, second, temporary.path().join("new")] {
        // Remove what is in the way. A creation goes on if there is a marker.
        fs::create_dir_all(folder.join(ASIDE)).unwrap();
        if folder.ends_with("new") {
            fs::write(folder.join("custom-models-sled"), "").unwrap();
        }
        for _ in 0..2 {
            let fault = SledStore::open(&folder).unwrap_err();
            assert_ne!(fault.kind(), StoreErrorKind::Damaged, "{fault:?}");
            assert!(!folder.join(WATERMARK).exists());
        }
        fs::remove_dir(folder.join(ASIDE)).unwrap();
        makes_watermark(&folder);
    }
}
