//! Sequences of operations on a sled store, compared with the store in memory.
#![no_main]

use std::sync::Arc;

use custom_models_fuzz::Steps;
use custom_models_fuzz::stores::Arena;
use custom_models_store_sled::SledStore;

libfuzzer_sys::fuzz_target!(|steps: Steps<'_>| {
    Arena::check(&steps, |folder| {
        SledStore::open(folder.join("store")).map(|store| Arc::new(store) as _)
    });
});
