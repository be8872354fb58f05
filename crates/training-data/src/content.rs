//! Where contents are kept: a port, narrow enough for a store of objects to fill it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::PathBuf;

use custom_models_core::{ContentDigest, ModelId, Organisation, StoreError};
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
    /// [`StoreErrorKind::Damaged`]: custom_models_core::StoreErrorKind::Damaged
    fn open(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<Box<dyn Content>, StoreError>;

    /// Removes a content. One that is not there is removed already.
    fn remove(
        &self,
        organisation: &Organisation,
        model: ModelId,
        content: &str,
    ) -> Result<(), StoreError>;

    /// Removes all contents of a model that is gone (EDIT-5), but those that are still being written.
    fn remove_model(&self, organisation: &Organisation, model: ModelId) -> Result<(), StoreError>;

    /// Removes what nobody is writing and nothing refers to, and says how many that were.
    ///
    /// `is_referenced` is asked about a content when nobody can refer to it any more who does not
    /// already. When it fails, the sweep ends with its error.
    fn sweep(&self, is_referenced: IsReferenced<'_>) -> Result<u64, StoreError>;

    /// Where a content is a file on this machine, for programs that read it; `None` where it is none.
    fn path(&self, organisation: &Organisation, model: ModelId, content: &str) -> Option<PathBuf>;
}

/// Whether a pair of a model refers to a content.
pub type IsReferenced<'a> =
    &'a mut dyn FnMut(&Organisation, ModelId, &str) -> Result<bool, StoreError>;

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

    /// Removes it again: nothing will refer to it.
    fn discard(self: Box<Self>) -> Result<(), StoreError>;
}

/// How many bytes a content has, and their digest: what was kept of it when it was uploaded (DATA-4).
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
