//! Sequences of operations on a SQLite store, compared with the store in memory.
#![no_main]

use std::sync::Arc;

use custom_models_fuzz::Steps;
use custom_models_fuzz::stores::Arena;
use custom_models_store_sqlite::SqliteStore;

libfuzzer_sys::fuzz_target!(|steps: Steps<'_>| {
    Arena::check(&steps, |folder| {
        SqliteStore::open(folder.join("store.db")).map(|store| Arc::new(store) as _)
    });
});
