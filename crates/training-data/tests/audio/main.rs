//! DATA-2: the format and the duration of an audio file, measured from its packets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod containers;
mod flac;
mod frames;
mod measured;
mod support;
mod wav;
