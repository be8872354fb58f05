//! The interface to a content store, small enough for object storage.

use std::fmt;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;

use custom_models_core::model::ContentDigest;
use custom_models_core::store::{ArchiveStore, StoreError};
use custom_models_core::{ModelId, Organisation};
use sha2::{Digest, Sha256};

use crate::pieces::PieceStore;

/// A store of file contents, under names that it assigns.
///
/// A content is durable before a store of models refers to it, and removed after the last reference. A
/// process that dies in between leaves contents for [`ContentStore::sweep`] to remove.
pub trait ContentStore: Send + Sync + fmt::Debug {
    /// Begins a content, which is not visible before it is kept.
    fn begin(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError>;

    /// Opens a content for reading from its start. [`StoreErrorKind::Damaged`] if it does not exist.
    ///
    /// [`StoreErrorKind::Damaged`]: custom_models_core::store::StoreErrorKind::Damaged
    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<Box<dyn Content>, StoreError>;

    /// Removes a content. Does nothing if it does not exist. A content that another store may refer to stays
    /// for a sweep to remove (PLACE-2).
    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<(), StoreError>;

    /// Removes all contents of a deleted model (EDIT-5), except those that are still being written.
    fn remove_model(&self, organisation: &Organisation, model: ModelId) -> Result<(), StoreError>;

    /// Removes all contents of an erased organisation, except those that are still being written, and returns
    /// their number.
    fn remove_organisation(&self, organisation: &Organisation) -> Result<u64, StoreError>;

    /// Removes contents that nobody is writing and that the store does not refer to (PLACE-2). The store has
    /// to be the one that the contents belong to.
    ///
    /// The cost is linear in the number of contents. An error of the store ends the sweep.
    fn sweep(&self, store: &dyn ArchiveStore) -> Result<ContentSweep, StoreError>;

    /// Returns the path of a content that is a file on this machine, for programs that read it; `None` for
    /// another kind.
    fn path(&self, organisation: &Organisation, model: ModelId, content: &str) -> Option<PathBuf>;

    /// Returns the storage of unfinished uploads, which [`sweep`](ContentStore::sweep) and
    /// [`remove_organisation`](ContentStore::remove_organisation) then remove too; `None` if files cannot be sent bit
    /// by bit.
    fn pieces(&self) -> Option<Arc<dyn PieceStore>> {
        None
    }
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentSweep {
    /// The number of removed files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The reason why nothing was removed, if nothing was.
    pub kept_back: Option<KeptBack>,
}

/// A reason for a sweep to remove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptBack {
    /// The contents have no known owner.
    Unclaimed,
    /// The store is an older or diverged copy of the owner of the contents, or such a copy has used them.
    Behind,
    /// The contents are a copy of the owner's contents.
    Copied,
    /// The store took over the contents a short time ago. Files can still be rescued.
    Adopted,
}

/// A file without a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The organisation.
    pub organisation: Organisation,
    /// The model.
    pub model: ModelId,
    /// The name of the file.
    pub name: String,
    /// The size in bytes.
    pub bytes: u64,
    /// True if a sweep would remove it now: it is old enough, and nobody is writing it.
    pub is_due: bool,
}

/// A content opened for reading.
pub trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

/// A content that is being written. Dropping it before it is kept removes it.
pub trait NewContent: Read + Write + Seek + Send + Sync {
    /// Returns its name.
    fn name(&self) -> &str;

    /// Makes the content durable under its name. From then on it can be opened.
    fn keep(self: Box<Self>) -> Result<Box<dyn Kept>, StoreError>;
}

/// A durable content that no sweep removes while this value exists: until the store of models refers to it,
/// or has refused to.
pub trait Kept: Send + Sync + fmt::Debug {
    /// Returns its name.
    fn name(&self) -> &str;

    /// Checks that no sweep has removed the content or will soon. Call it right before the commit that refers
    /// to the content: a writer that was delayed for long may have lost its hold.
    fn ensure_held(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes the content, which nothing will refer to.
    fn discard(self: Box<Self>) -> Result<(), StoreError>;
}

/// Returns the length of a content in bytes, and its digest, as recorded at its upload (DATA-4).
///
/// # Errors
///
/// Errors of the content.
pub fn digest(mut content: impl Read) -> io::Result<(u64, ContentDigest)> {
    let (mut digest, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match content.read(&mut piece) {
            Ok(0) => return Ok((bytes, ContentDigest::from_bytes(digest.finalize().into()))),
            Ok(read) => {
                bytes += read as u64;
                digest.update(piece.get(..read).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
