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

/// A whole key, and what is secret of it.
fn key(folder: &Folder) -> (String, String) {
    folder.run(&["org", "add", "acme"]);
    let key = folder.run(&["key", "create", "--org", "acme", "--scope", "training:work"]).out;
    let key = key.trim().to_owned();
    let secret = key.rsplit('_').next().unwrap_or_default().to_owned();
    assert_eq!(secret.len(), 64);
    (key, secret)
}

#[test]
fn a_secret_among_the_arguments_is_never_repeated() {
    let folder = Folder::new();
    let (key, secret) = key(&folder);
    let id = &key[3..15];
    for arguments in [
        &["key", "revoke", &key][..],
        &["key", "revoke", &key[3..]],
        &["key", "revoke", &secret],
        &["key", "revoke", id, &key],
        &["key", "revoke", id, &secret],
        &["key", &key],
        &["show", &key],
        &["list", &key],
        &["list", "--after", &key],
        &["list", "--org", &key, "--store", "x"],
        &["list", &format!("--key={key}")],
        &[&key],
    ] {
        let ended = folder.run(arguments);
        assert!((1..=2).contains(&ended.code), "{arguments:?}: {}", ended.err);
        assert!(!ended.err.contains(&secret[..16]), "{arguments:?}: {}", ended.err);
    }
    for url in ["mysql://u:pa55@h/x", "postgres:u:pa55@h/x", "postgres://u:pa55@h:port/x"] {
        for arguments in [
            &["list", "--store", url][..],
            &["list", &format!("--store={url}")],
            &["list", url],
            &[url],
        ] {
            let ended = folder.run(arguments);
            assert!(!ended.err.contains("pa55"), "{arguments:?}: {}", ended.err);
            assert!([2, 3].contains(&ended.code), "{arguments:?}: {}", ended.err);
        }
    }
    folder.run(&["key", "revoke", &key]).is_wrong_usage("the 12 digits of 0-9 a-f between cm_");
}

#[test]
fn a_key_is_revoked_by_its_organisation_alone() {
    let folder = Folder::new();
    let (key, _) = key(&folder);
    let id = &key[3..15];
    folder.run(&["org", "add", "zebra"]);
    let missing = "{\"error\":\"Not Found\",\"message\":\"There is no key of this id\",\"error_code\":\"KEY_NOT_FOUND\"}\n";
    folder.run(&["key", "revoke", id, "--org", "zebra"]).is_refused(missing);
    folder.run(&["key", "revoke", id]).is_refused(missing);
    assert!(folder.run(&["key", "list", "--org", "acme"]).out.contains("\"revoked_at\":null"));
    folder.run(&["key", "revoke", id, "--org", "acme"]).is_done("");
    assert!(!folder.run(&["key", "list", "--org", "acme"]).out.contains("\"revoked_at\":null"));
}

#[test]
fn an_organisation_of_which_there_is_nothing_cannot_be_erased() {
    let folder = Folder::new();
    folder.run(&["org", "add", "acme"]);
    let missing = "{\"error\":\"Not Found\",\"message\":\"The organisation is not registered\",\"error_code\":\"ORGANISATION_NOT_FOUND\"}\n";
    folder.run(&["org", "delete", "acne", "--yes"]).is_refused(missing);
    // Models may be there without a registration.
    folder.create(&["--org", "zebra"]);
    assert_eq!(folder.run(&["org", "delete", "zebra", "--yes"]).code, 0);
    folder.run(&["org", "delete", "zebra", "--yes"]).is_refused(missing);
}
