//! What the rules ask of a text: how long it is in characters, and whether there is anything in it.

/// Whether `text` has more than `max` characters (Unicode scalar values).
///
/// A character takes one to four bytes, so most texts are decided by their length in bytes and the
/// cost does not depend on it; only those in between are counted.
#[inline]
pub(crate) fn is_longer_than(text: &str, max: usize) -> bool {
    text.len() > max && (text.len() > 4 * max || count(text.as_bytes()) > max)
}

/// Counts the bytes that begin a character, in blocks that the compiler turns into vector code.
#[inline(never)]
fn count(bytes: &[u8]) -> usize {
    let begins = |byte: &u8| u8::from(byte & 0xC0 != 0x80);
    let (blocks, tail) = bytes.as_chunks::<64>();
    let in_blocks: usize =
        blocks.iter().map(|block| usize::from(block.iter().map(begins).sum::<u8>())).sum();
    in_blocks + tail.iter().map(|byte| usize::from(begins(byte))).sum::<usize>()
}

/// Whether `text` is empty or nothing but Unicode `White_Space`.
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
            for length in [0, 1, 63, 64, 65, 199, 200, 201, 999, 1000, 1001, 5000] {
                let text = String::from(character).repeat(length);
                for max in [200, 1000] {
                    assert_eq!(is_longer_than(&text, max), length > max, "{character} {length}");
                }
            }
        }
    }
}
