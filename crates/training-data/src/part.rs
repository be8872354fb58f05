//! A file of an upload, as it streams in.

use std::io::Write;

use custom_models_core::field::ViolationKind;
use custom_models_core::model::{ContentDigest, DataFile};
use custom_models_core::store::StoreError;
use sha2::{Digest, Sha256};

use crate::content::{Kept, NewContent};
use crate::folder::fault;

/// A file of an upload: its name, and its digest and content so far.
pub(crate) struct FilePart {
    pub(crate) filename: String,
    pub(crate) bytes: u64,
    digest: Sha256,
    /// The violation of its name. Nothing is stored of such a file.
    pub(crate) fault: Option<ViolationKind>,
    /// The content that it is written to; `None` if it is only hashed.
    pub(crate) content: Option<Box<dyn NewContent>>,
}

impl FilePart {
    pub(crate) fn new(filename: &str, fault: Option<ViolationKind>) -> Self {
        let filename = filename.to_owned();
        FilePart { filename, bytes: 0, digest: Sha256::new(), fault, content: None }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        self.digest.update(bytes);
        match &mut self.content {
            Some(content) => content.write_all(bytes).map_err(fault),
            None => Ok(()),
        }
    }

    pub(crate) fn sha256(&self) -> ContentDigest {
        ContentDigest::from_bytes(self.digest.clone().finalize().into())
    }

    /// Makes the file durable, and returns its description. A file that is only hashed has no content.
    pub(crate) fn keep(&mut self) -> Result<(DataFile, Option<Box<dyn Kept>>), StoreError> {
        let kept = self.content.take().map(NewContent::keep).transpose()?;
        let file = DataFile {
            filename: self.filename.clone(),
            bytes: self.bytes,
            sha256: self.sha256(),
            content: kept.as_ref().map(|kept| kept.name().to_owned()).unwrap_or_default(),
        };
        Ok((file, kept))
    }
}
