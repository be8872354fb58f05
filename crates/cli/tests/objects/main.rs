//! Training data in object storage, from the command line: against a server that speaks S3, which `./test` installs.
//! Without `CUSTOM_MODELS_OBJECT_TESTS` the tests are reported as ignored.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../training-data/tests/contents/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::model::{ContentDigest, DataFile, DataType, Expected, NewPair};
use custom_models_core::{Caller, Engine, ModelId, Plan};
use custom_models_store_sqlite::SqliteStore;
use libtest_mimic::{Arguments, Trial};

use crate::server::Server;
use crate::support::serving::{Serving, key_of};
use crate::support::{Ended, Folder};

const FLAC: &[u8] = include_bytes!("../../../training-data/tests/audio/tone.flac");

/// A test, which fails by a panic.
type Test = fn(&Site);

fn main() {
    let arguments = Arguments::from_args();
    let tools = std::env::var_os("CUSTOM_MODELS_OBJECT_TESTS").map(PathBuf::from);
    let python = tools.filter(|_| !arguments.list).map(|tools| tools.join("venv/bin/python"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../training-data/tests/contents/server.py");
    let server = python.map(|python| Arc::new(Server::start(&python, Path::new(script))));
    let tests: [(&str, Test); 5] = [
        ("data_1_and_data_6_a_pair_is_kept_in_a_bucket_listed_checked_and_removed", pair),
        ("train_3_a_worker_copies_what_its_program_reads", worker),
        ("place_2_a_sweep_and_a_service_use_the_bucket_of_their_store_alone", swept),
        ("data_1_what_is_uploaded_to_one_service_is_listed_and_removed_by_another", services),
        ("place_5_a_url_with_a_secret_is_refused_and_not_repeated", secret),
    ];
    let trials = tests.into_iter().map(|(name, test)| {
        let of = server.clone();
        let run = move || {
            test(&Site { server: of.unwrap(), folder: Folder::new(), prefix: name });
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(server.is_none())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    // The server is stopped here, since the process ends without dropping anything.
    drop(server);
    conclusion.exit();
}

/// A prefix in a bucket, and a folder to run commands in that use it.
struct Site {
    server: Arc<Server>,
    folder: Folder,
    prefix: &'static str,
}

impl Site {
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let data = format!("s3://data/{}", self.prefix);
        let mut command = self.folder.command(&[arguments, &["--data", &data]].concat());
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.server.port()))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAOPENSESAME")
            .env("AWS_SECRET_ACCESS_KEY", "opensesame")
            .env("TMPDIR", self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command that ends well and says nothing.
    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{arguments:?}");
        ended.out
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn keys(&self) -> Vec<String> {
        self.server.told(&["keys", &self.key("")])
    }

    /// Adds a pair to a model that is made.
    fn add(&self) {
        self.folder.create(&[]);
        fs::write(self.folder.path().join("a.flac"), FLAC).unwrap();
        fs::write(self.folder.path().join("a.txt"), "The rhythm is regular.").unwrap();
        let files = ["--audio", "a.flac", "--transcript", "a.txt"];
        self.done(&[&["data", "add", "1", "--type", "train"], &files[..]].concat());
    }
}

fn pair(site: &Site) {
    site.add();
    assert_eq!(site.keys().len(), 3, "{:?}", site.keys());
    assert!(!site.folder.files().contains(&"custom-models.db.data".to_owned()));
    assert!(site.done(&["data", "list", "1"]).contains("\"audio_millis\":1000"));
    assert!(site.done(&["check"]).contains("\"files\":2,\"findings\":0"));
    let content = site.keys().into_iter().find(|key| key.starts_with("default/1/")).unwrap();
    site.server.told(&["delete", &site.key(&content)]);
    let found = site.run(&["check"]);
    assert_eq!(found.code, 1);
    assert!(found.err.contains("a file of training data is missing"), "{}", found.err);
    site.done(&["data", "remove", "1", "1"]);
    assert_eq!(site.keys(), ["custom-models.json"]);
}

fn worker(site: &Site) {
    site.add();
    let store = SqliteStore::open(site.folder.path().join("custom-models.db")).unwrap();
    let engine = Engine::new(Arc::new(store), SystemTime::now);
    let caller = Caller::new("default".parse().unwrap(), Plan::enterprise());
    let file = |filename: &str, content: char| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_string().repeat(32),
    };
    let run_with = |audio, transcript| {
        let enough = NewPair {
            data_type: DataType::Train,
            audio: file("b.wav", audio),
            audio_millis: 18_000_000,
            transcript: file("b.txt", transcript),
        };
        let id = ModelId::new(1).unwrap();
        engine.add_data(&caller, id, enough, &Expected::Anything).unwrap();
        engine.run(&caller, id, &Expected::Anything).unwrap();
    };
    run_with('a', 'b');
    for name in ["a", "b"] {
        let key = site.key(&format!("default/1/{}", name.repeat(32)));
        site.server.told(&["put", &key, &format!("this is {name}")]);
    }
    let command = "cat $CUSTOM_MODEL_TRAIN_TRANSCRIPTS > read; echo '{\"metrics\":{}}'";
    let before = site.folder.files().len();
    let ended = site.run(&["work", "--once", "--command", command]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let read = fs::read_to_string(site.folder.path().join("read")).unwrap();
    assert_eq!(read, "The rhythm is regular.this is b");
    assert_eq!(site.folder.files().len(), before + 1, "copies go: {:?}", site.folder.files());
    // Without a file there is nothing to train on.
    run_with('c', 'd');
    engine.close().unwrap();
    let ended = site.run(&["work", "--once", "--command", command]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("a file of training data is missing"), "{}", ended.err);
}

fn swept(site: &Site) {
    site.add();
    let left = format!("default/1/{}", "c".repeat(32));
    site.server.told(&["put", &site.key(&left), "left"]);
    assert!(site.done(&["sweep"]).contains("\"files\":0"), "it is young");
    site.server.told(&["age", &site.key(&left)]);
    assert!(site.done(&["sweep", "--dry-run"]).contains(&left));
    assert!(site.done(&["sweep"]).contains("\"files\":1"));
    assert_eq!(site.keys().len(), 3);
    // A service of the store opens it, one of another store does not.
    drop(Serving::started(&mut site.command(&["serve", "--listen", "127.0.0.1:0"])));
    let other = site.run(&["serve", "--store", "sqlite:other.db", "--listen", "127.0.0.1:0"]);
    assert_eq!(other.code, 3);
    assert!(other.err.contains("belongs to another store"), "{}", other.err);
    assert!(!site.folder.files().contains(&"other.db".to_owned()));
}

fn services(site: &Site) {
    let key = key_of(&site.folder, "acme");
    let serve = || Serving::started(&mut site.command(&["serve", "--listen", "127.0.0.1:0"]));
    let services = [serve(), serve()];
    assert_eq!(services[0].create(&key).0, 201);
    let mut body = Vec::new();
    for (disposition, bytes) in [
        ("name=\"type\"", &b"train"[..]),
        ("name=\"audio_file\"; filename=\"a.flac\"", FLAC),
        ("name=\"transcript_file\"; filename=\"a.txt\"", b"The rhythm is regular."),
    ] {
        let head = format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--b--\r\n");
    let data = "/api/v3/custom_models/1/data";
    let head = format!(
        "PUT {data} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
        Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&services[0].address).unwrap();
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(site.keys().len(), 3);
    let (status, listed) = services[1].ask("GET", data, &key, "");
    assert!(status == 200 && listed.contains("\"audio_millis\":1000"), "{listed}");
    assert_eq!(services[1].ask("DELETE", &format!("{data}/1"), &key, "").0, 204);
    // Files go behind the answer's back, or with a sweep if the service ends before.
    for service in services {
        assert_eq!(service.terminate().0, Some(0));
    }
    for left in site.keys().iter().filter(|key| key.starts_with("acme/")) {
        site.server.told(&["age", &site.key(left)]);
    }
    site.done(&["sweep"]);
    assert_eq!(site.keys(), ["custom-models.json"]);
}

fn secret(site: &Site) {
    for url in ["s3://key:opensesame@data/x", "s3://data/x?secret=opensesame"] {
        for command in [&["check"][..], &["sweep"], &["serve"], &["data", "remove", "1", "1"]] {
            site.folder.create(&[]);
            let ended = site.folder.run(&[command, &["--data", url]].concat());
            assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{command:?}");
            assert!(!ended.err.contains("opensesame"), "{}", ended.err);
            assert!(ended.err.contains("s3://BUCKET/PREFIX"), "{}", ended.err);
        }
    }
}
