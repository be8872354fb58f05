//! Parts of an upload that are copied from readers.

use std::io::{self, ErrorKind, Read};

use crate::upload::{Upload, UploadError};

/// The number of bytes that are copied at a time.
const CHUNK: usize = 1 << 16;

/// The reason why a reader was not copied into an upload.
///
/// Not `#[non_exhaustive]`: a copy has these two sides.
#[derive(Debug)]
pub enum CopyError {
    /// The bytes could not be read.
    Read(io::Error),
    /// The upload did not accept them.
    Upload(UploadError),
}

impl Upload {
    /// Adds a part with the bytes of a reader. Calls `progress` with the number of bytes of each step.
    ///
    /// # Errors
    ///
    /// [`CopyError`].
    pub fn copy(
        &mut self,
        part: &str,
        filename: Option<&str>,
        mut reader: impl Read,
        mut progress: impl FnMut(usize),
    ) -> Result<(), CopyError> {
        self.part(part, filename).map_err(CopyError::Upload)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = match reader.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(CopyError::Read)?,
            };
            let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.write(bytes).map_err(CopyError::Upload)?;
            progress(bytes.len());
        }
    }
}
