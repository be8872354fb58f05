//! Commands on a service that runs, beside the same commands on its store.
#![cfg(all(feature = "client", feature = "serve", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use support::serving::{Serving, key_of};
use support::{Ended, Folder};

const FLAC: &[u8] = include_bytes!("../../training-data/tests/audio/tone.flac");

/// A service, and the store that it serves.
struct Both {
    folder: Folder,
    serving: Serving,
    key: String,
}

impl Both {
    fn start() -> Self {
        let folder = Folder::new();
        let key = key_of(&folder, "acme");
        let serving = Serving::start(&folder, &["serve"]);
        Both { folder, serving, key }
    }

    fn url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    fn remote(&self, arguments: &[&str]) -> Ended {
        ask(&self.folder, &self.url(), &self.key, arguments)
    }

    fn local(&self, arguments: &[&str]) -> Ended {
        self.folder.run(&[&["--org", "acme"], arguments].concat())
    }

    /// Asserts that a command that changes nothing has the same output and exit code in both ways, and returns it.
    fn same(&self, arguments: &[&str]) -> Ended {
        let (remote, local) = (self.remote(arguments), self.local(arguments));
        assert_eq!(
            (remote.code, &remote.out, &remote.err),
            (local.code, &local.out, &local.err),
            "{arguments:?}"
        );
        remote
    }
}

/// Runs a command on the service at a URL.
fn ask(folder: &Folder, url: &str, key: &str, arguments: &[&str]) -> Ended {
    let mut command = folder.command(&[&["--server", url], arguments].concat());
    command.env("CUSTOM_MODELS_KEY", key).env("NO_PROXY", "*").output().unwrap().into()
}

