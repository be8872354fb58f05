//! The creation of a store, files that are removed while it is open, and the modes of its files.
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

use custom_models_core::store::{
    AccessChange, AccessStore, ArchiveChange, ArchiveStore, ModelStore, OpenMode, Purge,
    Registration, StoreError, StoreErrorKind,
};
use custom_models_core::time::UnixMillis;
use custom_models_store_sled::SledStore;
use tempfile::TempDir;

use common::{acme, contents, copy, create, export, list, make_store};

const NOT_MAKING: [OpenMode; 3] = [OpenMode::Existing, OpenMode::Current, OpenMode::ReadOnly];

fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|fault| fault.kind())
}

fn old_folder(name: &str) -> (TempDir, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    copy(&data.join("store"), &folder);
    (temporary, folder)
}

#[test]
fn place_1_a_store_is_made_by_create_alone() {
    for mode in NOT_MAKING {
        let temporary = tempfile::tempdir().unwrap();
        let missing = temporary.path().join("missing");
        assert_eq!(kind(SledStore::open_as(&missing, mode)), Some(StoreErrorKind::Missing));
        let below = missing.join("below");
        assert_eq!(kind(SledStore::open_as(&below, mode)), Some(StoreErrorKind::Missing));
        assert!(!missing.exists(), "{mode:?}");
        let opened = SledStore::open_as(temporary.path(), mode);
        let fault = opened.err().unwrap();
        assert_eq!(fault.kind(), StoreErrorKind::Missing);
        let cause = std::error::Error::source(&fault).unwrap().to_string();
        assert!(cause.contains(temporary.path().to_str().unwrap()), "{cause}");
        assert!(contents(temporary.path()).is_empty(), "{mode:?}");
        fs::write(temporary.path().join("custom-models-sled"), "custom-mod").unwrap();
        let before = contents(temporary.path());
        let opened = SledStore::open_as(temporary.path(), mode);
        assert_eq!(kind(opened), Some(StoreErrorKind::Missing), "a creation that was cut short");
        assert_eq!(contents(temporary.path()), before);
        fs::write(temporary.path().join("custom-models-sled"), "letter").unwrap();
        assert_eq!(kind(SledStore::open_as(temporary.path(), mode)), Some(StoreErrorKind::NotOurs));
    }
}

#[test]
fn place_1_an_older_layout_is_migrated_read_as_it_is_or_refused() {
    for (data, models) in [("first-release", 3), ("layout-2", 3)] {
        let (_temporary, folder) = old_folder(data);
        let before = contents(&folder);
        let opened = SledStore::open_as(&folder, OpenMode::Current);
        assert_eq!(kind(opened), Some(StoreErrorKind::Older));
        let store = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
        assert_eq!(list(&store).unwrap().models.len(), models);
        let exported = export(&store);
        assert_eq!(kind(create(&store, "no")), Some(StoreErrorKind::ReadOnly));
        drop(store);
        assert_eq!(contents(&folder), before, "{data}");
        let store = SledStore::open_as(&folder, OpenMode::Existing).unwrap();
        assert_eq!(export(&store), exported);
        store.close().unwrap();
        SledStore::open_as(&folder, OpenMode::Current).unwrap();
    }
}

#[test]
fn place_1_a_store_that_is_read_is_left_as_it_is_and_takes_no_write() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    make_store(&folder, 3);
    let before = contents(&folder);
    let store = SledStore::open_as(&folder, OpenMode::ReadOnly).unwrap();
    assert_eq!(list(&store).unwrap().total, 3);
    assert_eq!(store.summary().unwrap().last_id, 3);
    assert!(store.verify().unwrap().is_empty());
    let refused = Some(StoreErrorKind::ReadOnly);
    assert_eq!(kind(create(&store, "no")), refused);
    let registration = Registration { organisation: acme(), plan: "Gold".parse().unwrap() };
    assert_eq!(kind(store.apply_access(AccessChange::Register(registration))), refused);
    assert_eq!(kind(store.archive(ArchiveChange::Import(Vec::new()))), refused);
    let idempotency_until = UnixMillis::from_unix_millis(0);
    let purge = Purge { events_before: None, idempotency_until, limit: 9 };
    assert_eq!(kind(store.purge(purge)), refused);
    // Other processes can use the store meanwhile, since a copy is read.
    let other = SledStore::open_as(&folder, OpenMode::Existing).unwrap();
    create(&other, "next").unwrap();
    assert_eq!(list(&store).unwrap().total, 3);
    assert_eq!(kind(SledStore::open_as(&folder, OpenMode::ReadOnly)), Some(StoreErrorKind::Locked));
    other.close().unwrap();
    store.close().unwrap();
    assert_eq!(kind(list(&store)), Some(StoreErrorKind::Closed));
    assert_eq!(kind(create(&store, "no")), Some(StoreErrorKind::Closed));
    assert_ne!(contents(&folder), before);
}

