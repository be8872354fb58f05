//! A finished upload as one file.

use std::io::{self, Cursor, Read};

use custom_models_core::Organisation;

use super::{ResumableUpload, ResumableUploads, piece_name};

/// A finished upload, read from its start to its end, one piece at a time.
#[derive(Debug)]
pub struct ResumableFile {
    uploads: ResumableUploads,
    organisation: Organisation,
    upload: ResumableUpload,
    piece: Cursor<Vec<u8>>,
    /// The end of the piece in the file.
    end: u64,
}

impl ResumableFile {
    pub(super) fn new(
        uploads: ResumableUploads,
        organisation: Organisation,
        upload: ResumableUpload,
    ) -> Self {
        ResumableFile { uploads, organisation, upload, piece: Cursor::default(), end: 0 }
    }

    /// Returns the name of the file; `None` if its sender gave it none.
    pub fn filename(&self) -> Option<&str> {
        self.upload.metadata.filename()
    }

    fn fetch(&mut self) -> io::Result<()> {
        let (id, name) = (&self.upload.id, piece_name(self.end));
        let piece = self.uploads.pieces.read_entry(&self.organisation, id, &name);
        let piece = piece.map_err(io::Error::other)?.filter(|piece| !piece.is_empty());
        let piece = piece.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.end += piece.len() as u64;
        self.piece = Cursor::new(piece);
        Ok(())
    }
}

impl Read for ResumableFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(bytes)?;
        if read > 0 || bytes.is_empty() || self.end >= self.upload.id.length() {
            return Ok(read);
        }
        self.fetch()?;
        self.piece.read(bytes)
    }
}
