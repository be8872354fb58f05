//! The figures of the README: `cargo test --release -p custom-models-store-sled --test costs -- --ignored
//! --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod common;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use custom_models_core::store::{Change, ModelStore, OpenMode};
use custom_models_store_sled::SledStore;

use common::{acme, copy, create, new_model, write};

/// The median time of a call.
fn time(times: u32, mut call: impl FnMut()) -> Duration {
    let mut taken: Vec<_> = (0..times)
        .map(|_| {
            let begin = Instant::now();
            call();
            begin.elapsed()
        })
        .collect();
    taken.sort();
    taken[taken.len() / 2]
}

fn fill(store: &SledStore, models: u32) {
    let (answer, answered) = mpsc::channel();
    for number in 0..models {
        let answer = answer.clone();
        let change = Change::Create { model: new_model(&number.to_string()), limit: None };
        store.submit(
            write(change),
            Box::new(move |outcome| answer.send(outcome.map(drop)).unwrap()),
        );
        if number % 100 == 99 {
            answered.iter().take(100).for_each(|outcome| outcome.unwrap());
        }
    }
}

fn opening(folder: &Path, mode: OpenMode) -> Duration {
    time(5, || SledStore::open_as(folder, mode).unwrap().close().unwrap())
}

#[test]
#[ignore = "measures"]
fn what_looking_costs() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("store");
    let store = SledStore::open(&folder).unwrap();
    let log = folder.join("db");
    let id = common::id(1);
    let creates = time(2000, || drop(create(&store, "model").unwrap()));
    let looks = time(2000, || assert!(black_box(fs::metadata(&log).unwrap()).is_file()));
    let reads = time(2000, || assert!(black_box(store.get(&acme(), id).unwrap()).is_some()));
    eprintln!("a create by one caller {creates:?}, a read {reads:?}, a look at the log {looks:?}");
    fill(&store, 100_000);
    let killed = temporary.path().join("killed");
    copy(&folder, &killed);
    store.close().unwrap();
    let bytes = fs::metadata(&log).unwrap().len();
    let begin = Instant::now();
    SledStore::open(&killed).unwrap().close().unwrap();
    eprintln!("a log of {bytes} bytes: opened after a kill in {:?}", begin.elapsed());
    let begin = Instant::now();
    let db = sled::Config::new().path(&killed).flush_every_ms(None).open().unwrap();
    eprintln!("by sled alone {:?}", begin.elapsed());
    drop(db);
    let (writing, reading) =
        (opening(&folder, OpenMode::Existing), opening(&folder, OpenMode::ReadOnly));
    eprintln!("after it was closed {writing:?}, for reading alone {reading:?}");
}
