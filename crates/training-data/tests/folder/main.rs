//! A folder of training data, used by processes of its store and of others.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod branched;
#[path = "../support/hooked.rs"]
mod hooked;
mod owned;
#[path = "../support/stores.rs"]
mod stores;
mod support;
mod swept;
