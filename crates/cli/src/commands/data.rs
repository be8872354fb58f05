//! Training data: copying files into the content store, and adding them to a model.

mod archive;
mod bulk;
mod known;
mod lines;
mod listing;
mod manifest;
pub(crate) mod progress;
mod row;
mod target;

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use custom_models_core::ModelId;
use custom_models_core::model::{DataId, Expected, Uploaded};
use custom_models_training_data::CopyError;

use self::archive::Archive;
use self::bulk::{Choices, Source};
use self::listing::Listing;
use self::manifest::Manifest;
use self::target::Target;
use crate::args::data::AddDataArgs;
use crate::commands::backend::{Backend, Local};
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, reason};

/// The least and the largest default of `--jobs`. Between them it is the number of processors.
const JOBS: (usize, usize) = (2, 8);

/// A request about the data of a model.
#[derive(Debug)]
pub(crate) enum DataRequest {
    Add(ModelId, AddDataArgs, Expected),
    List(ModelId),
    Remove(ModelId, DataId, Expected),
}

impl DataRequest {
    /// Runs the request, and returns the JSON of the API.
    pub(crate) fn run(self, models: &dyn Backend) -> Result<Option<String>, Failure> {
        match self {
            DataRequest::Add(id, args, expected) => models.add_data(id, &args, &expected).map(Some),
            DataRequest::List(id) => {
                Ok(Some(serde_json::to_string(&Listing::of(models.pairs(id)?))?))
            }
            DataRequest::Remove(id, data_id, expected) => {
                models.remove_data(id, data_id, &expected).map(|()| None)
            }
        }
    }
}

/// Adds a pair, or many, to a model in a store on this machine.
pub(crate) fn add_local(
    local: &Local<'_>,
    id: ModelId,
    args: &AddDataArgs,
    expected: &Expected,
) -> Result<String, Failure> {
    let source = source(args)?;
    let target = Target::open(local, id)?;
    match source {
        None => add(&target, args, expected),
        Some(source) => add_many(&target, &source, args),
    }
}

/// Refuses a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::WrongUsage(format!("cannot read {}: {}", Quoted(path), reason(path, error)))
}

/// Opens the manifest or the archive, if the arguments name one.
fn source(args: &AddDataArgs) -> Result<Option<Source>, Failure> {
    match (&args.manifest, &args.archive) {
        (Some(path), _) => Ok(Some(Source::Manifest(Manifest::open(path)?))),
        (None, Some(_)) if args.data_type.is_none() && args.split.is_none() => {
            let missing =
                "--archive: the type is missing: add --type train, --type test or --split 80/20";
            Err(Failure::WrongUsage(missing.to_owned()))
        }
        (None, Some(path)) => Ok(Some(Source::Archive(Archive::open(path)?))),
        (None, None) => Ok(None),
    }
}

/// Adds one pair.
fn add(target: &Target<'_>, args: &AddDataArgs, expected: &Expected) -> Result<String, Failure> {
    let failed = |error| target.failure(error);
    let mut upload = target.begin(args.data_type.as_deref()).map_err(failed)?;
    let files = [("audio_file", &args.audio), ("transcript_file", &args.transcript)];
    let files = files.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?)));
    let files: Vec<(&str, &Path)> = files.collect();
    let length = files.iter().filter_map(|(_, path)| Some(path.metadata().ok()?.len())).sum();
    let progress = progress::of_bytes(length);
    for (part, path) in files {
        let unreadable = |error: io::Error| unreadable(path, &error);
        let file = File::open(path).map_err(unreadable)?;
        let filename = path.file_name().map(|name| name.to_string_lossy());
        let step = |bytes| progress.inc(bytes as u64);
        upload.copy(part, filename.as_deref(), file, step).map_err(|error| match error {
            CopyError::Read(error) => unreadable(error),
            CopyError::Upload(error) => target.failure(error),
        })?;
    }
    progress.finish_and_clear();
    let uploaded = upload.finish().map_err(failed)?;
    let pair = uploaded.pair.clone();
    let model = target.commit(uploaded, expected)?;
    target.record();
    Ok(serde_json::to_string(&Uploaded::new(&pair, &model))?)
}

/// Adds the pairs of a manifest or an archive.
fn add_many(target: &Target<'_>, source: &Source, args: &AddDataArgs) -> Result<String, Failure> {
    let jobs = args.jobs.map(usize::from);
    let choices = Choices {
        data_type: args.data_type.clone(),
        split: args.split,
        jobs: jobs.unwrap_or_else(|| {
            thread::available_parallelism().map_or(JOBS.0, NonZero::get).clamp(JOBS.0, JOBS.1)
        }),
    };
    bulk::add_all(target, source, &choices)
}
