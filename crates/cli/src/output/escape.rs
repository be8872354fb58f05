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
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (text, shown) in [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31m", r"\u{1b}[31m"),
            ("\u{9b}2J\0\u{7f}", r"\u{9b}2J\0\u{7f}"),
            ("\u{202e}gnp.exe\u{2066}", r"\u{202e}gnp.exe\u{2066}"),
            ("\u{2028}", r"\u{2028}"),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn what_prints_is_shown_as_it_is() {
        let text = r#"C:\models "new" o'clock 語 é 🎧.db"#;
        assert_eq!(Escaped(text).to_string(), text);
    }
}
