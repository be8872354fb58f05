//! Reading lines of bounded length.

use std::io::{self, BufRead, Read};

use super::row::LONGEST_ROW;

/// The byte-order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A line of a file of rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a str),
    /// A line that cannot be read, with the reason.
    Unreadable(&'static str),
}

/// Calls `take` with the number and the text of each line that is not blank, until it returns `false`. Leaves out
/// a byte-order mark at the start. Skips a line that is too long without keeping it.
pub(super) fn each_line(
    mut input: impl BufRead,
    mut take: impl FnMut(u64, Line<'_>) -> bool,
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.by_ref().take(LONGEST_ROW + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let is_whole = line.last() == Some(&b'\n');
        let read = if !is_whole && line.len() as u64 > LONGEST_ROW {
            input.skip_until(b'\n')?;
            Line::Unreadable("the row is longer than 1 MiB")
        } else {
            let bytes = line.strip_prefix(MARK).filter(|_| number == 1).unwrap_or(&line);
            match str::from_utf8(bytes) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => Line::Text(text.trim_end_matches(['\n', '\r'])),
                Err(_) => Line::Unreadable("the row is not UTF-8"),
            }
        };
        if !take(number, read) {
            return Ok(());
        }
    }
    Ok(())
}
