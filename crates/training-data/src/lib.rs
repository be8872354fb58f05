//! Training data of custom models: validation of uploads (DATA-1, DATA-2), the duration of their audio, and
//! storage of their files (DATA-3, DATA-4).
//!
//! An [`Upload`] takes the parts of a request as they stream in, in constant memory. Files go to a
//! [`ContentStore`], such as a [`Folder`]. The result is a pair for
//! [`Engine::add_data`](custom_models_core::Engine::add_data) whose contents are durable, or all violations
//! at once.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! # let audio = include_bytes!("../tests/audio/tone.flac");
//! use std::sync::Arc;
//! use custom_models_core::{MemoryStore, ModelId};
//! use custom_models_training_data::{ContentStore, Folder, Upload};
//!
//! let store = MemoryStore::new();
//! let contents: Arc<dyn ContentStore> = Arc::new(Folder::open(place.path(), &store)?);
//! let mut upload = Upload::to(contents, "acme".parse()?, ModelId::new(1)?);
//! upload.part("type", None)?;
//! upload.write(b"train")?;
//! upload.part("audio_file", Some("dictation.flac"))?;
//! upload.write(audio)?;
//! upload.part("transcript_file", Some("dictation.txt"))?;
//! upload.write(b"The rhythm is regular.")?;
//! let uploaded = upload.finish()?;
//! assert_eq!(uploaded.pair.audio_millis, 1000);
//! // Pass `uploaded.pair` to the engine now, and drop `uploaded` once that is durable.
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod audio;
mod content;
mod copy;
mod folder;
mod mp4_limits;
mod names;
#[cfg(feature = "object-store")]
mod objects;
mod part;
mod pieces;
mod resumable;
mod transcript;
mod upload;

pub use audio::{Audio, AudioFault, AudioFormat, LEAST_RATE, measure};
pub use content::{
    Content, ContentStore, ContentSweep, Kept, KeptBack, Leftover, NewContent, digest,
};
pub use copy::CopyError;
pub use folder::{Folder, FolderStanding, Root};
pub use names::is_name as is_content_name;
#[cfg(feature = "object-store")]
pub use objects::{ObjectOptions, Objects};
pub use pieces::{
    InvalidUploadId, MAX_PIECE_BYTES, PieceStore, UPLOAD_LIFETIME, UploadEntry, UploadId,
};
pub use resumable::{
    Append, Checksum, InvalidMetadata, Metadata, ResumableError, ResumableFile, ResumableUpload,
    ResumableUploads,
};
pub use upload::{Upload, UploadError, Uploaded};
