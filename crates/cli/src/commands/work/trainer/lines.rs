//! Splitting a stream into lines of bounded length.

/// The most bytes of a line that are kept.
pub(crate) const LONGEST: usize = 64 << 10;

/// A line, with or without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    /// The beginning of a line that is longer than [`LONGEST`].
    Cut(&'a [u8]),
}

/// The incomplete last line of a stream.
#[derive(Default)]
pub(crate) struct Lines {
    kept: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    /// Adds the next part of the stream, and calls `take` for every complete line.
    pub(crate) fn push(&mut self, part: &[u8], take: &mut impl FnMut(Line<'_>)) {
        for piece in part.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = LONGEST.saturating_sub(self.kept.len()).min(text.len());
            self.kept.extend_from_slice(text.get(..room).unwrap_or_default());
            self.is_cut |= room < text.len();
            if piece.ends_with(b"\n") {
                self.finish(take);
            }
        }
    }

    /// Calls `take` for the rest, at the end of the stream.
    pub(crate) fn finish(&mut self, take: &mut impl FnMut(Line<'_>)) {
        if !self.kept.is_empty() {
            take(if self.is_cut { Line::Cut(&self.kept) } else { Line::Whole(&self.kept) });
        }
        self.kept.clear();
        self.is_cut = false;
    }
}

#[cfg(test)]
mod tests;
