//! DATA-2: the format and the duration of an audio, told by the audio itself.
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
