//! Files that are sent bit by bit and can be resumed after a broken connection (tus 1.0, DATA-3).
//!
//! The state of an upload is its pieces: each is named by the offset at which it begins, and written on the condition
//! that nobody has written one there. So any process goes on with any upload, and of two senders at one offset one is
//! told so.

mod append;
mod checksum;
mod file;
mod metadata;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::model::DataFile;
use custom_models_core::store::StoreError;

pub use self::append::Append;
pub use self::checksum::Checksum;
pub use self::file::ResumableFile;
pub use self::metadata::{InvalidMetadata, Metadata};
use crate::pieces::{PieceStore, UploadEntry, UploadId};

/// The name of the entry that is not a piece: the metadata of the upload.
const DESCRIPTION: &str = "description";

/// The most unfinished uploads of an organisation.
const MAX_UPLOADS: usize = 1000;

/// The most pieces of an upload, four times as many as the largest file needs.
const MAX_PIECES: usize = 10_240;

/// The reason why an unfinished upload does not do what was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResumableError {
    /// The organisation has no such upload, or it has expired.
    NotFound,
    /// The upload does not end where the new bytes begin.
    OffsetMismatch {
        /// The end of the upload.
        offset: u64,
    },
    /// The file exceeds [`DataFile::MAX_BYTES`], or more bytes were sent than announced.
    TooLarge,
    /// Bytes are missing.
    Unfinished {
        /// The number of bytes that have arrived.
        offset: u64,
    },
    /// The organisation's unfinished uploads would exceed its limit (PLACE-4).
    TooManyBytes {
        /// The most bytes that they may announce together.
        limit: u64,
    },
    /// The upload came in too many pieces.
    TooManyPieces,
    /// The bytes do not have the checksum that was sent with them.
    ChecksumMismatch,
    /// The pieces could not be written or read.
    Store(StoreError),
}

impl fmt::Display for ResumableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResumableError::NotFound => f.write_str("there is no such upload"),
            ResumableError::OffsetMismatch { offset } => write!(f, "the upload ends at {offset}"),
            ResumableError::TooLarge => f.write_str("the file is too large"),
            ResumableError::Unfinished { offset } => write!(f, "only {offset} bytes have arrived"),
            ResumableError::TooManyBytes { limit } => {
                write!(f, "unfinished uploads may announce {limit} bytes")
            }
            ResumableError::TooManyPieces => f.write_str("the upload came in too many pieces"),
            ResumableError::ChecksumMismatch => f.write_str("the bytes have another checksum"),
            ResumableError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResumableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ResumableError::Store(error) => error.source(),
            _ => None,
        }
    }
}

impl From<StoreError> for ResumableError {
    fn from(error: StoreError) -> Self {
        ResumableError::Store(error)
    }
}

/// The state of an unfinished upload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResumableUpload {
    /// Its id.
    pub id: UploadId,
    /// The number of bytes that have arrived. The upload is finished once that is the length in its id.
    pub offset: u64,
    /// The metadata that its sender gave it.
    pub metadata: Metadata,
    /// The time until it is removed if no further bytes arrive.
    pub expires_in: Duration,
    /// The number of its pieces.
    pieces: usize,
}

/// The unfinished uploads of a content store.
#[derive(Clone, Debug)]
pub struct ResumableUploads {
    pieces: Arc<dyn PieceStore>,
}

impl ResumableUploads {
    /// Opens the unfinished uploads in a storage, such as that of [`ContentStore::pieces`].
    ///
    /// [`ContentStore::pieces`]: crate::ContentStore::pieces
    pub fn of(pieces: Arc<dyn PieceStore>) -> Self {
        ResumableUploads { pieces }
    }

    /// Begins an upload of `length` bytes.
    ///
    /// # Errors
    ///
    /// - [`ResumableError::TooLarge`].
    /// - [`ResumableError::TooManyBytes`] if the unfinished uploads of the organisation would announce more than `most`
    ///   bytes together. Of several that begin at the same time, too many may be refused, and never too few.
    /// - [`ResumableError::Store`].
    pub fn begin(
        &self,
        organisation: &Organisation,
        length: u64,
        metadata: &Metadata,
        most: u64,
    ) -> Result<ResumableUpload, ResumableError> {
        if length > DataFile::MAX_BYTES {
            return Err(ResumableError::TooLarge);
        }
        let (id, refused) = (UploadId::new(length), ResumableError::TooManyBytes { limit: most });
        if !self.has_room(organisation, Some(&id), most)? {
            return Err(refused);
        }
        self.pieces.write_entry(organisation, &id, DESCRIPTION, metadata.as_str().as_bytes())?;
        if !self.has_room(organisation, None, most)? {
            self.pieces.remove_upload(organisation, &id)?;
            return Err(refused);
        }
        let expires_in = self.pieces.lifetime();
        Ok(ResumableUpload { id, offset: 0, metadata: metadata.clone(), expires_in, pieces: 0 })
    }

