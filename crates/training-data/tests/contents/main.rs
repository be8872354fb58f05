//! A suite for every storage of contents, and tests of object storage alone, against an S3 server.
//!
//! The server is moto, from the `venv` in the folder `CUSTOM_MODELS_OBJECT_TESTS`; `./test` installs it.
//! Without the variable the tests of object storage are reported as ignored.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod between;
mod fixture;
#[path = "../support/hooked.rs"]
mod hooked;
mod marks;
mod objects;
mod proxy;
mod resumed;
mod server;
#[path = "../support/stores.rs"]
mod stores;
mod suite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::fixture::{InBucket, OnDisk, Place};
use crate::server::Server;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    let tools = std::env::var_os("CUSTOM_MODELS_OBJECT_TESTS").map(PathBuf::from);
    let python = tools.map(|tools| tools.join("venv/bin/python"));
    let is_wanted = !arguments.list;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contents/server.py");
    let start = |python: PathBuf| Arc::new(Server::start(&python, &script));
    let server = python.filter(|_| is_wanted).map(start);
    let mut trials = Vec::new();
    for (name, case) in suite::CASES.into_iter().chain(marks::CASES).chain(resumed::CASES) {
        trials.push(trial("folder", name, move || case(&OnDisk::new())));
        let of = server.clone();
        let run = move || case(&InBucket::new(&of.unwrap()) as &dyn Place);
        trials.push(trial("objects", name, run).with_ignored_flag(server.is_none()));
    }
    for (name, case) in objects::CASES {
        let of = server.clone();
        let run = move || case(&InBucket::new(&of.unwrap()));
        trials.push(trial("objects", name, run).with_ignored_flag(server.is_none()));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Stops the server explicitly, since the process ends without dropping anything.
    drop(server);
    conclusion.exit();
}

fn trial(place: &str, name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(format!("{place}::{name}"), move || {
        run();
        Ok(())
    })
}
