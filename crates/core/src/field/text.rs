//! The checks of a text that rules need: its length in characters, and whether it is blank.

/// Returns true if `text` has more than `max` characters (Unicode scalar values).
///
/// A character takes one to four bytes, so most texts are decided by their length in bytes and the
/// cost does not depend on it; only those in between are counted.
#[inline]
pub(crate) fn is_longer_than(text: &str, max: usize) -> bool {
    let length = text.len();
    length > max && (length > 4 * max || count(text.as_bytes()) > max)
}

/// Counts the characters of a text, which are the bytes that begin one: in large blocks, what is
/// left in smaller ones, and the last bytes one by one.
#[inline(never)]
fn count(bytes: &[u8]) -> usize {
    let (in_large, rest) = count_in_blocks::<192>(bytes);
    let (in_medium, rest) = count_in_blocks::<64>(rest);
    let (in_small, rest) = count_in_blocks::<8>(rest);
    in_large + in_medium + in_small + rest.iter().filter(|byte| begins_character(**byte)).count()
}

/// Counts in as many blocks of `SIZE` bytes as there are, and returns the rest. The compiler makes
/// vector code of it; a block is at most 255 bytes, so that its count fits a byte.
#[inline]
fn count_in_blocks<const SIZE: usize>(bytes: &[u8]) -> (usize, &[u8]) {
    let count =
        |block: &[u8; SIZE]| block.iter().map(|byte| u8::from(begins_character(*byte))).sum::<u8>();
    let (blocks, rest) = bytes.as_chunks();
    (blocks.iter().map(|block| usize::from(count(block))).sum(), rest)
}

/// A byte that goes on with a character is `0b10xx_xxxx`: as a signed number, below -64.
#[inline]
fn begins_character(byte: u8) -> bool {
    byte.cast_signed() >= -64
}

/// Returns true if `text` is empty or nothing but Unicode `White_Space`.
#[inline]
pub(crate) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        // The first bytes of all characters that are White_Space; any other byte settles it.
        Some(b'\t'..=b'\r' | b' ' | 0xC2 | 0xE1..=0xE3) => is_all_space(text),
        Some(_) => false,
    }
}

#[inline(never)]
fn is_all_space(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_white_space_character_is_blank_and_no_other_is() {
        for character in '\0'..=char::MAX {
            let text = String::from(character);
            assert_eq!(is_blank(&text), character.is_whitespace(), "{character:?}");
            assert!(!is_blank(&format!("\u{2003}{character}x")), "{character:?}");
        }
        assert!(is_blank(""));
    }

    #[test]
    fn length_is_in_characters_of_every_width() {
        for character in ['a', 'é', '語', '𐍈'] {
            for length in [0, 1, 50, 67, 199, 200, 201, 263, 264, 265, 999, 1000, 1001, 5000] {
                let text = String::from(character).repeat(length);
                for max in [200, 1000] {
                    assert_eq!(is_longer_than(&text, max), length > max, "{character} {length}");
                }
            }
        }
    }
}
