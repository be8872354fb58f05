//! `--store`: where models are kept, and what is said when they cannot be.

mod support;

use custom_models_store_sled::SledStore;
use support::{Folder, NOT_FOUND};

#[test]
fn model_6_sqlite_and_sled_keep_models_from_one_command_to_the_next() {
    for store in ["sqlite:models.db", "sled:models"] {
        let folder = Folder::new();
        let at = |arguments: &[&str]| folder.run(&[arguments, &["--store", store]].concat());
        let created = at(&["create", "--name", "n", "--language", "en"]);
        assert_eq!(created.code, 0, "{created:?}");
        at(&["show", "1"]).is_done(&created.out);
        at(&["delete", "1"]).is_done("");
        at(&["show", "1"]).is_refused(NOT_FOUND);
        assert_eq!(folder.create(&["--store", store])["id"], 2, "{store}");
    }
}

#[test]
fn memory_keeps_nothing() {
    let folder = Folder::new();
    for _ in 0..2 {
        assert_eq!(folder.create(&["--store", "memory:"])["id"], 1);
    }
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn a_missing_folder_is_not_made() {
    let folder = Folder::new();
    folder
        .run(&["list", "--store", "sqlite:missing/models.db"])
        .store_failed("error: 'sqlite:missing/models.db': there is no store: ", " make one");
    folder
        .run(&["create", "--name", "n", "--language", "en", "--store", "sqlite:missing/models.db"])
        .store_failed("error: 'sqlite:missing/models.db': the store is unavailable: ", "first");
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn a_file_of_another_kind_is_named_with_the_reason() {
    let folder = Folder::new();
    let file = folder.path().join("notes.txt");
    let notes = "these are notes, not models\n".repeat(100);
    std::fs::write(&file, &notes).unwrap();
    folder
        .run(&["create", "--name", "n", "--language", "en", "--store", "sqlite:notes.txt"])
        .store_failed("error: 'sqlite:notes.txt': not a store of custom models", "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), notes);
}

#[test]
fn a_sled_database_that_another_process_has_open_is_locked() {
    let folder = Folder::new();
    let held = SledStore::open(folder.path().join("models")).unwrap();
    folder
        .run(&["list", "--store", "sled:models"])
        .store_failed("error: 'sled:models': another process has the store open", "");
    drop(held);
}

#[test]
fn a_url_cannot_steer_the_terminal() {
    let folder = Folder::new();
    folder
        .run(&["list", "--store", "sqlite:\u{1b}[2J\n\u{202e}/x.db"])
        .store_failed(r"error: 'sqlite:\u{1b}[2J\n\u{202e}/x.db': ", "");
}

#[test]
fn wrong_urls_are_wrong_usage() {
    let folder = Folder::new();
    for (url, says) in [
        (
            "mysql:x",
            "a store is named by sqlite:PATH, sled:DIR, postgres://HOST/DATABASE or memory:",
        ),
        (
            "models.db",
            "a store is named by sqlite:PATH, sled:DIR, postgres://HOST/DATABASE or memory:",
        ),
        ("", "a store is named by sqlite:PATH, sled:DIR, postgres://HOST/DATABASE or memory:"),
        ("sqlite:", "the path is missing after sqlite:"),
        ("sled:", "the path is missing after sled:"),
        ("sqlite://models.db", "a path cannot begin with //: write sqlite:PATH"),
        ("postgres:x", "a server is named by postgres://HOST/DATABASE"),
        ("memory:x", "memory: has no path"),
        ("sqlite::memory:", "a store in memory is memory:"),
        ("sqlite:file:x.db", "a URI is not read: write sqlite:PATH"),
        ("sqlite:x.db?mode=ro", "a path has no parameters"),
        ("sqlite:~/x.db", "write sqlite:$HOME/"),
        ("sqlite:a%20b.db", "escapes such as %20 are not read"),
        ("sqlite: x.db", "the path begins or ends with a space"),
        ("sqlite:x.db ", "the path begins or ends with a space"),
        ("sqlite:.", "this is a folder: name a file in it"),
        ("sqlite:new/", "this is a folder: name a file in it"),
        ("sled::memory:", "a store in memory is memory:"),
        ("sled:~/x", "write sled:$HOME/"),
        ("postgres://h/x ", "the URL begins or ends with a space"),
    ] {
        folder.run(&["list", "--store", url]).is_wrong_usage(says);
    }
    assert_eq!(folder.files(), [""; 0]);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_command_that_does_not_migrate_says_who_does() {
    let folder = Folder::new();
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/../store-sqlite/tests/data/third-layout.db");
    std::fs::copy(old, folder.path().join("custom-models.db")).unwrap();
    let sweep = folder.run(&["sweep"]);
    sweep.store_failed(
        "error: 'sqlite:custom-models.db': the store has an older layout: ",
        "`create`",
    );
    assert_eq!(folder.run(&["org", "add", "zebra"]).code, 0);
    let sweep = folder.run(&["sweep"]);
    assert!(!sweep.err.contains("layout"), "{}", sweep.err);
}
