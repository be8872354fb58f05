//! PLACE-2 from the command line: a folder of training data belongs to one store, and no typo erases it.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
#[cfg(feature = "serve")]
use support::serving::{self, Serving};
use support::{Ended, Folder};

const FLAC: &[u8] = include_bytes!("../../training-data/tests/audio/tone.flac");
const DATA: &str = "custom-models.db.data";

/// A store with a pair of data, whose files are old.
fn filled() -> Folder {
    let folder = Folder::new();
    folder.create(&[]);
    fs::write(folder.path().join("a.flac"), FLAC).unwrap();
    fs::write(folder.path().join("a.txt"), "The rhythm is regular.").unwrap();
    add(&folder, &[]);
    folder
}

fn add(folder: &Folder, arguments: &[&str]) {
    let add = ["data", "add", "1", "--type", "train", "--audio", "a.flac", "--transcript", "a.txt"];
    let added = folder.run(&[&add, arguments].concat());
    assert_eq!((added.code, added.err.as_str()), (0, ""));
    age(folder);
}

/// The contents in the folder of data.
fn files(folder: &Folder) -> Vec<PathBuf> {
    fn below(place: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(place).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    below(&folder.path().join(DATA).join("default"), &mut found);
    found.sort();
    found
}

/// Makes all contents old enough to be swept.
fn age(folder: &Folder) {
    let then = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    for path in files(folder) {
        fs::File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
    }
}

fn is_foreign(ended: &Ended) {
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
    assert!(ended.err.contains("the training data belongs to another store"), "{}", ended.err);
}

fn swept(folder: &Folder, arguments: &[&str]) -> (i32, Value, String) {
    let Ended { code, out, err } = folder.run(&[&["sweep"], arguments].concat());
    (code, serde_json::from_str(&out).unwrap(), err)
}

#[test]
fn place_2_no_command_on_another_store_touches_the_files() {
    let folder = filled();
    let before = files(&folder);
    // Another store, and one that a typo makes.
    folder.create(&["--store", "sqlite:other.db"]);
    for arguments in [
        &["sweep", "--store", "sqlite:other.db"][..],
        &["sweep", "--store", "memory:"],
        &["org", "delete", "default", "--yes", "--store", "sqlite:other.db"],
        &["delete", "1", "--store", "sqlite:other.db"],
        &["check", "--store", "sqlite:other.db"],
        &["work", "--once", "--command", "true", "--store", "sqlite:other.db"],
        #[cfg(feature = "serve")]
        &["serve", "--listen", "127.0.0.1:0", "--store", "sqlite:typo.db"],
        #[cfg(feature = "serve")]
        &["demo", "--listen", "127.0.0.1:0"],
    ] {
        is_foreign(&folder.run(&[arguments, &["--data", DATA]].concat()));
        assert_eq!(files(&folder), before, "{arguments:?}");
    }
    let listed = folder.run(&["list", "--store", "sqlite:other.db"]);
    assert!(listed.out.contains("\"count\":1,"), "the model stays with its store: {}", listed.out);
    assert_eq!(swept(&folder, &[]).1["files"], 0);
    assert_eq!(files(&folder), before);
}

#[test]
fn place_2_an_old_copy_that_was_restored_sweeps_nothing_and_says_so() {
    let folder = filled();
    assert_eq!(folder.run(&["backup", "old.db"]).code, 0);
    add(&folder, &[]);
    let before = files(&folder);
    assert_eq!(before.len(), 4);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("custom-models.db{ending}")));
    }
    let restored = folder.run(&["restore", "old.db"]);
    assert_eq!(restored.code, 0);
    assert!(restored.err.contains("the store is older than its folder"), "{}", restored.err);
    for _ in 0..2 {
        let (code, answer, said) = swept(&folder, &[]);
        assert_eq!((code, &answer["files"]), (1, &0.into()));
        assert!(said.contains("the store is older than its folder"), "{said}");
        // Whatever comes, the copy does not become the store that was lost.
        (0..3).for_each(|_| drop(folder.create(&[])));
    }
    assert_eq!(files(&folder), before);
    let (code, shown, said) = swept(&folder, &["--dry-run", "--adopt"]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!((&shown["files"], shown["paths"].as_array().unwrap().len()), (&2.into(), 2));
    assert_eq!(swept(&folder, &[]).0, 1, "a dry run changes nothing");
    let (code, answer, said) = swept(&folder, &["--adopt"]);
    assert_eq!((code, &answer["files"]), (0, &0.into()));
    for path in shown["paths"].as_array().unwrap() {
        assert!(said.contains(path.as_str().unwrap()), "{said}");
    }
    assert_eq!(files(&folder), before);
    let (code, answer, said) = swept(&folder, &[]);
    assert_eq!((code, &answer["files"], said.as_str()), (0, &2.into(), ""));
    assert_eq!(folder.run(&["check"]).code, 0);
}

