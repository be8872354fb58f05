//! A content that is read in pieces.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use object_store::ObjectStoreExt;
use object_store::path::Path as Key;

use super::Objects;

/// The number of bytes per request.
const PIECE: u64 = 4 << 20;

/// An object opened for reading.
#[derive(Debug)]
pub(super) struct ObjectContent {
    of: Objects,
    key: Key,
    length: u64,
    at: u64,
    piece: Vec<u8>,
    piece_at: u64,
}

impl ObjectContent {
    pub(super) fn new(of: Objects, key: Key, length: u64) -> Self {
        ObjectContent { of, key, length, at: 0, piece: Vec::new(), piece_at: 0 }
    }

    /// Returns the fetched bytes from the current position on.
    fn fetched(&self) -> &[u8] {
        let from = self.at.checked_sub(self.piece_at).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.piece.get(from..)).unwrap_or_default()
    }

    fn fetch(&mut self) -> io::Result<()> {
        let (key, range) = (self.key.clone(), self.at..self.length.min(self.at + PIECE));
        let fetched =
            self.of.remote().ask(|client| async move { client.get_range(&key, range).await });
        self.piece = fetched.map_err(io::Error::other)?.to_vec();
        self.piece_at = self.at;
        if self.piece.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl Read for ObjectContent {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || bytes.is_empty() {
            return Ok(0);
        }
        if self.fetched().is_empty() {
            self.fetch()?;
        }
        let read = self.fetched().read(bytes)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for ObjectContent {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(from) => self.length.checked_add_signed(from),
            SeekFrom::Current(from) => self.at.checked_add_signed(from),
        };
        self.at = at.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
