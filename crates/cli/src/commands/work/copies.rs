//! Copies of files that are not on this machine, for a program that reads files.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use custom_models_core::Refusal;
use custom_models_core::engine::Claimed;
use custom_models_core::model::{DataFile, DataPair};
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_training_data::{ContentStore, is_content_name};

use crate::config::temp_folder::TempFolder;

/// The number of bytes that are copied between two looks at the lease.
const CHUNK: u64 = 1 << 20;

/// A temporary folder with the files of a training, removed when this is dropped.
pub(super) struct Copies(TempFolder);

/// The copies of a training's files, if they are not on this machine, and its pairs.
pub(super) type Copied = (Option<Copies>, Vec<DataPair>);

impl Copies {
    /// Copies the files of a training that are not on this machine. Ends early when `go_on` returns `false`.
    pub(super) fn of(
        claimed: &Claimed,
        pairs: impl Iterator<Item = Result<DataPair, Refusal>>,
        contents: &dyn ContentStore,
        mut go_on: impl FnMut() -> Result<bool, Refusal>,
    ) -> Result<Copied, Refusal> {
        let mut all = Vec::new();
        let (organisation, id) = (&claimed.organisation, claimed.model.id);
        let mut copies: Option<Copies> = None;
        for pair in pairs {
            let pair = pair?;
            for file in [&pair.audio, &pair.transcript] {
                if contents.path(organisation, id, &file.content).is_some() {
                    continue;
                }
                let copies = match &mut copies {
                    Some(copies) => copies,
                    none => none.insert(Copies(TempFolder::new().map_err(failed)?)),
                };
                let mut content = contents.open(organisation, id, &file.content)?;
                let mut options = OpenOptions::new();
                let options = options.write(true).create_new(true);
                let mut copy = options.open(copies.path(file)).map_err(failed)?;
                while copy_chunk(&mut content, &mut copy).map_err(failed)? {
                    if !go_on()? {
                        return Ok((None, all));
                    }
                }
            }
            all.push(pair);
        }
        Ok((copies, all))
    }

    /// The path of a file's copy.
    pub(super) fn path(&self, file: &DataFile) -> PathBuf {
        // A name that is none was refused when it was opened.
        let name = if is_content_name(&file.content) { &*file.content } else { "none" };
        self.0.path().join(name)
    }
}

/// Copies some bytes. Returns `false` at the end.
fn copy_chunk(content: &mut impl Read, copy: &mut impl Write) -> io::Result<bool> {
    Ok(io::copy(&mut content.by_ref().take(CHUNK), copy)? > 0)
}

fn failed(error: io::Error) -> Refusal {
    StoreError::new(StoreErrorKind::Unavailable, error).into()
}
