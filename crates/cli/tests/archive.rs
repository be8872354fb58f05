//! All that a store holds: exported, imported, checked and erased, from the command line.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::PathBuf;

use support::Folder;

fn write(folder: &Folder, name: &str, bytes: &[u8]) {
    std::fs::write(folder.path().join(name), bytes).unwrap();
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The files in a folder and in those in it.
fn files_below(folder: &Folder, name: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.path().join(name)]);
    while let Some(place) = open.pop() {
        for entry in std::fs::read_dir(place).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}

/// A store with two organisations: models, a pair of data with its files, keys and a history.
fn filled() -> Folder {
    let folder = Folder::new();
    for org in ["acme", "zebra"] {
        folder.run(&["org", "add", org, "--plan", "Gold"]);
        folder.run(&["key", "create", "--org", org, "--scope", "custom_models:read"]);
        for name in ["one", "two \u{e9}語"] {
            folder.run(&["create", "--name", name, "--language", "nl", "--org", org]);
        }
    }
    let audio = include_bytes!("../../training-data/tests/audio/tone.flac");
    write(&folder, "tone.flac", audio);
    write(&folder, "tone.txt", b"a tone");
    for (org, id) in [("acme", "1"), ("zebra", "3")] {
        let files = ["--type", "train", "--audio", "tone.flac", "--transcript", "tone.txt"];
        let added = folder.run(&[&["data", "add", id, "--org", org], &files[..]].concat());
        assert_eq!(added.code, 0, "{}", added.err);
    }
    folder.run(&["delete", "2", "--org", "acme"]);
    folder
}

/// Runs a command that must succeed without any message, and returns its output.
fn done(folder: &Folder, arguments: &[&str]) -> String {
    let ended = folder.run(arguments);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{arguments:?}");
    ended.out
}

