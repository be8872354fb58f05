//! Copies of a store, from the command line.
#![cfg(feature = "sqlite")]

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
    assert!(again.2.starts_with("error: 'copy.db': there is something"), "{}", again.2);
    let restored = ["--store", "sqlite:new.db"];
    assert_eq!(run(&[&["restore", "copy.db"], &restored[..]].concat()).0, 0);
    let (code, shown, _) = run(&[&["show", "1"], &restored[..]].concat());
    assert_eq!((code, shown), (0, folder.run(&["show", "1"]).out));
    assert_eq!(run(&[&["restore", "copy.db"], &restored[..]].concat()).0, 2);
    assert_eq!(run(&["backup", "x.db", "--store", "memory:"]).0, 2);
    assert_eq!(run(&["backup", "x.db", "--store", "sqlite:none.db"]).0, 2);
    assert_eq!(folder.files(), ["copy.db", "custom-models.db", "new.db"]);
}
