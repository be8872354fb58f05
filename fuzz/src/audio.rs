//! Target `audio`: measurements of any bytes.

use std::io::{Cursor, Read, Result, Seek, SeekFrom};
use std::panic;
use std::sync::Once;

use custom_models_training_data::{AudioFault, AudioFormat, measure};

/// The bound on how often the bytes are read: they are probed for each format, and demuxers seek back and
/// forth.
const TIMES: u64 = 400;

/// The least number of bytes per read, however few are requested.
const BLOCK: u64 = 1 << 16;

/// Measures bytes, and checks the work that it took.
pub fn check(bytes: &[u8]) {
    quiet();
    let mut source = Counted { bytes: Cursor::new(bytes), read: 0 };
    let found = measure(&mut source);
    assert!(source.read <= TIMES * (bytes.len() as u64 + BLOCK), "{} bytes read", source.read);
    match found {
        Ok(audio) => {
            assert!(audio.millis > 0, "{audio:?}");
            assert!(is_plausible(audio.format, bytes), "{audio:?}");
            let again = measure(&mut Cursor::new(bytes)).unwrap();
            assert_eq!(again, audio);
        }
        Err(AudioFault::NotAudio | AudioFault::OtherCodec(_) | AudioFault::LowSampleRate(_)) => {}
        Err(fault) => panic!("nothing is wrong with the disk: {fault:?}"),
    }
}

/// Silences the panics of demuxers. The measurement catches them, but a fuzzer would stop at the panic.
pub(crate) fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let found = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_ours =
                |file: &str| file.contains("crates/training-data/") || file.starts_with("src/");
            if panic.location().is_none_or(|place| is_ours(place.file())) {
                found(panic);
            }
        }));
    });
}

/// Returns true if the bytes have the markers that every file of the format has.
fn is_plausible(format: AudioFormat, bytes: &[u8]) -> bool {
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|it| it == mark);
    match format {
        AudioFormat::Wav => {
            let marks: [&[u8]; 4] = [b"RIFF", b"RIFX", b"RF64", b"BW64"];
            marks.into_iter().any(has) && has(b"WAVE")
        }
        AudioFormat::Flac => has(b"fLaC"),
        AudioFormat::Ogg => has(b"OggS"),
        AudioFormat::M4a => bytes.get(4..8) == Some(b"ftyp"),
        AudioFormat::Mp3 | AudioFormat::Aac => bytes.contains(&0xFF),
    }
}

/// Bytes, with a count of how many were read in total.
struct Counted<'a> {
    bytes: Cursor<&'a [u8]>,
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let read = self.bytes.read(into)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.bytes.seek(to)
    }
}
