//! Whether a transcript is a text with something in it, judged as it streams in (DATA-1).

use custom_models_core::ViolationKind;

/// What is known of a transcript so far.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// The beginning of a character that the last bytes ended in.
    open: Vec<u8>,
    has_text: bool,
    is_broken: bool,
}

impl Transcript {
    /// Looks at more bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
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
        self.has_text |= !text.chars().all(char::is_whitespace);
        if !self.is_broken {
            self.open.extend_from_slice(rest);
        }
    }

    /// What is wrong with it, at its end.
    pub(crate) fn fault(&self) -> Option<ViolationKind> {
        if self.is_broken || !self.open.is_empty() {
            Some(ViolationKind::NotText)
        } else if self.has_text {
            None
        } else {
            Some(ViolationKind::Blank)
        }
    }
}
