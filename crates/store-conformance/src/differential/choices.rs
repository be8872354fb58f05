//! Choices read from bytes: random ones, or those of a fuzzer.

/// A row of bytes that is read as choices. Past its end every byte is 0.
///
/// One byte is one choice where possible, and frequent choices take few bytes. So a small change of the bytes
/// is a small change of the operations, and few bytes yield many operations.
#[derive(Debug)]
pub(crate) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Choices { rest: bytes }
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    /// Reads this many bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (read, rest) = self.rest.split_at(self.rest.len().min(N));
        bytes.iter_mut().zip(read).for_each(|(byte, read)| *byte = *read);
        self.rest = rest;
        bytes
    }

    /// Reads a number below `bound`.
    pub(crate) fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound.max(1)
    }

    /// Reads whether there is a value, and then the value.
    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() & 1 == 1).then(|| read(self))
    }

    /// Reads an item of a list that is not empty.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T], first: T) -> T {
        pick(all, self.byte()).unwrap_or(first)
    }

    /// Reads a text of fewer than 12 characters.
    pub(crate) fn text(&mut self) -> String {
        (0..self.below(12))
            .map(|_| {
                let [high, middle, low] = self.bytes();
                let number = u32::from_be_bytes([0, high, middle, low]);
                char::from_u32(number % 0x11_0000).unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect()
    }
}

/// Returns the item that a choice selects, if there is any.
pub(crate) fn pick<T: Copy>(all: &[T], place: u8) -> Option<T> {
    all.get(usize::from(place).checked_rem(all.len())?).copied()
}
