//! Places that cannot be used as they are meant: each is named, with what to do.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::Folder;

const NO_FOLDER: &str = "there is no folder 'no'; make it first";
const NO_FILE: &str = "there is no such file";
const A_FOLDER: &str = "this is a folder; name a file";
const OF_ANOTHER: &str = "belongs to a file next to another store: choose another ending";
const THERE: &str = "this name is taken";

#[test]
fn a_place_that_cannot_be_used_is_named_with_what_to_do() {
    let folder = Folder::new();
    folder.create(&[]);
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    std::fs::write(folder.path().join("file"), "x".repeat(5000)).unwrap();
    for (line, code, place, reason) in [
        ("export no/x", 2, "'no/x'", NO_FOLDER),
        ("export dir", 2, "'dir'", THERE),
        ("export file", 2, "'file'", THERE),
        ("export file/x", 2, "'file/x'", "there is no folder 'file'"),
        ("import none --store sqlite:new.db", 2, "'none'", NO_FILE),
        ("import no/x --store sqlite:new.db", 2, "'no/x'", NO_FOLDER),
        ("import dir --store sqlite:new.db", 2, "'dir'", A_FOLDER),
        ("import file --store sqlite:new.db", 2, "'file': line 1", ""),
        ("backup no/x", 2, "'no/x'", NO_FOLDER),
        ("backup dir", 2, "'dir'", THERE),
        ("backup file", 2, "'file'", THERE),
        ("export x.db-wal", 2, "'x.db-wal'", OF_ANOTHER),
        ("backup x.db-journal", 2, "'x.db-journal'", OF_ANOTHER),
        ("backup dir/x.db-shm", 2, "'dir/x.db-shm'", OF_ANOTHER),
        ("restore none", 2, "'none'", NO_FILE),
        ("restore no/x", 2, "'no/x'", NO_FOLDER),
        ("restore dir --store sqlite:new.db", 2, "'dir'", A_FOLDER),
        ("restore file --store sqlite:new.db", 3, "'file'", "not a store of custom models"),
        ("restore file", 2, "'custom-models.db'", THERE),
        ("restore custom-models.db --store sqlite:no/new.db", 2, "'no/new.db'", NO_FOLDER),
        ("create --json none", 2, "'none'", NO_FILE),
        ("create --json no/x", 2, "'no/x'", NO_FOLDER),
        ("update 1 --json dir", 2, "'dir'", A_FOLDER),
        ("list --config none", 2, "'none'", NO_FILE),
        ("list --config dir", 2, "'dir'", A_FOLDER),
        ("data add 1 --type train --audio none", 2, "'none'", NO_FILE),
        ("data add 1 --type train --audio dir", 2, "'dir'", A_FOLDER),
        ("data add 1 --type train --data no/x", 3, "'no/x'", NO_FOLDER),
        ("data add 1 --type train --data file", 3, "'file'", "it is a file; name a folder"),
        ("check --data no/x", 3, "'no/x'", NO_FOLDER),
        ("check --data file", 3, "'file'", "it is a file; name a folder"),
        ("sweep --data no/x", 3, "'no/x'", NO_FOLDER),
        ("create --name n --language en --store sqlite:no/x", 3, "'sqlite:no/x'", NO_FOLDER),
        ("create --name n --language en --store sled:no/x", 3, "'sled:no/x'", NO_FOLDER),
        ("org add acme --store sqlite:no/x", 3, "'sqlite:no/x'", NO_FOLDER),
        ("serve --store sqlite:no/x", 3, "'sqlite:no/x'", NO_FOLDER),
    ] {
        if line.contains("sled:") && cfg!(not(feature = "sled")) {
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let ended = folder.run(&words);
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{line}: {}", ended.err);
        let says = ended.err.contains(place) && ended.err.contains(reason);
        assert!(says && ended.err.starts_with("error: "), "{line}: {}", ended.err);
        assert!(!ended.err.contains("Error code 14"), "{line}: {}", ended.err);
    }
    assert_eq!(folder.files(), ["custom-models.db", "dir", "file"]);
}

/// Needs root, which becomes another user; does nothing elsewhere.
#[cfg(unix)]
#[test]
fn another_user_who_reads_is_told_what_is_in_the_way() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    folder.create(&[]);
    let (program, store) = (folder.path().join("program"), folder.path().join("custom-models.db"));
    // A program that this process writes may be busy when another thread starts one meanwhile.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_custom-models")).arg(&program).status();
    assert!(copied.unwrap().success());
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let refused = |command: &str| -> String {
        let mut other = Command::new(&program);
        other.args(command.split(' ')).current_dir(folder.path()).env("TMPDIR", "/nonexistent");
        let ended: support::Ended = other.uid(54_321).gid(54_321).output().unwrap().into();
        assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
        ended.err
    };
    for command in ["list", "backup x.db", "export -"] {
        let said = refused(command);
        assert!(said.contains(": this user may not read 'custom-models.db'; ask"), "{said}");
    }
    set_permissions(store, Permissions::from_mode(0o644)).unwrap();
    for command in ["list", "backup x.db", "export -"] {
        let said = refused(command);
        assert!(said.contains("/nonexistent: ") && said.contains("TMPDIR names another"), "{said}");
    }
    let said = refused("delete 1");
    assert!(said.contains("this user may not read and write 'custom-models.db'"), "{said}");
}