/// A way to remove a store's files, and to put them back.
#[cfg(unix)]
type Removal = (&'static str, fn(&Path), fn(&Path));

#[cfg(unix)]
fn removals() -> Vec<Removal> {
    fn aside(path: &Path) -> PathBuf {
        path.with_extension("aside")
    }
    vec![
        ("moved", |it| fs::rename(it, aside(it)).unwrap(), |it| fs::rename(aside(it), it).unwrap()),
        (
            "replaced by a copy",
            |it| {
                fs::rename(it, aside(it)).unwrap();
                copy(&aside(it), it);
            },
            |it| {
                fs::remove_dir_all(it).unwrap();
                fs::rename(aside(it), it).unwrap();
            },
        ),
        (
            "without its log",
            |it| fs::rename(it.join("db"), aside(it)).unwrap(),
            |it| fs::rename(aside(it), it.join("db")).unwrap(),
        ),
        (
            "with another log",
            |it| {
                fs::rename(it.join("db"), aside(it)).unwrap();
                fs::copy(aside(it), it.join("db")).unwrap();
            },
            |it| fs::rename(aside(it), it.join("db")).unwrap(),
        ),
    ]
}

#[cfg(unix)]
#[test]
fn place_3_a_store_whose_files_were_taken_away_says_so_and_heals_when_they_are_back() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    for (what, take, give_back) in removals() {
        let store = SledStore::open(&folder).unwrap();
        create(&store, "first").unwrap();
        let total = list(&store).unwrap().total;
        take(&folder);
        let gone = Some(StoreErrorKind::Unavailable);
        assert_eq!(kind(create(&store, "lost")), gone, "{what}");
        assert_eq!(kind(list(&store)), gone, "{what}");
        assert_eq!(kind(store.get(&acme(), common::id(1))), gone, "{what}");
        assert_eq!(kind(store.summary()), gone, "{what}");
        assert_eq!(kind(store.verify()), gone, "{what}");
        give_back(&folder);
        assert_eq!(list(&store).unwrap().total, total, "{what}: nothing was made");
        create(&store, "second").unwrap();
        store.close().unwrap();
    }
}

/// The log and the folder itself may be removed for good.
#[cfg(unix)]
#[test]
fn place_3_a_store_that_was_removed_is_gone() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    create(&store, "first").unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let gone = Some(StoreErrorKind::Unavailable);
    assert_eq!(kind(create(&store, "lost")), gone);
    assert_eq!(kind(list(&store)), gone);
    store.close().unwrap();
    assert!(!folder.exists());
}

#[cfg(unix)]
#[test]
fn place_5_a_store_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let temporary = tempfile::tempdir().unwrap();
    // A store created with its folder, and one in an existing folder.
    let (made, there) = (temporary.path().join("made"), temporary.path().join("there"));
    fs::create_dir(&there).unwrap();
    for folder in [&made, &there] {
        make_store(folder, 3);
        SledStore::open(folder).unwrap().close().unwrap();
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files += 1;
            }
        }
        assert!(files >= 4, "{files} files");
    }
    assert_eq!(mode(&made), 0o700);
    // A mode that the owner gave to the marker is kept.
    fs::set_permissions(made.join("custom-models-sled"), fs::Permissions::from_mode(0o640))
        .unwrap();
    SledStore::open(&made).unwrap().close().unwrap();
    assert_eq!(mode(&made.join("db")), 0o640);
}
