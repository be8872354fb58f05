//! The names of unsupported codecs in Ogg.

use std::io::{self, Read, Seek};

use super::bytes::Bytes;

/// The number of pages to examine: the first page of each stream comes before all others.
const PAGES: usize = 16;

/// Returns the name of an unsupported codec, from the first packet of its stream.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn other_codec<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    mut at: u64,
) -> io::Result<Option<&'static str>> {
    for _ in 0..PAGES {
        let page = bytes.at(at, 27 + 255)?;
        let Some((b"OggS", count)) = page.first_chunk().zip(page.get(26)) else { break };
        let head = 27 + usize::from(*count);
        let lengths = page.get(27..head).unwrap_or_default();
        let length: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        let body = at + head as u64;
        let packet = bytes.at(body, 8)?;
        let name = match packet {
            [b'S', b'p', b'e', b'e', b'x', ..] => Some("Ogg with Speex"),
            [b'P', b'C', b'M', b' ', ..] => Some("Ogg with PCM"),
            [b'C', b'E', b'L', b'T', ..] => Some("Ogg with CELT"),
            [b'O', b'g', b'g', b'M', b'I', b'D', b'I', ..] => Some("Ogg with MIDI"),
            [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => Some("Ogg with Theora and no audio"),
            _ => None,
        };
        if name.is_some() {
            return Ok(name);
        }
        at = body + length;
    }
    Ok(None)
}
