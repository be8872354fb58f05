//! The kind of a file, from its first bytes after tags and zeros.

use std::io::{self, Read, Seek};

use super::bytes::{Bytes, WINDOW};
use super::{mpeg, tags, wav};

/// The number of bytes to examine: enough for three packets of an MPEG transport stream.
const HEAD: usize = 400;

/// The kind of a file, from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Wav,
    Flac,
    Ogg,
    Mp4,
    /// Another container or codec, by its name.
    Other(&'static str),
    /// Frames of MPEG audio or AAC, or no audio.
    Unknown,
}

/// Returns the position at which a file begins after tags and zeros, and its kind.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn of<T: Read + Seek>(bytes: &mut Bytes<'_, T>) -> io::Result<(u64, Beginning)> {
    let head = bytes.at(0, HEAD)?;
    // Headers of these kinds may begin with zeros.
    match of_head(head) {
        Beginning::Unknown => {}
        found => return Ok((0, found)),
    }
    let (mut at, length) = (0, bytes.length());
    loop {
        let start = at;
        while let Some(tag) = tags::length(bytes, at, length)? {
            at += tag;
        }
        at = behind_zeros(bytes, at)?;
        if at == start || at >= length {
            return Ok((at, of_head(bytes.at(at, HEAD)?)));
        }
    }
}

fn behind_zeros<T: Read + Seek>(bytes: &mut Bytes<'_, T>, mut at: u64) -> io::Result<u64> {
    loop {
        let block = bytes.at(at, WINDOW)?;
        match block.iter().position(|byte| *byte != 0) {
            Some(zeros) => return Ok(at + zeros as u64),
            None if block.is_empty() => return Ok(at),
            None => at += block.len() as u64,
        }
    }
}

fn of_head(head: &[u8]) -> Beginning {
    if wav::is_wav(head) {
        return Beginning::Wav;
    }
    match head {
        [b'f', b'L', b'a', b'C', ..] => Beginning::Flac,
        [b'O', b'g', b'g', b'S', ..] => Beginning::Ogg,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Beginning::Mp4,
        _ => named(head).map_or(Beginning::Unknown, Beginning::Other),
    }
}

/// Returns the name of an unsupported container or codec.
fn named(head: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 23] = [
        (b"\x1A\x45\xDF\xA3", "Matroska or WebM"),
        (b"riff\x2E\x91\xCF\x11", "Wave64"),
        (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media (ASF)"),
        (b"ADIF", "AAC in ADIF"),
        (b"FORM", "AIFF"),
        (b".snd", "AU"),
        (b"caff", "CAF"),
        (b"#!AMR", "AMR"),
        (b"FLV\x01", "Flash video"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"TTA1", "True Audio"),
        (b"TTA2", "True Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"NIST_1A", "NIST SPHERE"),
        (b"Creative Voice File", "VOC"),
        (b".RMF", "RealMedia"),
        (b".ra\xFD", "RealAudio"),
        (b"\x0B\x77", "AC-3"),
        (b"\0\0\x01\xBA", "an MPEG program stream"),
    ];
    let begins =
        |(beginning, name): (&[u8], &'static str)| head.starts_with(beginning).then_some(name);
    if let Some(name) = BEGINNINGS.into_iter().find_map(begins) {
        return Some(name);
    }
    let has_each =
        |of: usize, mark: u8| [0, of, 2 * of].iter().all(|at| head.get(*at) == Some(&mark));
    match (head, head.get(4..8)) {
        ([b'R', b'I', b'F', b'F', ..], _) if head.get(8..11) == Some(b"AVI") => Some("AVI"),
        (_, Some(b"moov" | b"mdat" | b"wide" | b"pnot")) => Some("QuickTime"),
        _ if has_each(188, 0x47) => Some("an MPEG transport stream"),
        _ if is_latm(head) => Some("AAC in LATM"),
        _ if mpeg::is_free_format(head) => Some("MP3 of a free bit rate"),
        _ => None,
    }
}

/// Returns true if the bytes begin with a LATM frame, and another one follows or lies past these bytes.
fn is_latm(head: &[u8]) -> bool {
    let length = |at: usize| match head.get(at..) {
        Some([0x56, b, c, ..]) if b & 0xE0 == 0xE0 => {
            Some(3 + (usize::from(b & 0x1F) << 8 | usize::from(*c)))
        }
        _ => None,
    };
    length(0).is_some_and(|first| first >= head.len() || length(first).is_some())
}
