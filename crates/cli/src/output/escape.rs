//! Escaping texts for a terminal.

use std::fmt::{self, Write};

/// A text with escapes for all characters that do not print, such as control and format characters. It is one
/// line and cannot control the terminal.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            // `escape_debug` would escape these, which are harmless here.
            '\\' | '\'' | '"' => f.write_char(character),
            _ => write!(f, "{}", character.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests;
