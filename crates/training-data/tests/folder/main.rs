//! A folder of training data, as processes of its store and of others use it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod branched;
mod owned;
#[path = "../support/stores.rs"]
mod stores;
mod support;
mod swept;
