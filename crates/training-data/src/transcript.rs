//! The check that a transcript is non-blank text, made as it streams in (DATA-1).

use std::borrow::Cow;

use custom_models_core::field::{ViolationKind, is_format_character};

/// The number of bytes kept from the beginning, to name the kind of a file that is not text.
const HEAD: usize = 1024;

/// The state of the check of a transcript that streams in.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    head: Vec<u8>,
    /// The incomplete character at the end of the bytes so far.
    open: Vec<u8>,
    has_text: bool,
    /// True if there are invisible characters other than spaces.
    has_invisible: bool,
    is_broken: bool,
    /// A control character that texts do not have.
    control: Option<char>,
}

impl Transcript {
    /// Checks more bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(room));
        if self.is_broken {
            return;
        }
        if self.open.is_empty() {
            return self.look_at(bytes);
        }
        let mut joined = std::mem::take(&mut self.open);
        joined.extend_from_slice(bytes);
        self.look_at(&joined);
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let (text, rest) = match str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                self.is_broken = error.error_len().is_some();
                let (text, rest) = bytes.split_at(error.valid_up_to());
                (str::from_utf8(text).unwrap_or_default(), rest)
            }
        };
        let is_control = |it: &char| it.is_control() && !matches!(it, '\t' | '\n' | '\r' | '\u{C}');
        self.control = self.control.or_else(|| text.chars().find(is_control));
        if !self.has_text {
            let mut seen = text.chars().filter(|it| !it.is_whitespace()).peekable();
            self.has_invisible |= seen.peek().is_some();
            self.has_text = seen.any(|it| !it.is_control() && !is_format_character(it));
        }
        if !self.is_broken {
            self.open.extend_from_slice(rest);
        }
    }

    /// Returns the violation of a complete transcript, and the kind of its content.
    pub(crate) fn fault(&self) -> Option<(ViolationKind, Cow<'static, str>)> {
        if self.is_broken || !self.open.is_empty() || self.control.is_some() {
            Some((ViolationKind::NotText, self.looks()))
        } else if self.has_text {
            None
        } else if self.has_invisible {
            Some((ViolationKind::Blank, Cow::Borrowed("invisible characters")))
        } else {
            Some((ViolationKind::Blank, Cow::Borrowed("")))
        }
    }

    /// Returns the likely kind of a file that is not UTF-8 text.
    fn looks(&self) -> Cow<'static, str> {
        let zeros = |at: usize, of: usize| {
            self.head.iter().skip(at).step_by(of).filter(|byte| **byte == 0).count()
        };
        let (even, odd) = (zeros(0, 2), zeros(1, 2));
        let characters = self.head.len().div_ceil(4);
        Cow::Borrowed(match (&*self.head, self.control) {
            ([0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..], _) => "UTF-32",
            ([0xFF, 0xFE, ..] | [0xFE, 0xFF, ..], _) => "UTF-16",
            ([b'P', b'K', 3, 4, ..], _) => "a ZIP archive or an office document",
            ([0xD0, 0xCF, 0x11, 0xE0, ..], _) => "an office document",
            ([b'%', b'P', b'D', b'F', ..], _) => "a PDF",
            // In most languages every second byte is zero, or three of four are.
            _ if even + odd > 2 * characters => "UTF-32",
            _ if even.abs_diff(odd) > characters / 4 => "UTF-16",
            (_, Some(control)) if !self.is_broken => {
                return Cow::Owned(format!("text with U+{:04X}", u32::from(control)));
            }
            (_, Some(_)) => "a binary file",
            (_, None) => "text in Windows-1252 or the like",
        })
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
