//! A finished upload as one file.

use std::io::{self, Read};

use custom_models_core::Organisation;

use super::{ResumableUpload, ResumableUploads, piece_name};
use crate::pieces::UploadId;

/// A finished upload, read from its start to its end, one piece at a time.
#[derive(Debug)]
pub struct ResumableFile {
    uploads: ResumableUploads,
    organisation: Organisation,
    upload: ResumableUpload,
    piece: Vec<u8>,
    /// The number of bytes of the piece that were read.
    read: usize,
    /// The end of the piece in the file.
    end: u64,
}

impl ResumableFile {
    pub(super) fn new(
        uploads: ResumableUploads,
        organisation: Organisation,
        upload: ResumableUpload,
    ) -> Self {
        ResumableFile { uploads, organisation, upload, piece: Vec::new(), read: 0, end: 0 }
    }

    /// Returns the id of the upload.
    pub fn id(&self) -> &UploadId {
        &self.upload.id
    }

    /// Returns the name of the file; `None` if its sender gave it none.
    pub fn filename(&self) -> Option<&str> {
        self.upload.metadata.filename()
    }

    fn fetch(&mut self) -> io::Result<()> {
        let (id, name) = (&self.upload.id, piece_name(self.end));
        let piece = self.uploads.pieces.read_entry(&self.organisation, id, &name);
        let piece = piece.map_err(io::Error::other)?.filter(|piece| !piece.is_empty());
        self.piece = piece.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.end += self.piece.len() as u64;
        self.read = 0;
        Ok(())
    }
}

impl Read for ResumableFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.piece.len() {
            if self.end >= self.upload.id.length() {
                return Ok(0);
            }
            self.fetch()?;
        }
        let read = self.piece.get(self.read..).unwrap_or_default().read(bytes)?;
        self.read += read;
        Ok(read)
    }
}
