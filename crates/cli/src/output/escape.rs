//! Showing texts from elsewhere on a terminal.

use std::fmt::{self, Write};

/// Shows a text with everything that does not print, control and format characters above all, as
/// an escape: one line, whatever the text, and nothing in it steers the terminal.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            // These would be escaped in a literal, and here they do no harm.
            '\\' | '\'' | '"' => f.write_char(character),
            _ => write!(f, "{}", character.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests;
