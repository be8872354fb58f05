//! Sequences of operations on a SQLite store, compared with the store in memory.
#![no_main]

use std::sync::Arc;

use custom_models_fuzz::stores::{Steps, check};
use custom_models_store_sqlite::SqliteStore;

libfuzzer_sys::fuzz_target!(|steps: Steps| {
    check(&steps, |folder| {
        SqliteStore::open(folder.join("store.db")).map(|store| Arc::new(store) as _)
    });
});
