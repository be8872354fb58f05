//! Access to the bytes of a file by position, read in blocks.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// The most bytes in one request.
pub(super) const WINDOW: usize = 1 << 15;

/// The size of a block: several windows, so that few bytes are read twice when the window moves on.
const BLOCK: u64 = 1 << 18;

/// A file and a block of its bytes.
pub(super) struct Bytes<'a, T> {
    file: &'a mut T,
    length: u64,
    block: Vec<u8>,
    /// The position of the block in the file.
    start: u64,
}

impl<'a, T: Read + Seek> Bytes<'a, T> {
    pub(super) fn new(file: &'a mut T) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Bytes { file, length, block: Vec::new(), start: 0 })
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Returns the bytes from a position on: as many as wanted, at most [`WINDOW`], or fewer at the end.
    pub(super) fn at(&mut self, place: u64, wanted: usize) -> io::Result<&[u8]> {
        let wanted = wanted.min(WINDOW);
        let end = place.saturating_add(wanted as u64).min(self.length);
        if place >= end {
            return Ok(&[]);
        }
        if place < self.start || end > self.start + self.block.len() as u64 {
            self.load(place)?;
        }
        let from = usize::try_from(place - self.start).unwrap_or(usize::MAX);
        let there = self.block.get(from..).unwrap_or_default();
        Ok(there.get(..wanted).unwrap_or(there))
    }

    /// Returns exactly `N` bytes from a position on; `None` if the file ends before that.
    pub(super) fn exactly<const N: usize>(&mut self, place: u64) -> io::Result<Option<[u8; N]>> {
        Ok(self.at(place, N)?.first_chunk().copied())
    }

    /// Returns all bytes between two positions, however many.
    pub(super) fn copied(&mut self, mut place: u64, end: u64) -> io::Result<Vec<u8>> {
        let mut copy = Vec::new();
        while place < end {
            let left = usize::try_from(end - place).unwrap_or(usize::MAX);
            let some = self.at(place, left)?;
            if some.is_empty() {
                break;
            }
            copy.extend_from_slice(some);
            place += some.len() as u64;
        }
        Ok(copy)
    }

    fn load(&mut self, place: u64) -> io::Result<()> {
        self.block.clear();
        self.start = place;
        self.file.seek(SeekFrom::Start(place))?;
        let read = self.file.by_ref().take(BLOCK).read_to_end(&mut self.block)?;
        if (read as u64) < BLOCK.min(self.length - place) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}
