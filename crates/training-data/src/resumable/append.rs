//! Bytes that are added to an unfinished upload.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use custom_models_core::Organisation;

use super::checksum::{Checksum, Hasher};
use super::{ResumableError, ResumableUpload, ResumableUploads};
use crate::folder::fault;
use crate::pieces::MAX_PIECE_BYTES;

/// Bytes on their way to an upload. Dropping it keeps those that have arrived, unless they came with a checksum.
#[derive(Debug)]
pub struct Append {
    uploads: ResumableUploads,
    organisation: Organisation,
    upload: ResumableUpload,
    /// The bytes of the piece that is not whole yet.
    piece: Vec<u8>,
    unverified: Option<Unverified>,
    /// True after an error: what follows has no place.
    is_broken: bool,
}

/// Bytes that are kept only if they have the checksum.
#[derive(Debug)]
struct Unverified {
    hasher: Hasher,
    file: File,
    bytes: u64,
}

impl Append {
    pub(super) fn new(
        uploads: ResumableUploads,
        organisation: Organisation,
        upload: ResumableUpload,
        checksum: Option<Checksum>,
    ) -> Result<Self, ResumableError> {
        let unverified = checksum.map(|checksum| {
            let file = uploads.pieces.temporary_file().map_err(fault)?;
            Ok::<_, ResumableError>(Unverified { hasher: Hasher::of(checksum), file, bytes: 0 })
        });
        let unverified = unverified.transpose()?;
        let piece = Vec::new();
        Ok(Append { uploads, organisation, upload, piece, unverified, is_broken: false })
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// [`ResumableError::TooLarge`] if the upload becomes longer than announced,
    /// [`ResumableError::OffsetMismatch`] if another sender was faster, and [`ResumableError::Store`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ResumableError> {
        let written = self.try_write(bytes);
        self.is_broken |= written.is_err();
        written
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<(), ResumableError> {
        let waiting = self.unverified.as_ref().map_or(self.piece.len() as u64, |it| it.bytes);
        let end = self.upload.offset + waiting + bytes.len() as u64;
        if end > self.upload.id.length() {
            return Err(ResumableError::TooLarge);
        }
        match &mut self.unverified {
            Some(unverified) => Ok(unverified.write(bytes).map_err(fault)?),
            None => self.add(bytes),
        }
    }

    /// Keeps every piece that is whole by now.
    fn add(&mut self, mut bytes: &[u8]) -> Result<(), ResumableError> {
        while !bytes.is_empty() {
            let room = MAX_PIECE_BYTES.saturating_sub(self.piece.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() >= MAX_PIECE_BYTES {
                self.keep_piece()?;
            }
        }
        Ok(())
    }

    fn keep_piece(&mut self) -> Result<(), ResumableError> {
        if !self.piece.is_empty() {
            let (id, at) = (&self.upload.id, self.upload.offset);
            self.uploads.write_piece(&self.organisation, id, at, &self.piece)?;
            self.upload.offset += self.piece.len() as u64;
            self.piece.clear();
        }
        Ok(())
    }

    /// Keeps all bytes, durably, and returns the state of the upload.
    ///
    /// # Errors
    ///
    /// [`ResumableError::ChecksumMismatch`], and then nothing is kept, and the errors of [`Append::write`].
    pub fn finish(mut self) -> Result<ResumableUpload, ResumableError> {
        self.is_broken = true;
        if let Some(Unverified { hasher, mut file, .. }) = self.unverified.take() {
            if !hasher.matches() {
                return Err(ResumableError::ChecksumMismatch);
            }
            file.rewind().map_err(fault)?;
            loop {
                let mut piece = (&mut file).take(MAX_PIECE_BYTES as u64);
                piece.read_to_end(&mut self.piece).map_err(fault)?;
                if self.piece.is_empty() {
                    break;
                }
                self.keep_piece()?;
            }
        }
        self.keep_piece()?;
        self.upload.expires_in = self.uploads.pieces.lifetime();
        Ok(self.upload.clone())
    }
}

impl Unverified {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

impl Drop for Append {
    fn drop(&mut self) {
        if !self.is_broken && self.unverified.is_none() {
            // What cannot be kept is sent again.
            let _ = self.keep_piece();
        }
    }
}
