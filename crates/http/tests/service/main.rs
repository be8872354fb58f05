//! The service on real sockets: every response to the byte, the order of refusals, the limits, and clients that are
//! slow, broken or gone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod accounts;
mod connections;
mod data;
mod description;
mod dry_run;
mod edits;
mod events;
mod heads;
mod limited;
mod limits;
mod models;
mod order;
mod parameters;
mod parts;
mod places;
mod rechecks;
mod repeats;
mod resumable;
mod support;
mod training;
mod uploads;
mod wire;
mod work;
