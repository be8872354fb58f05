//! Choices read from a tape of bytes. It is cheap to generate, and a shorter tape of smaller bytes gives a
//! simpler case, so that proptest shrinks well.

use proptest::collection::vec;
use proptest::prelude::*;

/// A tape of choices. At its end every choice is the first one.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    at: usize,
}

/// A tape long enough for a body of a dozen members.
pub(crate) fn tape() -> impl Strategy<Value = Tape> {
    vec(any::<u8>(), 0..80).prop_map(|bytes| Tape { bytes, at: 0 })
}

impl Tape {
    fn next(&mut self) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte.into()
    }

    /// Returns a number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound <= 256 { self.next() % bound } else { (self.next() << 8 | self.next()) % bound }
    }

    /// Returns one of some choices.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Generates text in pieces: ordinary, blank, wide, hostile to a terminal or to JSON, near a limit.
    pub(crate) fn text(&mut self) -> String {
        const PIECES: [&str; 32] = [
            "a",
            "en",
            "",
            " ",
            "medical",
            "é",
            "語",
            "😀",
            "\u{2003}",
            "\u{0}",
            "\"",
            "\\",
            "/",
            "\n",
            "\u{202E}",
            "\u{FEFF}",
            "\u{301}",
            "name",
            "EN",
            "שלום",
            "null",
            "\u{7F}",
            "\u{10FFFF}",
            "\u{D7FF}",
            "\u{E000}",
            "general",
            "x",
            "'",
            "ru",
            "\t",
            "\u{85}",
            "{",
        ];
        let mut text = String::new();
        match self.below(24) {
            0 => text = self.of(&["x", "é", "語", "😀", " "]).repeat(198 + self.below(6)),
            1 => text = self.of(&["x", "é", "語", "😀", " "]).repeat(998 + self.below(6)),
            _ => {
                for _ in 0..self.below(5) {
                    text.push_str(self.of(&PIECES));
                }
            }
        }
        text
    }

    /// Returns a character of any kind, usually ASCII.
    pub(crate) fn character(&mut self) -> char {
        let code = match self.below(8) {
            0 => self.below(0x800),
            1 => self.below(0x1_0000),
            2 => self.below(0x10) << 16 | self.below(0x1_0000),
            _ => self.below(0x80),
        };
        char::from_u32(code as u32).unwrap_or('\u{FFFD}')
    }
}

/// Damages a body in up to three positions, or leaves it unchanged.
pub(crate) fn mutate(body: &mut Vec<u8>, tape: &mut Tape) {
    const HOSTILE: &[u8] =
        b"\"\\{}[]:,0123456789eE+-.tfnu /\t\n\r\x0b\x00\x1f\x7f\x80\xc2\xed\xa0\xf0\xffdD";
    for _ in 0..tape.below(4) {
        let at = tape.below(body.len() + 1);
        let to = (at + 1 + tape.below(8)).min(body.len());
        let byte = tape.of(HOSTILE);
        match tape.below(6) {
            0 if at < body.len() => body[at] = byte,
            1 if at < body.len() => drop(body.remove(at)),
            2 => body.insert(at, byte),
            3 => drop(body.drain(at.min(to)..to)),
            4 => {
                let copied = body[at.min(to)..to].to_vec();
                body.splice(at..at, copied);
            }
            _ => body.truncate(at),
        }
    }
}
