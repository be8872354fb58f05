//! How a message shows what a caller sent (BODY-5).

use std::fmt::{self, Write};

/// How many characters of what was sent a message may show (BODY-5).
pub(crate) const MAX_CHARACTERS: usize = 40;

/// Shows the first 40 characters of a text, its control and format characters as `\u{…}` escapes.
pub(crate) struct Echo<'a>(pub(crate) &'a str);

impl fmt::Display for Echo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(MAX_CHARACTERS) {
            if character.is_control() || is_format(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether a character is of the general category Cf (Unicode 16). The test below holds the
/// ranges against a published table.
fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0001}'
            | '\u{E0020}'..='\u{E007F}'
    )
}

#[cfg(test)]
mod tests {
    use unicode_general_category::{GeneralCategory, get_general_category};

    use super::*;

    #[test]
    fn body_5_every_control_and_format_character_is_escaped_and_no_other_is() {
        for character in '\0'..=char::MAX {
            let shown = Echo(&String::from(character)).to_string();
            let category = get_general_category(character);
            if matches!(category, GeneralCategory::Control | GeneralCategory::Format) {
                assert_eq!(shown, format!("\\u{{{:x}}}", u32::from(character)));
            } else {
                assert_eq!(shown, String::from(character));
            }
        }
    }

    #[test]
    fn body_5_forty_characters_are_shown_and_no_more() {
        for character in ['x', '語', '\u{202E}'] {
            let forty = Echo(&String::from(character).repeat(40)).to_string();
            let more = Echo(&String::from(character).repeat(41)).to_string();
            assert_eq!(forty, more);
            assert!(Echo(&String::from(character).repeat(39)).to_string().len() < forty.len());
        }
    }
}
