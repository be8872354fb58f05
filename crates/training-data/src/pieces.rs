//! The interface to the pieces of files that are sent bit by bit, in several requests.

use std::fmt;
use std::fs::File;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::store::StoreError;
use uuid::Uuid;

use crate::names::is_name;

/// The most bytes of an entry of an upload, so that one fits in memory.
pub const MAX_PIECE_BYTES: usize = 4 << 20;

/// The time after its last piece at which an upload is removed.
pub const UPLOAD_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The name above the uploads of an organisation. No model has it.
pub(crate) const UPLOADS: &str = "uploads";

/// The id of an unfinished upload: 32 random hexadecimal digits, a hyphen, and the length of the file in bytes.
///
/// With the length in the ids, a list of them shows how many bytes an organisation has announced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadId {
    random: String,
    length: u64,
}

impl UploadId {
    /// Creates the id of a new upload of so many bytes.
    pub fn new(length: u64) -> Self {
        UploadId { random: Uuid::new_v4().simple().to_string(), length }
    }

    /// Returns the length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.random, self.length)
    }
}

/// The error for a text that is not the id of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUploadId;

impl fmt::Display for InvalidUploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of an upload")
    }
}

impl std::error::Error for InvalidUploadId {}

impl FromStr for UploadId {
    type Err = InvalidUploadId;

    fn from_str(text: &str) -> Result<Self, InvalidUploadId> {
        let (random, length) = text.split_once('-').ok_or(InvalidUploadId)?;
        let length = length.parse().map_err(|_| InvalidUploadId)?;
        let id = UploadId { random: random.to_owned(), length };
        // One way of writing each, so that no two texts name the same upload.
        if is_name(random) && id.to_string() == text { Ok(id) } else { Err(InvalidUploadId) }
    }
}

/// An entry of an upload: a piece, or its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadEntry {
    /// The name of the entry, unique in its upload.
    pub name: String,
    /// The length in bytes.
    pub bytes: u64,
    /// The time since it was written, by the clock of the storage; zero for a time in the future.
    pub age: Duration,
}

/// A storage of unfinished uploads. Every process that shares it sees the same entries at once, so each can go on
/// with an upload that another one began.
///
/// An entry is written once and never changed. Of two writers of one name exactly one succeeds.
pub trait PieceStore: Send + Sync + fmt::Debug {
    /// Returns the uploads of an organisation.
    fn uploads(&self, organisation: &Organisation) -> Result<Vec<UploadId>, StoreError>;

    /// Returns the entries of an upload, in the order of their names; nothing if there is no such upload.
    fn upload_entries(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<Vec<UploadEntry>, StoreError>;

    /// Writes an entry of at most [`MAX_PIECE_BYTES`], durably. Returns false, and writes nothing, if the name is taken.
    fn write_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
        bytes: &[u8],
    ) -> Result<bool, StoreError>;

    /// Reads an entry; `None` if it does not exist.
    fn read_entry(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes an upload with all its entries, and returns their number. Does nothing if there is no such upload.
    fn remove_upload(
        &self,
        organisation: &Organisation,
        upload: &UploadId,
    ) -> Result<u64, StoreError>;

    /// Creates an anonymous file on a local disk, for bytes that cannot be kept before all of them have arrived.
    fn temporary_file(&self) -> io::Result<File>;

    /// Returns the time after its last piece at which a sweep removes an upload.
    fn lifetime(&self) -> Duration {
        UPLOAD_LIFETIME
    }
}

#[cfg(test)]
mod tests;
