//! Sequences of operations on a sled store, compared with the store in memory.
#![no_main]

use std::sync::Arc;

use custom_models_fuzz::stores::{Steps, check};
use custom_models_store_sled::SledStore;

libfuzzer_sys::fuzz_target!(|steps: Steps| {
    check(&steps, |folder| SledStore::open(folder.join("store")).map(|store| Arc::new(store) as _));
});