/// The record that refers to the files is removed all the same, as with a model that is deleted.
#[test]
fn place_2_the_files_of_data_that_an_old_copy_removes_stay_until_it_adopts_the_folder() {
    let folder = filled();
    assert_eq!(folder.run(&["backup", "old.db"]).code, 0);
    add(&folder, &[]);
    fs::remove_file(folder.path().join("custom-models.db")).unwrap();
    assert_eq!(folder.run(&["restore", "old.db"]).code, 0);
    let before = files(&folder);
    let removed = folder.run(&["data", "remove", "1", "1"]);
    assert_eq!((removed.code, removed.err.as_str()), (0, ""));
    assert!(folder.run(&["data", "list", "1"]).out.contains("[]"));
    assert_eq!(files(&folder), before);
    assert_eq!(swept(&folder, &["--adopt"]).0, 0);
    assert_eq!(swept(&folder, &[]).1["files"], 4);
}

/// `cp` of the database, which is used on until it has more than the store had.
#[test]
fn place_2_a_copy_that_was_used_on_sweeps_nothing_and_is_refused_after_an_adoption() {
    let folder = filled();
    let path = |name: &str| folder.path().join(name);
    fs::copy(path("custom-models.db"), path("copy.db")).unwrap();
    let copy = ["--store", "sqlite:copy.db", "--data", DATA];
    (0..2).for_each(|_| add(&folder, &[]));
    (0..9).for_each(|_| drop(folder.create(&copy)));
    let before = files(&folder);
    assert_eq!(before.len(), 6);
    let (code, answer, said) = swept(&folder, &copy);
    assert_eq!((code, &answer["files"]), (1, &0.into()));
    assert!(said.contains("the store is older than its folder"), "{said}");
    // The copy may have put files there.
    assert_eq!(swept(&folder, &[]).0, 1);
    assert_eq!(swept(&folder, &["--adopt"]).0, 0);
    is_foreign(&folder.run(&[&["sweep"], &copy[..]].concat()));
    is_foreign(&folder.run(&[&["data", "remove", "1", "1"], &copy[..]].concat()));
    let (code, answer, said) = swept(&folder, &[]);
    assert_eq!((code, &answer["files"], said.as_str()), (0, &0.into(), ""));
    assert_eq!(files(&folder), before);
    // A copy that is restored with the right to take the folder over has it.
    assert_eq!(folder.run(&["backup", "old.db"]).code, 0);
    add(&folder, &[]);
    fs::remove_file(path("custom-models.db")).unwrap();
    assert_eq!(folder.run(&["restore", "old.db", "--adopt"]).code, 0);
    let (code, answer, said) = swept(&folder, &[]);
    assert_eq!((code, &answer["files"], said.as_str()), (0, &2.into(), ""));
    assert_eq!(files(&folder), before);
}

#[test]
fn place_2_an_import_beside_a_kept_folder_takes_it_over_if_it_is_told_to() {
    let folder = filled();
    assert_eq!(folder.run(&["export", "all.jsonl"]).code, 0);
    let to = ["--store", "sqlite:new.db", "--data", DATA];
    let imported =
        |arguments: &[&str]| folder.run(&[&["import", "all.jsonl"], &to[..], arguments].concat());
    is_foreign(&imported(&[]));
    assert_eq!(imported(&["--adopt"]).code, 0);
    assert_eq!(folder.run(&[&["check"], &to[..]].concat()).code, 0);
    is_foreign(&folder.run(&["sweep"]));
    is_foreign(&folder.run(&["data", "remove", "1", "1"]));
    assert_eq!(files(&folder).len(), 2);
    assert_eq!(swept(&folder, &to).1["files"], 0);
}

/// A folder of the first release has no mark.
#[test]
fn place_2_a_folder_without_a_mark_becomes_that_of_the_store_that_refers_to_it() {
    let folder = filled();
    fs::remove_file(folder.path().join(DATA).join("custom-models.json")).unwrap();
    folder.create(&["--store", "sqlite:other.db"]);
    let other = ["--store", "sqlite:other.db", "--data", DATA];
    let (code, answer, said) = swept(&folder, &other);
    assert_eq!((code, &answer["files"]), (1, &0.into()));
    assert!(said.contains("has no mark, and the store refers to no file in it"), "{said}");
    assert_eq!(files(&folder).len(), 2);
    assert_eq!(folder.run(&["export", "all.jsonl"]).code, 0);
    let new = ["--store", "sqlite:new.db", "--data", DATA];
    assert_eq!(folder.run(&[&["import", "all.jsonl"], &new[..]].concat()).code, 0);
    is_foreign(&folder.run(&["sweep"]));
    assert_eq!(swept(&folder, &new).1["files"], 0);
    assert_eq!(files(&folder).len(), 2);
}

