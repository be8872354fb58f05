//! The end of a stream, in bounded memory.

use std::collections::VecDeque;

/// The most bytes that are kept.
const MOST: usize = 4 << 10;

/// The mark of a text whose beginning is not shown.
const CUT: &str = "[beginning cut off] ";

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: VecDeque<u8>,
    is_cut: bool,
}

impl Tail {
    /// Adds the next part of the stream.
    pub(crate) fn push(&mut self, part: &[u8]) {
        let beyond = part.len().saturating_sub(MOST);
        self.bytes.extend(part.get(beyond..).unwrap_or_default());
        let excess = self.bytes.len().saturating_sub(MOST);
        self.bytes.drain(..excess);
        self.is_cut |= beyond + excess > 0;
    }

    /// Returns the end of the stream, at most `most` characters, from the beginning of a line if one is near. A
    /// text whose beginning is missing begins with [`CUT`].
    pub(crate) fn end(&self, most: usize) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        // A character that was cut in two is not shown.
        let text = if self.is_cut { text.trim_start_matches('\u{FFFD}') } else { &text };
        let text = text.trim();
        if text.is_empty() || (!self.is_cut && text.chars().count() <= most) {
            return text.to_owned();
        }
        let room = most.saturating_sub(CUT.len());
        let Some(last) = room.checked_sub(1) else { return String::new() };
        let start = text.char_indices().rev().nth(last).map_or(0, |(start, _)| start);
        let end = text.get(start..).unwrap_or_default();
        let line = end.find('\n').filter(|place| *place < end.len() / 2);
        let end = line.and_then(|place| end.get(place..)).unwrap_or(end);
        format!("{CUT}{}", end.trim_start())
    }
}

#[cfg(test)]
mod tests;
