//! Tags before, between and after audio: both versions of ID3, and APE.

use std::io::{self, Read, Seek};

use super::bytes::Bytes;

/// The size of the longest tag header in bytes.
const HEAD: usize = 32;

/// Returns the length of the tag at a position, in bytes; `None` if there is none that ends before `end`.
///
/// # Errors
///
/// Errors of the disk.
pub(super) fn length<T: Read + Seek>(
    bytes: &mut Bytes<'_, T>,
    at: u64,
    end: u64,
) -> io::Result<Option<u64>> {
    let length = of_head(bytes.at(at, HEAD)?);
    Ok(length.filter(|length| *length <= end.saturating_sub(at)))
}

/// Returns true if there are bytes, and they begin with a tag.
pub(super) fn begins(bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| of_head(bytes).is_some())
}

fn of_head(head: &[u8]) -> Option<u64> {
    if let [b'I', b'D', b'3', version, _, flags, a, b, c, d, ..] = *head {
        let size = [a, b, c, d].into_iter().fold(0, |size, seven| size << 7 | u64::from(seven));
        let footer = if version == 4 && flags & 0x10 != 0 { 10 } else { 0 };
        return (version < 0xFF && (a | b | c | d) < 0x80).then_some(10 + size + footer);
    }
    if let Some(rest) = head.strip_prefix(b"APETAGEX") {
        let number = |at: usize| Some(u32::from_le_bytes(*rest.get(at..)?.first_chunk()?));
        // The size includes the footer, but not the header.
        let is_head = number(12)? & 1 << 29 != 0;
        return Some(if is_head { 32 + u64::from(number(4)?) } else { 32 });
    }
    head.starts_with(b"TAG").then_some(128)
}