/// An older copy that finds a folder of the first release does not sweep what the store has put there since.
#[test]
fn place_2_a_store_that_takes_an_unmarked_folder_by_itself_sweeps_nothing_and_warns() {
    let folder = filled();
    assert_eq!(folder.run(&["backup", "old.db"]).code, 0);
    add(&folder, &[]);
    let before = files(&folder);
    let old = ["--store", "sqlite:old.db", "--data", DATA];
    let unmark = || fs::remove_file(folder.path().join(DATA).join("custom-models.json")).unwrap();
    let warning = "the store refers to none of 2 other files";
    unmark();
    let (code, answer, said) = swept(&folder, &old);
    assert_eq!((code, &answer["files"]), (0, &0.into()));
    assert!(said.contains(warning), "{said}");
    unmark();
    let deleted = folder.run(&[&["delete", "1"], &old[..]].concat());
    assert_eq!(deleted.code, 0);
    assert!(deleted.err.contains(warning), "{}", deleted.err);
    assert_eq!(files(&folder), before);
    let (code, answer, said) = swept(&folder, &old);
    assert_eq!((code, &answer["files"], said.as_str()), (0, &4.into(), ""));
}

#[cfg(feature = "serve")]
#[test]
fn place_2_a_service_that_takes_an_unmarked_folder_by_itself_sweeps_nothing_and_warns() {
    let folder = filled();
    let left = folder.path().join(DATA).join("default/1").join("0".repeat(32));
    fs::write(&left, b"left").unwrap();
    age(&folder);
    fs::remove_file(folder.path().join(DATA).join("custom-models.json")).unwrap();
    let served = Serving::start(&folder, &["serve", "--sweep-every", "1s"]);
    let warned = served.said.concat();
    assert!(warned.contains("the store refers to none of 1 other files"), "{warned}");
    std::thread::sleep(Duration::from_millis(1500));
    let (code, said) = served.terminate();
    assert_eq!(code, Some(0));
    assert!(said.contains("Adopted"), "{said}");
    assert!(left.exists());
}

