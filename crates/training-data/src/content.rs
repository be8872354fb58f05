//! A port to a store of contents, narrow enough for a store of objects to fill it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::PathBuf;

use custom_models_core::model::ContentDigest;
use custom_models_core::store::{ArchiveStore, StoreError};
use custom_models_core::{ModelId, Organisation};
use sha2::{Digest, Sha256};

/// Keeps the contents of files, under names that it gives itself.
///
/// A content is durable before a store of models refers to it, and removed after none does. What falls
/// between the two, because a process died, is found by [`ContentStore::sweep`].
pub trait ContentStore: Send + Sync + fmt::Debug {
    /// Begins a content, which nobody sees before it is kept.
    fn begin(
        &self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Box<dyn NewContent>, StoreError>;

    /// A content, to be read from its start. [`StoreErrorKind::Damaged`] if it is not there.
    ///
    /// [`StoreErrorKind::Damaged`]: custom_models_core::store::StoreErrorKind::Damaged
    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<Box<dyn Content>, StoreError>;

    /// Removes a content. One that is not there is removed already; one that others may refer to stays, for a
    /// sweep to remove (PLACE-2).
    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<(), StoreError>;

    /// Removes all contents of a model that is gone (EDIT-5), but those that are still being written.
    fn remove_model(&self, organisation: &Organisation, model: ModelId) -> Result<(), StoreError>;

    /// Removes all contents of an organisation that is erased, but those that are still being written, and
    /// returns their number.
    fn remove_organisation(&self, organisation: &Organisation) -> Result<u64, StoreError>;

    /// Removes what nobody is writing and the store, whose contents these are, does not refer to (PLACE-2).
    ///
    /// Its cost grows with the contents, not with their square. When the store fails, the sweep ends with its
    /// error.
    fn sweep(&self, store: &dyn ArchiveStore) -> Result<ContentSweep, StoreError>;

    /// Returns the path of a content that is a file on this machine, for programs that read it; `None` if it is none.
    fn path(&self, organisation: &Organisation, model: ModelId, content: &str) -> Option<PathBuf>;
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentSweep {
    /// The number of files that were removed.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The reason why nothing was removed, where there is one.
    pub kept_back: Option<KeptBack>,
}

/// A reason why a sweep removes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptBack {
    /// The contents are not known to be the store's.
    Unclaimed,
    /// The store is a copy of the one that the contents are known to belong to, or such a copy has used them.
    Behind,
    /// The contents are a copy of those that are known to belong to the store.
    Copied,
    /// The store took the contents over a short time ago. They can still be saved.
    Adopted,
}

/// A file that nothing refers to.
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

/// A content that is read.
pub trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

/// A content that is being written. Dropped before it is kept, it is gone.
pub trait NewContent: Read + Write + Seek + Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// Makes it durable under its name. From then on it can be read.
    fn keep(self: Box<Self>) -> Result<Box<dyn Kept>, StoreError>;
}

/// A content that is durable, and that no sweep removes while this is held: until the store of models
/// refers to it, or has refused to.
pub trait Kept: Send + Sync + fmt::Debug {
    /// Its name.
    fn name(&self) -> &str;

    /// Makes sure that no sweep has removed it, nor will before the store of models can be told of it: asked right
    /// before that. A writer that was held up for long may not hold it any more.
    fn ensure_held(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes it again: nothing will refer to it.
    fn discard(self: Box<Self>) -> Result<(), StoreError>;
}

/// Returns the length of a content in bytes and its digest, as they were recorded at its upload (DATA-4).
///
/// # Errors
///
/// Those of the content.
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
