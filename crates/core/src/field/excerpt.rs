//! Excerpts of sent texts, for messages (BODY-5).

use std::borrow::Cow;

/// The most characters of a sent text in a message (BODY-5).
const MAX_CHARACTERS: usize = 40;

/// Copies the first 40 characters of a text, the most that a message shows.
pub(crate) fn excerpt(sent: Cow<'_, str>) -> String {
    let end = sent.char_indices().nth(MAX_CHARACTERS).map(|(end, _)| end);
    match (sent, end) {
        (Cow::Borrowed(sent), end) => {
            sent.get(..end.unwrap_or(sent.len())).unwrap_or(sent).to_owned()
        }
        (Cow::Owned(mut sent), end) => {
            sent.truncate(end.unwrap_or(sent.len()));
            sent
        }
    }
}

/// Appends the first 40 characters of a text, with control and format characters as `\u{…}` escapes.
pub(crate) fn push_echo(message: &mut String, sent: &str) {
    for character in sent.chars().take(MAX_CHARACTERS) {
        if character.is_control() || is_format_character(character) {
            message.extend(character.escape_unicode());
        } else {
            message.push(character);
        }
    }
}

/// Returns true for a character of the general category Cf (Unicode 16): invisible, but not a space.
// A test below compares the ranges with a published table.
pub fn is_format_character(character: char) -> bool {
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
mod tests;
