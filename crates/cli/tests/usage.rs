//! Wrong usage, and where options may stand.

mod support;

use support::Folder;

#[test]
fn wrong_usage_is_told_and_nothing_is_tried() {
    let folder = Folder::new();
    for (arguments, says) in [
        (&["bogus"][..], "unrecognized subcommand 'bogus'"),
        (&["show"], "<ID>"),
        (&["delete", "1", "2"], "unexpected argument '2'"),
        (&["list", "--plan", "silver"], "[possible values: Gold, Enterprise]"),
        (&["list", "--org", "a b"], "an organisation is named by 1 to 64 characters"),
        (&["list", "--org", ""], "an organisation is named by 1 to 64 characters"),
        (&["list", "--after", "abc"], "not the id of a model"),
        (&["list", "--after", "0"], "not the id of a model"),
        (&["list", "--after", "-1"], "not the id of a model"),
        (&["list", "--after", "1", "--page", "1"], "cannot be used with"),
        (&["list", "--page", "1", "--page", "1"], "cannot be used multiple times"),
        (&["create", "--name", "a", "--name", "b"], "cannot be used multiple times"),
        (&["create", "--name"], "a value is required for '--name <NAME>'"),
        (&["create", "--json", "-", "--name", "n"], "cannot be used with"),
        (&["create", "--json", "-", "--language", "en"], "cannot be used with"),
        (&["create", "--json", "-", "--base-model", "legal"], "cannot be used with"),
        (&["create", "--json", "-", "--description", "d"], "cannot be used with"),
        (&["create", "--json", "no.json"], "cannot read the request body from 'no.json': "),
        (&["create", "--json", "."], "cannot read the request body from '.': "),
        (&["create", "--json", "\u{1b}[2J"], r"'\u{1b}[2J'"),
        (&["completions", "tcsh"], "possible values: bash"),
    ] {
        folder.run(arguments).is_wrong_usage(says);
    }
    assert_eq!(folder.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_utf_8_are_wrong_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    let bad = OsStr::from_bytes(b"sqlite:\xff");
    for (arguments, says) in [
        (&["create", "--name"][..], "invalid UTF-8"),
        (&["create", "--description"], "invalid UTF-8"),
        (&["list", "--page"], "invalid UTF-8"),
        (&["list", "--after"], "invalid UTF-8"),
        (&["list", "--store"], "invalid UTF-8"),
        (&["list", "--org"], "invalid UTF-8"),
        (&["list", "--plan"], "invalid"),
        (&["show"], "invalid UTF-8"),
        (&["create"], "unexpected argument"),
        (&["create", "--json"], "cannot read the request body"),
        (&[], "unrecognized subcommand"),
    ] {
        let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        arguments.push(bad);
        folder.run(&arguments).is_wrong_usage(says);
    }
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn global_options_stand_before_or_behind_the_command() {
    let folder = Folder::new();
    let create = ["create", "--name", "n", "--language", "en"];
    let options = ["--store", "sqlite:m.db", "--org", "acme", "--plan", "gold"];
    let before = folder.run(&[&options[..], &create].concat());
    let behind = folder.run(&[&create[..], &options].concat());
    assert_eq!((before.code, behind.code), (0, 0), "{before:?} {behind:?}");
    for (id, created) in [("1", before), ("2", behind)] {
        folder.run(&["--org", "acme", "show", id, "--store", "sqlite:m.db"]).is_done(&created.out);
    }
}