#[test]
fn models_are_created_shown_changed_and_deleted_as_in_the_store() {
    let both = Both::start();
    let created = both.remote(&["create", "--name", "n", "--language", "en"]);
    assert_eq!((created.code, &*created.err), (0, ""));
    assert_eq!(both.same(&["show", "1"]).out, created.out);
    let updated = both.remote(&["update", "1", "--name", "m", "--if-revision", "1"]);
    assert_eq!(both.same(&["show", "1"]).out, updated.out);
    assert!(updated.out.contains(r#""name":"m""#), "{updated:?}");
    both.remote(&["create", "--name", "o", "--language", "de"]);
    for arguments in [
        &["list"][..],
        &["list", "--language", "de", "--per-page", "1", "--page", "1"],
        &["list", "--per-page", "0", "--status", "9"],
        &["events"],
        &["events", "--after", "1", "--limit", "1"],
        &["show", "7"],
        &["show", "x"],
        &["resolve", "custom_model_1"],
        &["run", "1"],
        &["cancel", "1"],
        &["update", "1", "--name", "p", "--if-revision", "1"],
        &["update", "1"],
        &["create", "--name", "", "--language", "xx"],
        &["data", "list", "1"],
        &["data", "remove", "1", "1"],
    ] {
        both.same(arguments);
    }
    both.remote(&["delete", "2"]).is_done("");
    both.same(&["delete", "2"]).is_refused(support::NOT_FOUND);
}

#[test]
fn data_is_added_listed_and_removed_as_in_the_store() {
    let both = Both::start();
    both.remote(&["create", "--name", "n", "--language", "en"]);
    std::fs::write(both.folder.path().join("a.flac"), FLAC).unwrap();
    std::fs::write(both.folder.path().join("a.txt"), "One tablet").unwrap();
    let files = ["--audio", "a.flac", "--transcript", "a.txt"];
    let add = [&["data", "add", "1", "--type", "train"], &files[..]].concat();
    let (remote, local) = (both.remote(&add), both.local(&add));
    assert_eq!((remote.code, &remote.out, &*remote.err), (0, &local.out, ""));
    let listed = both.same(&["data", "list", "1"]);
    assert!(listed.out.contains(r#""duplicate_of":1"#), "{listed:?}");
    for arguments in [
        &["data", "add", "1"][..],
        &[&["data", "add", "1", "--type", "x"], &files[..]].concat(),
        &["data", "add", "1", "--type", "test", "--audio", "none.wav", "--transcript", "a.txt"],
        &["data", "add", "1", "--type", "test", "--audio", "a.txt", "--transcript", "a.txt"],
        &[&["data", "add", "9", "--type", "test"], &files[..]].concat(),
    ] {
        assert_ne!(both.same(arguments).code, 0, "{arguments:?}");
    }
    both.remote(&["data", "remove", "1", "1"]).is_done("");
    both.same(&["data", "list", "1"]);
    let many = both.remote(&["data", "add", "1", "--manifest", "m.tsv"]);
    many.is_wrong_usage("--manifest and --archive need the store");
}

#[test]
fn events_are_followed_over_the_service() {
    let both = Both::start();
    let mut command = both.folder.command(&["events", "--follow", "--server", &both.url()]);
    let mut child =
        command.env("CUSTOM_MODELS_KEY", &both.key).env("NO_PROXY", "*").spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _bounded = support::serving::bounded(&child);
    for (name, position) in [("a", r#"{"position":1,"#), ("b", r#"{"position":2,"#)] {
        both.remote(&["create", "--name", name, "--language", "en"]);
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with(position), "{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_key_that_is_missing_or_wrong_is_told_apart() {
    let both = Both::start();
    let refused = ask(&both.folder, &both.url(), "cm_000000000000_no", &["list"]);
    refused.is_refused("{\"error\":\"Unauthorized\",\"message\":\"Invalid or missing API key\"}\n");
    let mut without = both.folder.command(&["list", "--server", &both.url()]);
    let without = Ended::from(without.env_remove("CUSTOM_MODELS_KEY").output().unwrap());
    without.is_wrong_usage("--server needs a key in CUSTOM_MODELS_KEY");
    ask(&both.folder, "ftp://h", "k", &["list"])
        .is_wrong_usage("--server: the base URL is not http://");
}

#[test]
fn what_works_on_a_store_cannot_be_used_with_a_server() {
    let folder = Folder::new();
    let refused = |arguments: &[&str]| ask(&folder, "http://127.0.0.1:1", "k", arguments);
    for (arguments, says) in [
        (&["export", "f"][..], "`export` works on a store"),
        (&["import", "f"], "`import` works on a store"),
        (&["check"], "`check` works on a store"),
        (&["sweep"], "`sweep` works on a store"),
        (&["serve"], "`serve` works on a store"),
        (&["backup", "f"], "`backup` works on a store"),
        (&["org", "list"], "`org` works on a store"),
        (&["key", "list"], "`key` works on a store"),
        (&["work", "--command", "true"], "`work` works on a store"),
        (&["list", "--org", "acme"], "--org cannot be used with --server"),
        (&["--org", "acme", "data", "list", "1"], "--org cannot be used with --server"),
        (&["list", "--store", "memory:"], "--store cannot be used with --server"),
        (&["--plan", "Gold", "list"], "--plan cannot be used with --server"),
        (&["list", "--after", "1"], "the API lists pages by number"),
    ] {
        refused(arguments).is_wrong_usage(says);
    }
    assert_eq!(folder.files(), [""; 0]);
}

/// Responds to every request with the same bytes.
fn stub(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
            while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(response.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn a_service_that_fails_ends_a_command_as_a_store_that_fails_does() {
    let folder = Folder::new();
    let body = r#"{"error":"Internal Server Error","message":"An unexpected error occurred."}"#;
    let response = format!(
        "HTTP/1.1 500 Internal Server Error\r\nx-request-id: r7\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let url = stub(response.leak());
    ask(&folder, &url, "k", &["list"]).store_failed(
        &format!("error: '{url}': status 500: "),
        "An unexpected error occurred. (request r7)",
    );
    let url =
        stub("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 5\r\n\r\n\x1b[31m");
    let line = ask(&folder, &url, "k", &["show", "1"]);
    line.store_failed(
        &format!("error: '{url}': status 502 with a body"),
        "value at line 1 column 1",
    );
    let gone = ask(&folder, "http://127.0.0.1:1", "k", &["list"]);
    gone.store_failed("error: 'http://127.0.0.1:1': the service cannot be reached: ", ")");
}

#[test]
fn no_output_shows_the_key() {
    let folder = Folder::new();
    let key = "cm_0123456789ab_0123456789abcdef";
    for (url, arguments) in
        [("http://127.0.0.1:1", &["list"][..]), ("no-url", &["list"]), ("http://h", &["check"])]
    {
        let ended = ask(&folder, url, key, arguments);
        assert!(!ended.err.contains("0123456789abcdef"), "{ended:?}");
        assert_ne!(ended.code, 0);
    }
}
