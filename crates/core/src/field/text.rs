//! Checks of texts: their length in characters, and whether they are blank.

/// Returns true if `text` has more than `max` characters (Unicode scalar values).
///
/// A character takes one to four bytes, so the number of bytes decides for most texts, at constant cost.
/// Characters are counted only in between.
#[inline]
pub(crate) fn is_longer_than(text: &str, max: usize) -> bool {
    let length = text.len();
    length > max && (length > 4 * max || count(text.as_bytes()) > max)
}

/// Counts the characters of a text by their first bytes: in large blocks, then in smaller ones, then byte by
/// byte.
#[inline(never)]
fn count(bytes: &[u8]) -> usize {
    let (in_large, rest) = count_in_blocks::<192>(bytes);
    let (in_medium, rest) = count_in_blocks::<64>(rest);
    let (in_small, rest) = count_in_blocks::<8>(rest);
    in_large + in_medium + in_small + rest.iter().filter(|byte| begins_character(**byte)).count()
}

/// Counts in whole blocks of `SIZE` bytes, and returns the rest. The compiler vectorises it. A block has at
/// most 255 bytes, so that its count fits a byte.
#[inline]
fn count_in_blocks<const SIZE: usize>(bytes: &[u8]) -> (usize, &[u8]) {
    let count =
        |block: &[u8; SIZE]| block.iter().map(|byte| u8::from(begins_character(*byte))).sum::<u8>();
    let (blocks, rest) = bytes.as_chunks();
    (blocks.iter().map(|block| usize::from(count(block))).sum(), rest)
}

/// Returns true unless a byte continues a character: those are `0b10xx_xxxx`, below -64 as a signed number.
#[inline]
fn begins_character(byte: u8) -> bool {
    byte.cast_signed() >= -64
}

/// Returns true if `text` is empty or nothing but Unicode `White_Space`.
#[inline]
pub(crate) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        // The first bytes of all `White_Space` characters; with any other byte the text is not blank.
        Some(b'\t'..=b'\r' | b' ' | 0xC2 | 0xE1..=0xE3) => is_all_space(text),
        Some(_) => false,
    }
}

#[inline(never)]
fn is_all_space(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests;