    /// Returns true if the uploads that are there, and `another`, are within the limits.
    fn has_room(
        &self,
        organisation: &Organisation,
        another: Option<&UploadId>,
        most: u64,
    ) -> Result<bool, StoreError> {
        let there = self.pieces.uploads(organisation)?;
        let all = there.iter().chain(another);
        let count = there.len() + usize::from(another.is_some());
        let announced = all.map(UploadId::length).fold(0, u64::saturating_add);
        Ok(count <= MAX_UPLOADS && announced <= most)
    }

    /// Returns the state of an upload.
    ///
    /// # Errors
    ///
    /// [`ResumableError::NotFound`] and [`ResumableError::Store`].
    pub fn get(
        &self,
        organisation: &Organisation,
        id: &UploadId,
    ) -> Result<ResumableUpload, ResumableError> {
        let entries = self.pieces.upload_entries(organisation, id)?;
        let youngest = entries.iter().map(|entry| entry.age).min();
        let left = youngest.and_then(|age| self.pieces.lifetime().checked_sub(age));
        let expires_in = left.ok_or(ResumableError::NotFound)?;
        let described = self.pieces.read_entry(organisation, id, DESCRIPTION)?;
        let described = described.ok_or(ResumableError::NotFound)?;
        let metadata = Metadata::parse(&String::from_utf8_lossy(&described)).unwrap_or_default();
        let (offset, pieces) = end_of(&entries);
        Ok(ResumableUpload { id: id.clone(), offset, metadata, expires_in, pieces })
    }

    /// Begins to add bytes to an upload.
    ///
    /// With a checksum, nothing is kept before all bytes have arrived. Without one, each piece is kept as soon as it
    /// is whole, and the rest of what has arrived when the value is dropped.
    ///
    /// # Errors
    ///
    /// [`ResumableError::NotFound`], [`ResumableError::OffsetMismatch`], [`ResumableError::TooManyPieces`] and
    /// [`ResumableError::Store`].
    pub fn append(
        &self,
        organisation: &Organisation,
        id: &UploadId,
        offset: u64,
        checksum: Option<Checksum>,
    ) -> Result<Append, ResumableError> {
        let upload = self.get(organisation, id)?;
        if upload.offset != offset {
            return Err(ResumableError::OffsetMismatch { offset: upload.offset });
        }
        if upload.pieces >= MAX_PIECES {
            return Err(ResumableError::TooManyPieces);
        }
        Append::new(self.clone(), organisation.clone(), upload, checksum)
    }

    /// Removes an upload, finished or not.
    ///
    /// # Errors
    ///
    /// [`ResumableError::NotFound`] and [`ResumableError::Store`].
    pub fn remove(&self, organisation: &Organisation, id: &UploadId) -> Result<(), ResumableError> {
        self.get(organisation, id)?;
        self.pieces.remove_upload(organisation, id)?;
        Ok(())
    }

    /// Opens a finished upload for reading.
    ///
    /// # Errors
    ///
    /// [`ResumableError::NotFound`], [`ResumableError::Unfinished`] and [`ResumableError::Store`].
    pub fn open(
        &self,
        organisation: &Organisation,
        id: &UploadId,
    ) -> Result<ResumableFile, ResumableError> {
        let upload = self.get(organisation, id)?;
        if upload.offset != id.length() {
            return Err(ResumableError::Unfinished { offset: upload.offset });
        }
        Ok(ResumableFile::new(self.clone(), organisation.clone(), upload))
    }

    fn write_piece(
        &self,
        organisation: &Organisation,
        id: &UploadId,
        at: u64,
        bytes: &[u8],
    ) -> Result<(), ResumableError> {
        match self.pieces.write_entry(organisation, id, &piece_name(at), bytes)? {
            true => Ok(()),
            false => {
                Err(ResumableError::OffsetMismatch { offset: self.get(organisation, id)?.offset })
            }
        }
    }
}

/// Returns the name of the piece that begins at an offset. Names are in the order of the offsets.
fn piece_name(at: u64) -> String {
    format!("{at:016x}")
}

/// Returns the end of the pieces that follow each other from the start, and their number.
fn end_of(entries: &[UploadEntry]) -> (u64, usize) {
    let (mut end, mut pieces) = (0, 0);
    for entry in entries.iter().filter(|entry| entry.name != DESCRIPTION) {
        if entry.name == piece_name(end) {
            end += entry.bytes;
            pieces += 1;
        }
    }
    (end, pieces)
}
