//! Training data: copying files into the content store, and adding them to a model.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use custom_models_core::engine::Edited;
use custom_models_core::model::{DataId, DataList, Edit, Expected, Uploaded};
use custom_models_core::store::StoreErrorKind;
use custom_models_core::{Caller, Engine, ModelId, Refusal};
use custom_models_training_data::{ContentStore, Upload, UploadError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::data::AddDataArgs;
use crate::config::data_folder::DataFolder;
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, reason};

/// The number of bytes of a file that are read at a time.
const CHUNK: usize = 1 << 20;

/// A request about the data of a model.
#[derive(Debug)]
pub(crate) enum DataRequest {
    Add(ModelId, AddDataArgs, Expected),
    List(ModelId),
    Remove(ModelId, DataId, Expected),
}

impl DataRequest {
    /// Runs the request, and returns the JSON of the API.
    pub(crate) fn run(
        self,
        engine: &Engine,
        caller: &Caller,
        folder: &DataFolder,
    ) -> Result<Option<String>, Failure> {
        match self {
            DataRequest::Add(id, args, expected) => {
                add(engine, caller, folder, id, &args, &expected).map(Some)
            }
            DataRequest::List(id) => {
                let list = DataList::from(engine.data(caller, id)?);
                Ok(Some(serde_json::to_string(&list)?))
            }
            DataRequest::Remove(id, data_id, expected) => {
                let contents = folder.open_for_removal()?;
                let pair = engine.remove_data(caller, id, data_id, &expected)?;
                if let Some(contents) = contents {
                    for file in [&pair.audio, &pair.transcript] {
                        contents.remove(caller.organisation(), id, &file.content)?;
                    }
                }
                Ok(None)
            }
        }
    }
}

fn add(
    engine: &Engine,
    caller: &Caller,
    folder: &DataFolder,
    id: ModelId,
    args: &AddDataArgs,
    expected: &Expected,
) -> Result<String, Failure> {
    // Refused before gigabytes are copied, and checked again after.
    engine.get(caller, id)?;
    let refused = |error| refused(error, folder);
    let contents = folder.open_required()?;
    let mut upload = Upload::to(Arc::clone(&contents) as _, caller.organisation().clone(), id);
    if let Some(data_type) = &args.data_type {
        upload.part("type", None).map_err(&refused)?;
        upload.write(data_type.as_bytes()).map_err(&refused)?;
    }
    let files = [("audio_file", &args.audio), ("transcript_file", &args.transcript)];
    let files = files.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?)));
    let files: Vec<(&str, &Path)> = files.collect();
    let length = files.iter().filter_map(|(_, path)| Some(path.metadata().ok()?.len())).sum();
    let progress = progress(length);
    for (name, path) in files {
        copy(&mut upload, name, path, &progress, &refused)?;
    }
    progress.finish_and_clear();
    let uploaded = upload.finish().map_err(refused)?;
    match engine.edit(caller, id, Edit::AddData(uploaded.pair.clone()), expected) {
        Ok(Edited::Changed { model, .. }) => {
            // From now on an older copy of the store is recognised as such; if this fails, from the next sweep on.
            let _ = folder.record(&contents);
            Ok(serde_json::to_string(&Uploaded::new(&uploaded.pair, &model))?)
        }
        Ok(other) => Err(Refusal::Internal { cause: format!("{other:?}").into() }.into()),
        Err(refusal) => {
            let is_unknown = matches!(&refusal, Refusal::Store(fault)
                if fault.kind() == StoreErrorKind::OutcomeUnknown);
            if !is_unknown {
                // A sweep removes what stays; the refusal matters more.
                let _ = uploaded.discard();
            }
            Err(refusal.into())
        }
    }
}

fn copy(
    upload: &mut Upload,
    name: &str,
    path: &Path,
    progress: &ProgressBar,
    refused: &impl Fn(UploadError) -> Failure,
) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::WrongUsage(format!("cannot read {}: {}", Quoted(path), reason(path, &error)))
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let filename = path.file_name().map(|name| name.to_string_lossy());
    upload.part(name, filename.as_deref()).map_err(refused)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match file.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(unreadable)?,
        };
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        upload.write(bytes).map_err(refused)?;
        progress.inc(bytes.len() as u64);
    }
}

fn refused(error: UploadError, folder: &DataFolder) -> Failure {
    match error {
        UploadError::TooLarge => Refusal::FileTooLarge.into(),
        UploadError::Invalid(violations) => violations.into(),
        UploadError::Store(fault) => folder.failure(fault),
    }
}

/// A bar on a terminal, and nothing elsewhere.
fn progress(length: u64) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(length), target);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