/// A dry run prints what the sweep then does.
#[test]
fn place_2_a_dry_run_says_what_a_sweep_would_remove_and_removes_nothing() {
    let folder = filled();
    let left = folder.path().join(DATA).join("default/1").join("0".repeat(32));
    fs::write(&left, b"left").unwrap();
    let young = swept(&folder, &["--dry-run"]).1;
    assert_eq!((&young["dry_run"], &young["files"]), (&true.into(), &0.into()));
    age(&folder);
    let (code, shown, said) = swept(&folder, &["--dry-run"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let path = format!("default/1/{}", "0".repeat(32));
    assert_eq!(
        (&shown["files"], &shown["bytes"], &shown["paths"][0]),
        (&1.into(), &4.into(), &path.into())
    );
    assert!(left.exists());
    assert_eq!(swept(&folder, &[]).1["files"], 1);
    assert!(!left.exists());
}

#[test]
fn place_2_an_adoption_says_how_many_files_of_the_store_are_missing() {
    let folder = filled();
    let whole = folder.run(&["sweep", "--adopt"]).err;
    assert!(whole.ends_with("the store refers to every file in it\n"), "{whole}");
    fs::remove_file(&files(&folder)[0]).unwrap();
    let said = folder.run(&["sweep", "--adopt"]).err;
    assert!(said.contains("refers to 1 files that are not in it"), "{said}");
    fs::remove_dir_all(folder.path().join(DATA)).unwrap();
    let said = folder.run(&["sweep", "--adopt"]).err;
    assert!(said.contains("refers to 2 files that are not in it"), "{said}");
}

#[test]
fn place_3_a_folder_that_is_gone_is_not_made_anew() {
    let folder = filled();
    let (place, moved) = (folder.path().join(DATA), folder.path().join("moved"));
    fs::rename(&place, &moved).unwrap();
    let add = ["data", "add", "1", "--type", "train", "--audio", "a.flac", "--transcript", "a.txt"];
    let added = folder.run(&add);
    assert_eq!(added.code, 3);
    assert!(added.err.contains("of training data is gone"), "{}", added.err);
    assert_eq!(folder.run(&["sweep"]).code, 3);
    assert!(!place.exists());
    fs::rename(&moved, &place).unwrap();
    assert_eq!(folder.run(&add).code, 0);
}

/// The records that refer to files are deleted with the files or not at all.
#[test]
fn place_3_nothing_is_deleted_while_its_folder_is_gone() {
    let folder = filled();
    let (place, moved) = (folder.path().join(DATA), folder.path().join("moved"));
    fs::rename(&place, &moved).unwrap();
    let before = folder.run(&["export", "-"]).out;
    let deletes: [&[&str]; 3] =
        [&["data", "remove", "1", "1"], &["delete", "1"], &["org", "delete", "default", "--yes"]];
    for delete in deletes {
        let refused = folder.run(delete);
        assert_eq!(refused.code, 3, "{delete:?}");
        assert!(refused.err.contains("is gone, or its mark is"), "{}", refused.err);
        assert_eq!(folder.run(&["export", "-"]).out, before, "{delete:?}");
    }
    fs::rename(&moved, &place).unwrap();
    for delete in deletes.iter().take(2) {
        assert_eq!(folder.run(delete).code, 0, "{delete:?}");
    }
}

/// Two services on an empty folder cannot know of one another. The first upload decides.
#[cfg(feature = "serve")]
#[test]
fn place_2_of_two_services_that_share_a_folder_by_mistake_one_is_refused() {
    let folder = Folder::new();
    let stores = ["sqlite:one.db", "sqlite:two.db"];
    let [one, two] = stores.map(|store| {
        let at = ["--store", store];
        folder.run(&[&["org", "add", "acme"], &at[..]].concat());
        folder.create(&["--org", "acme", "--store", store]);
        let scopes = ["--scope", "custom_models:write", "custom_models:read"];
        let key = folder.run(&[&["key", "create", "--org", "acme"], &scopes[..], &at].concat());
        let serve = ["serve", "--sweep-every", "1s", "--store", store, "--data", DATA];
        (Serving::start(&folder, &serve), key.out.trim_end().to_owned())
    });
    let upload = |(served, key): &(Serving, String)| {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", &*authorization),
            ("Content-Type", "multipart/form-data; boundary=b"),
        ];
        let body = "--b\r\nContent-Disposition: form-data; name=\"audio_file\"; filename=\"a.wav\"\r\n\r\nno audio\r\n--b--\r\n";
        serving::ask(&served.address, "PUT", "/api/v3/custom_models/1/data", &headers, body).0
    };
    assert_eq!((upload(&one), upload(&two)), (400, 503));
    let (code, said) = two.0.terminate();
    assert_eq!(code, Some(0));
    assert!(said.contains("the training data belongs to another store"), "{said}");
    is_foreign(&folder.run(&["sweep", "--store", "sqlite:two.db", "--data", DATA]));
    assert_eq!(one.0.terminate().0, Some(0));
}

#[test]
fn place_1_what_is_refused_leaves_no_new_store() {
    let folder = filled();
    assert_eq!(folder.run(&["export", "all"]).code, 0);
    assert_eq!(folder.run(&["backup", "copy.db"]).code, 0);
    fs::write(folder.path().join("no_models.toml"), "[plans]\nNone = { models = 0 }\n").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let before = folder.files();
    let refused = [
        (3, "import all --data custom-models.db.data"),
        (3, "import all --data a.txt"),
        (3, "import all --data no/x --adopt"),
        (2, "import a.txt"),
        (3, "restore copy.db --data a.txt"),
        (3, "restore copy.db --data no/x --adopt"),
        (1, "create --name n --language en --config no_models.toml --plan None"),
        (1, "create --name n --language xx"),
        (2, "org add acme --plan Unknown"),
    ];
    let serve = [
        (3, "serve --listen 127.0.0.1:0 --data custom-models.db.data".to_owned()),
        (3, "serve --listen 127.0.0.1:0 --data a.txt".to_owned()),
        (3, "serve --listen 127.0.0.1:0 --data no/x --adopt".to_owned()),
        (2, format!("serve --listen {taken}")),
        (2, format!("serve --listen 127.0.0.1:0 --metrics-listen {taken}")),
    ];
    let serve = serve.into_iter().filter(|_| cfg!(feature = "serve"));
    let lines = refused.map(|(code, line)| (code, line.to_owned())).into_iter().chain(serve);
    for (code, line) in lines {
        for store in ["sqlite:new.db", "sled:new"] {
            let is_copied = line.starts_with("restore");
            if store.starts_with("sled") && (is_copied || cfg!(not(feature = "sled"))) {
                continue;
            }
            let words: Vec<&str> = line.split(' ').chain(["--store", store]).collect();
            let ended = folder.run(&words);
            assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{words:?}: {}", ended.err);
            assert_eq!(folder.files(), before, "{words:?}");
        }
    }
}
