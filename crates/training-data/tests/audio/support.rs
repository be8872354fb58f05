//! The files of the tests, and checks of their measurements.

use std::io::Cursor;

use custom_models_training_data::{Audio, AudioFault, measure};

pub(crate) const AAC: &[u8] = include_bytes!("tone.aac");
pub(crate) const FLAC: &[u8] = include_bytes!("tone.flac");
pub(crate) const FRAGMENTED_M4A: &[u8] = include_bytes!("fragmented.m4a");
pub(crate) const M4A: &[u8] = include_bytes!("tone.m4a");
pub(crate) const MP3: &[u8] = include_bytes!("tone.mp3");
pub(crate) const OPUS: &[u8] = include_bytes!("opus.ogg");
pub(crate) const VORBIS: &[u8] = include_bytes!("tone.ogg");
pub(crate) const WAV: &[u8] = include_bytes!("tone.wav");

pub(crate) fn measured(bytes: &[u8]) -> Result<Audio, AudioFault> {
    measure(&mut Cursor::new(bytes))
}

/// Asserts that the bytes are refused as another codec or container with this name.
#[track_caller]
pub(crate) fn is_found(bytes: &[u8], name: &str) {
    match measured(bytes) {
        Err(AudioFault::OtherCodec(found)) => assert_eq!(found, name),
        other => panic!("{other:?}"),
    }
}
