//! The lines of a stream that comes in parts.

/// The most bytes of a line that are kept.
pub(crate) const LONGEST: usize = 64 << 10;

/// A line, with or without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    /// The beginning of a line that is longer than [`LONGEST`].
    Cut(&'a [u8]),
}

/// The line that is not complete yet.
#[derive(Default)]
pub(crate) struct Lines {
    kept: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    /// Adds what comes next, and gives every line that is complete to `take`.
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

    /// Gives what is left to `take`, at the end of the stream.
    pub(crate) fn finish(&mut self, take: &mut impl FnMut(Line<'_>)) {
        if !self.kept.is_empty() {
            take(if self.is_cut { Line::Cut(&self.kept) } else { Line::Whole(&self.kept) });
        }
        self.kept.clear();
        self.is_cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_never_ends_takes_no_memory_and_the_next_one_counts() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut take = |line: Line<'_>| match line {
            Line::Whole(line) => found.push(String::from_utf8(line.to_vec()).unwrap()),
            Line::Cut(line) => found.push(format!("cut at {}", line.len())),
        };
        for _ in 0..1000 {
            lines.push(&[b'x'; 1000], &mut take);
        }
        assert!(lines.kept.capacity() <= 2 * LONGEST);
        lines.push(b"\nshort\n\nin ", &mut take);
        lines.push(b"parts\nlast", &mut take);
        lines.push(b"", &mut take);
        lines.finish(&mut take);
        lines.finish(&mut take);
        assert_eq!(found, ["cut at 65536", "short", "in parts", "last"]);
        let longest = [&[b'y'; LONGEST][..], b"\n"].concat();
        let mut is_whole = false;
        lines.push(&longest, &mut |line| is_whole = matches!(line, Line::Whole(_)));
        assert!(is_whole);
    }
}
