//! The store of the example passes the conformance suite, and holds its file against everything else.

#[path = "../examples/own_store.rs"]
#[expect(dead_code, reason = "the program of the example is not run here")]
mod own_store;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use custom_models_core::store::{
    AccessChange, AccessStore, ModelStore, Registration, StoreErrorKind,
};
use custom_models_store_conformance::{FolderBuilder, conformance_tests};
use own_store::FileStore;
use tempfile::TempDir;

conformance_tests!(FolderBuilder::new(|folder| Ok(Arc::new(FileStore::open(
    &folder.join("models.log")
)?)),));

#[cfg(test)]
mod file {
    use super::*;

    #[test]
    fn the_example_has_under_300_lines() {
        assert!(include_str!("../examples/own_store.rs").lines().count() < 300);
    }

    fn register(store: &FileStore, organisation: &str) {
        let organisation = organisation.parse().unwrap();
        let registration = Registration { organisation, plan: "Gold".parse().unwrap() };
        store.apply_access(AccessChange::Register(registration)).unwrap();
    }

    fn registered(store: &FileStore) -> Vec<String> {
        let registrations = store.registrations().unwrap();
        registrations.iter().map(|it| it.organisation.to_string()).collect()
    }

    fn refused(path: &Path) -> Option<StoreErrorKind> {
        FileStore::open(path).err().map(|error| error.kind())
    }

    /// Returns a log in which each of these organisations was registered by a group of its own.
    fn log_of(organisations: &[&str]) -> (TempDir, Vec<u8>) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log");
        let store = FileStore::open(&path).unwrap();
        organisations.iter().for_each(|organisation| register(&store, organisation));
        store.close().unwrap();
        let log = fs::read(&path).unwrap();
        (folder, log)
    }

    #[test]
    fn a_file_that_is_open_is_locked() {
        let (folder, _) = log_of(&[]);
        let path = folder.path().join("log");
        let store = FileStore::open(&path).unwrap();
        assert_eq!(refused(&path), Some(StoreErrorKind::Locked));
        store.close().unwrap();
        assert_eq!(refused(&path), None);
    }

    #[test]
    fn a_group_that_is_half_written_is_cut_off_wherever_it_ends() {
        let (folder, log) = log_of(&["acme", "zebra"]);
        let path = folder.path().join("log");
        let whole =
            log.len() - log.split_inclusive(|byte| *byte == b'\n').next_back().unwrap().len();
        for end in whole..log.len() {
            fs::write(&path, &log[..end]).unwrap();
            let store = FileStore::open(&path).unwrap();
            assert_eq!(registered(&store), ["acme"], "cut at {end}");
            register(&store, "beta");
            drop(store);
            assert_eq!(
                registered(&FileStore::open(&path).unwrap()),
                ["acme", "beta"],
                "cut at {end}"
            );
        }
    }

    #[test]
    fn a_store_whose_creation_was_cut_short_is_new() {
        let (folder, log) = log_of(&[]);
        let path = folder.path().join("log");
        for end in 0..log.len() {
            fs::write(&path, &log[..end]).unwrap();
            let store = FileStore::open(&path).unwrap();
            register(&store, "acme");
            drop(store);
            assert_eq!(registered(&FileStore::open(&path).unwrap()), ["acme"], "cut at {end}");
        }
    }

    #[test]
    fn damage_before_the_last_group_is_told_and_stays_as_it_is() {
        let (folder, mut log) = log_of(&["acme", "zebra", "omega"]);
        let path = folder.path().join("log");
        let at = log.windows(4).position(|it| it == b"acme").unwrap();
        log[at] = b'e';
        fs::write(&path, &log).unwrap();
        assert_eq!(refused(&path), Some(StoreErrorKind::Damaged));
        assert_eq!(fs::read(&path).unwrap(), log);
    }

    #[test]
    fn a_file_of_another_kind_stays_as_it_is() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "[package]\n").unwrap();
        assert_eq!(refused(&path), Some(StoreErrorKind::NotOurs));
        assert_eq!(fs::read(&path).unwrap(), b"[package]\n");
    }
}
