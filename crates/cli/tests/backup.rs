//! Copies of a store, from the command line.
#![cfg(feature = "sqlite")]
#![allow(clippy::indexing_slicing, reason = "tests")]

mod support;

use support::Folder;

#[test]
fn a_store_is_copied_and_made_of_its_copy() {
    let folder = Folder::new();
    folder.create(&[]);
    let run = |arguments: &[&str]| {
        let ended = folder.run(arguments);
        (ended.code, ended.out, ended.err)
    };
    assert_eq!(run(&["backup", "copy.db"]), (0, String::new(), String::new()));
    let again = run(&["backup", "copy.db"]);
    assert_eq!(again.0, 2);
    assert!(again.2.starts_with("error: 'copy.db': this name is taken"), "{}", again.2);
    let restored = ["--store", "sqlite:new.db"];
    assert_eq!(run(&[&["restore", "copy.db"], &restored[..]].concat()).0, 0);
    let (code, shown, _) = run(&[&["show", "1"], &restored[..]].concat());
    assert_eq!((code, shown), (0, folder.run(&["show", "1"]).out));
    assert_eq!(run(&[&["restore", "copy.db"], &restored[..]].concat()).0, 2);
    assert_eq!(run(&["backup", "x.db", "--store", "memory:"]).0, 2);
    assert_eq!(run(&["backup", "x.db", "--store", "sqlite:none.db"]).0, 3);
    assert_eq!(folder.files(), ["copy.db", "custom-models.db", "new.db"]);
}

/// A copy is of the layout that the store has, and the store keeps it.
#[test]
fn place_1_a_backup_migrates_nothing() {
    let folder = Folder::new();
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/../store-sqlite/tests/data/third-layout.db");
    let store = folder.path().join("custom-models.db");
    std::fs::copy(old, &store).unwrap();
    assert_eq!(folder.run(&["backup", "copy.db"]).code, 0);
    assert_eq!(std::fs::read(&store).unwrap(), std::fs::read(old).unwrap());
    let layout = |name: &str| std::fs::read(folder.path().join(name)).unwrap()[60..64].to_vec();
    assert_eq!(layout("copy.db"), [0, 0, 0, 3]);
}