#[test]
fn a_store_is_brought_to_another_one_whole() {
    let folder = filled();
    let written = done(&folder, &["export", "all.jsonl"]);
    assert_eq!(written, "{\"records\":19}\n");
    let lines = read(&folder, "all.jsonl");
    assert_eq!(lines.lines().count(), 20);
    assert!(lines.ends_with("{\"record\":\"end\",\"lines\":19}\n"), "{lines}");
    for key in done(&folder, &["key", "list", "--org", "acme"]).split('"') {
        assert!(!key.starts_with("cm_"), "{key}");
    }
    let stores: &[&str] =
        if cfg!(feature = "sled") { &["sqlite:new.db", "sled:new"] } else { &["sqlite:new.db"] };
    for store in stores {
        let at = ["--store", store, "--data", "custom-models.db.data"];
        let to = |arguments: &[&'static str]| [arguments, &at[..]].concat();
        let other = folder.run(&to(&["import", "all.jsonl"]));
        other.store_failed(&format!("error: '{store}': "), "--adopt takes the folder over");
        let imported = folder.run(&to(&["import", "all.jsonl", "--adopt"]));
        assert_eq!((imported.code, imported.out.as_str()), (0, written.as_str()));
        let said = "belongs to this store now; the store refers to every file in it\n";
        assert!(imported.err.ends_with(said), "{}", imported.err);
        for shown in [
            &["show", "1", "--org", "acme"][..],
            &["list", "--org", "zebra"],
            &["org", "list"],
            &["events", "--org", "acme"],
        ] {
            assert_eq!(done(&folder, &to(shown)), done(&folder, shown), "{shown:?}");
        }
        let found = done(&folder, &to(&["check"]));
        assert_eq!(found, "{\"records\":19,\"files\":4,\"findings\":0}\n");
        let again = folder.run(&to(&["import", "all.jsonl"]));
        assert_eq!(again.code, 2);
        assert!(again.err.contains("the store is not empty"), "{}", again.err);
        let again = format!("again of {}.jsonl", store.len());
        let exported = folder.run(&[&["export", &again], &at[..]].concat());
        assert_eq!((exported.code, read(&folder, &again)), (0, lines.clone()));
    }
    assert_eq!(folder.run(&["export", "all.jsonl"]).code, 2, "it is there already");
}

#[test]
fn an_export_that_is_not_whole_is_refused_and_leaves_nothing() {
    let folder = filled();
    done(&folder, &["export", "all.jsonl"]);
    let lines = read(&folder, "all.jsonl");
    let all: Vec<&str> = lines.lines().collect();
    let without = |left_out: &dyn Fn(&&str) -> bool| {
        let kept: Vec<&str> = all.iter().copied().filter(|line| !left_out(line)).collect();
        format!("{}\n", kept.join("\n"))
    };
    let wrong = [
        (lines[..lines.len() - 1].to_owned(), "cut short"),
        (lines[..lines.len() / 2].to_owned(), "cut short"),
        (without(&|line| line.contains("\"end\"")), "cut short"),
        (without(&|line| line.contains("\"record\":\"key\"")), "the number of lines is not"),
        (without(&|line| line.contains("\"start\"")), "`start` has to be the first line"),
        (
            lines.replace("\"models\":1", "\"models\":7"),
            "'wrong.jsonl': it contradicts itself: acme: 7 models",
        ),
        (lines.replace("\"language\":\"nl\"", "\"language\":\"xx\""), "not a record"),
        (format!("{lines}{lines}"), "the number of lines is not"),
        ("\n".to_owned(), "not a record"),
        (String::new(), "cut short"),
    ];
    for (text, reason) in wrong {
        write(&folder, "wrong.jsonl", text.as_bytes());
        let refused = folder.run(&["import", "wrong.jsonl", "--store", "sqlite:new.db"]);
        assert_eq!(refused.code, 2, "{reason}");
        assert!(refused.err.contains(reason), "{reason}: {}", refused.err);
        assert!(!folder.path().join("new.db").exists(), "{reason}");
    }
}

#[test]
fn a_check_finds_what_is_not_as_it_was() {
    let folder = filled();
    assert_eq!(done(&folder, &["check"]), "{\"records\":19,\"files\":4,\"findings\":0}\n");
    let files = files_below(&folder, "custom-models.db.data/acme");
    assert_eq!(files.len(), 2);
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::write(&files[1], b"another tone").unwrap();
    let checked = folder.run(&["check"]);
    assert_eq!(checked.out, "{\"records\":19,\"files\":4,\"findings\":2}\n");
    assert_eq!((checked.code, checked.err.lines().count()), (1, 2), "{}", checked.err);
    for said in [": cannot be opened: ", ": 12 bytes with the digest "] {
        assert_eq!(checked.err.matches(said).count(), 1, "{}", checked.err);
    }
    for line in checked.err.lines() {
        assert!(line.starts_with("acme: model 1, data 1, file "), "{line}");
    }
}

#[test]
fn a_check_finds_data_whose_folder_is_not_there() {
    let folder = filled();
    for gone in ["custom-models.db.data", "moved"] {
        let arguments = ["check", "--data", "elsewhere"];
        let checked = folder.run(if gone == "moved" { &arguments[..1] } else { &arguments });
        assert_eq!(checked.out, "{\"records\":19,\"files\":0,\"findings\":1}\n");
        assert_eq!(checked.code, 1, "{}", checked.err);
        assert!(checked.err.contains("2 models have training data"), "{}", checked.err);
        assert!(checked.err.contains("is missing or empty"), "{}", checked.err);
        if gone != "moved" {
            let data = folder.path().join(gone);
            std::fs::rename(data, folder.path().join("moved")).unwrap();
        }
    }
    let found = done(&folder, &["check", "--data", "moved"]);
    assert_eq!(found, "{\"records\":19,\"files\":4,\"findings\":0}\n");
}

/// An import does not look for them: the service that reads them may have another file.
#[test]
fn a_check_finds_plans_that_the_configuration_does_not_name() {
    let folder = Folder::new();
    write(&folder, "plans.toml", b"[plans.Silver]\nmodels = 3\n");
    done(&folder, &["org", "add", "acme", "--plan", "Silver", "--config", "plans.toml"]);
    let known = done(&folder, &["check", "--config", "plans.toml"]);
    assert_eq!(known, "{\"records\":2,\"files\":0,\"findings\":0}\n");
    let checked = folder.run(&["check"]);
    assert_eq!((checked.code, checked.err.lines().count()), (1, 1), "{}", checked.err);
    assert!(checked.err.starts_with("acme: the plan 'Silver' is not known;"), "{}", checked.err);
    assert!(checked.err.contains("--config"), "{}", checked.err);
    done(&folder, &["export", "all.jsonl"]);
    done(&folder, &["import", "all.jsonl", "--store", "sqlite:new.db"]);
}

#[test]
fn an_organisation_is_erased_with_its_files() {
    let folder = filled();
    let zebra = |folder: &Folder| {
        let list = done(folder, &["list", "--org", "zebra"]);
        (
            list,
            done(folder, &["events", "--org", "zebra"]),
            done(folder, &["key", "list", "--org", "zebra"]),
        )
    };
    let before = zebra(&folder);
    let refused = folder.run(&["org", "delete", "acme"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(done(&folder, &["check"]), "{\"records\":19,\"files\":4,\"findings\":0}\n");
    let erased = done(&folder, &["org", "delete", "acme", "--yes"]);
    assert!(erased.starts_with("{\"records\":") && erased.ends_with(",\"files\":2}\n"), "{erased}");
    assert_eq!(zebra(&folder), before);
    assert!(files_below(&folder, "custom-models.db.data/acme").is_empty());
    assert_eq!(files_below(&folder, "custom-models.db.data/zebra").len(), 2);
    done(&folder, &["export", "left.jsonl"]);
    assert!(!read(&folder, "left.jsonl").contains("acme"));
    let again = folder.run(&["org", "delete", "acme", "--yes"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("ORGANISATION_NOT_FOUND"), "{}", again.err);
    assert_eq!(done(&folder, &["check"]), "{\"records\":10,\"files\":2,\"findings\":0}\n");
}
