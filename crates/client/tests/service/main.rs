//! The client against the real service, on a port of its own and with a store in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cut;
mod operations;
mod refusals;
mod retries;
mod support;
mod training;
mod uploads;
