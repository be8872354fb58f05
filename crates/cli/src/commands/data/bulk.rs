//! Adding many pairs: several at a time, each refused row in a report, and without those that the model has.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use custom_models_core::Refusal;
use custom_models_core::model::{ContentDigest, DataType, Expected};
use custom_models_training_data::{CopyError, UploadError, digest};
use indicatif::ProgressBar;
use serde_json::json;

use super::archive::{Archive, ArchiveReader, entry_size, open_entry};
use super::known::KnownPairs;
use super::manifest::Manifest;
use super::progress;
use super::row::{Audio, RefusedRow, Row, RowError, Transcript};
use super::target::Target;
use crate::args::data::Split;
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, reason};

/// The source of many pairs.
pub(super) enum Source {
    Manifest(Manifest),
    Archive(Archive),
}

impl Source {
    /// Calls `take` with each row, until it returns `false`.
    fn each_row(&self, take: &mut dyn FnMut(Result<Row, RowError>) -> bool) -> Result<(), Failure> {
        match self {
            Source::Manifest(manifest) => manifest.each_row(take),
            Source::Archive(archive) => archive.each_row(take),
        }
    }

    fn reader(&self) -> Option<ArchiveReader> {
        match self {
            Source::Manifest(_) => None,
            Source::Archive(archive) => Some(archive.reader()),
        }
    }
}

/// The choices for all rows.
pub(super) struct Choices {
    /// The type of rows that state none.
    pub(super) data_type: Option<String>,
    /// The shares of rows that state no type.
    pub(super) split: Option<Split>,
    /// The number of rows at a time.
    pub(super) jobs: usize,
}

/// Adds the pairs of a source. Returns the counts, as the failure of a run in which a row was refused.
pub(super) fn add_all(
    target: &Target<'_>,
    source: &Source,
    choices: &Choices,
) -> Result<String, Failure> {
    let mut total = 0;
    source.each_row(&mut |_| {
        total += 1;
        true
    })?;
    let run = Run {
        target,
        choices,
        known: KnownPairs::of(&target.pairs()?),
        bar: progress::of_rows(total),
        counts: Counts::default(),
        is_over: AtomicBool::new(false),
        failure: Mutex::new(None),
    };
    run.all(source);
    target.record();
    run.bar.finish_and_clear();
    if let Some(failure) = run.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(failure);
    }
    let [added, present, refused] = run.counts.get();
    let status = target.model()?.training_status().number();
    let result = json!({
        "added": added, "present": present, "refused": refused, "training_status": status,
    });
    match refused {
        0 => Ok(result.to_string()),
        _ => Err(Failure::Partial(result.to_string())),
    }
}

/// A run over all rows.
struct Run<'a> {
    target: &'a Target<'a>,
    choices: &'a Choices,
    known: KnownPairs,
    bar: ProgressBar,
    counts: Counts,
    is_over: AtomicBool,
    /// The failure that ended the run.
    failure: Mutex<Option<Failure>>,
}

#[derive(Default)]
struct Counts {
    added: AtomicU64,
    present: AtomicU64,
    refused: AtomicU64,
}

impl Counts {
    fn get(&self) -> [u64; 3] {
        [&self.added, &self.present, &self.refused].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Run<'_> {
    /// Reads rows on this thread, and adds them on others.
    fn all(&self, source: &Source) {
        let (rows, waiting) = bounded::<Row>(2 * self.choices.jobs);
        let read = thread::scope(|scope| {
            for _ in 0..self.choices.jobs {
                let waiting = waiting.clone();
                let work = move || self.work(source.reader(), &waiting);
                let started = thread::Builder::new().spawn_scoped(scope, work);
                started.map_err(|error| Failure::WrongUsage(format!("--jobs: {error}")))?;
            }
            drop(waiting);
            // Dropped at the end of this closure, which is the end of the rows for the threads.
            let rows = rows;
            let mut names = HashMap::new();
            source.each_row(&mut |row| {
                match row.and_then(|row| named_once(&mut names, row)) {
                    // No thread receives rows any more when the run is over.
                    Ok(row) => return rows.send(row).is_ok(),
                    Err(error) => self.not_added(error),
                }
                !self.is_over()
            })
        });
        if let Err(failure) = read {
            self.end(failure);
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Adds rows until there are no more, or the run is over.
    fn work(&self, mut reader: Option<ArchiveReader>, waiting: &Receiver<Row>) {
        for row in waiting {
            if self.is_over() {
                return;
            }
            match self.add(&row, reader.as_mut()) {
                Ok(is_new) => {
                    let count = if is_new { &self.counts.added } else { &self.counts.present };
                    count.fetch_add(1, Ordering::Relaxed);
                    self.bar.inc(1);
                }
                Err(error) => self.not_added(error),
            }
        }
    }

    /// Reports a refused row, or ends the run.
    fn not_added(&self, error: RowError) {
        match error {
            RowError::Refused(row) => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                self.bar.suspend(|| eprintln_line(&row.to_json()));
                self.bar.inc(1);
            }
            RowError::Failed(failure) => self.end(failure),
        }
    }

    fn end(&self, failure: Failure) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(failure);
    }

    /// Adds a row. Returns `false` if the model has the pair already.
    fn add(&self, row: &Row, mut reader: Option<&mut ArchiveReader>) -> Result<bool, RowError> {
        let data_type = self.type_of(row)?;
        if let Some(found) = self.find(row, reader.as_deref_mut())? {
            return present(row, data_type.as_deref(), found);
        }
        let failed = |error| self.refused(row, error);
        let mut upload = self.target.begin(data_type.as_deref()).map_err(failed)?;
        let audio_name = base_name(&row.name);
        with_audio(row, reader, |audio| {
            let copied = upload.copy("audio_file", Some(audio_name), audio, |_| {});
            copied.map_err(|error| self.not_copied(row, error))
        })?;
        let transcript_name = match &row.transcript {
            Transcript::File(path) => path.file_name().map(|it| it.to_string_lossy().into_owned()),
            Transcript::Text(_) => {
                let stem = audio_name.rsplit_once('.').map_or(audio_name, |(stem, _)| stem);
                Some(format!("{stem}.txt"))
            }
        };
        let transcript = open_transcript(row)?;
        upload
            .copy("transcript_file", transcript_name.as_deref(), transcript, |_| {})
            .map_err(|error| self.not_copied(row, error))?;
        let uploaded = upload.finish().map_err(failed)?;
        if let Some(found) = self.known.claim(&uploaded.pair) {
            let data_type = uploaded.pair.data_type;
            // A sweep removes what stays.
            let _ = uploaded.discard();
            return present(row, Some(data_type.as_str()), found);
        }
        self.target.commit(uploaded, &Expected::Anything)?;
        Ok(true)
    }

    /// Finds the pair of a row in the model. Reads the files only if their sizes are those of a pair.
    fn find(
        &self,
        row: &Row,
        mut reader: Option<&mut ArchiveReader>,
    ) -> Result<Option<DataType>, RowError> {
        let audio = audio_size(row, reader.as_deref_mut())?;
        let transcript = match &row.transcript {
            Transcript::Text(text) => text.len() as u64,
            Transcript::File(path) => size(row, path)?,
        };
        if !self.known.has_sizes(audio, transcript) {
            return Ok(None);
        }
        let unreadable =
            |error: io::Error| RowError::refused(row.number, &row.name, &error.to_string());
        let (_, transcript) = digest(open_transcript(row)?).map_err(unreadable)?;
        let (_, audio) = with_audio(row, reader, |audio| digest(audio).map_err(unreadable))?;
        Ok(self.known.get(&(audio, transcript)))
    }

    /// The type of a row: its own, the one for all, or that of its share.
    fn type_of(&self, row: &Row) -> Result<Option<String>, RowError> {
        if let Some(data_type) = row.data_type.as_ref().or(self.choices.data_type.as_ref()) {
            return Ok(Some(data_type.clone()));
        }
        let Some(split) = self.choices.split else { return Ok(None) };
        let data_type = if percent(&name_digest(row)?) < split.train {
            DataType::Train
        } else {
            DataType::Test
        };
        Ok(Some(data_type.to_string()))
    }

    fn not_copied(&self, row: &Row, error: CopyError) -> RowError {
        match error {
            CopyError::Read(error) => {
                RowError::refused(row.number, &row.name, &format!("cannot be read: {error}"))
            }
            CopyError::Upload(error) => self.refused(row, error),
        }
    }

    /// Refuses a row for what its files are. A fault of the store ends the run.
    fn refused(&self, row: &Row, error: UploadError) -> RowError {
        if let UploadError::Store(_) = error {
            return self.target.failure(error).into();
        }
        match serde_json::from_str(&Refusal::from(error).to_json()) {
            Ok(body) => {
                RowError::Refused(RefusedRow::with_body(Some(row.number), Some(&row.name), body))
            }
            Err(error) => Failure::from(error).into(),
        }
    }
}

/// Refuses a row whose audio is named in an earlier row.
fn named_once(names: &mut HashMap<ContentDigest, u64>, row: Row) -> Result<Row, RowError> {
    // Digests take less memory than names.
    let name = name_digest(&row)?;
    if let Some(first) = names.get(&name) {
        let reason = format!("row {first} has the same audio");
        return Err(RowError::refused(row.number, &row.name, &reason));
    }
    names.insert(name, row.number);
    Ok(row)
}

fn name_digest(row: &Row) -> Result<ContentDigest, RowError> {
    let unreadable =
        |error: io::Error| RowError::refused(row.number, &row.name, &error.to_string());
    Ok(digest(row.name.as_bytes()).map_err(unreadable)?.1)
}

/// Maps a digest to 0 to 99, evenly.
fn percent(digest: &ContentDigest) -> u8 {
    let fold = |rest: u16, byte: &u8| (rest * 256 + u16::from(*byte)) % 100;
    u8::try_from(digest.as_bytes().iter().fold(0, fold)).unwrap_or_default()
}

/// The result for a row whose pair the model has. Refused if the model has it with another type.
fn present(row: &Row, data_type: Option<&str>, found: DataType) -> Result<bool, RowError> {
    if data_type == Some(found.as_str()) {
        return Ok(false);
    }
    let reason = format!("the model has these files already, to {found} with");
    Err(RowError::refused(row.number, &row.name, &reason))
}

/// Calls `work` with the audio of a row.
fn with_audio<T>(
    row: &Row,
    reader: Option<&mut ArchiveReader>,
    work: impl FnOnce(&mut dyn Read) -> Result<T, RowError>,
) -> Result<T, RowError> {
    match (&row.audio, reader) {
        (Audio::File(path), _) => work(&mut open(row, path)?),
        (Audio::Entry(index), Some(reader)) => {
            let unreadable = |error: io::Error| {
                RowError::refused(row.number, &row.name, &format!("cannot be read: {error}"))
            };
            work(&mut open_entry(reader, *index).map_err(unreadable)?)
        }
        (Audio::Entry(_), None) => Err(RowError::refused(row.number, &row.name, "no archive")),
    }
}

fn audio_size(row: &Row, reader: Option<&mut ArchiveReader>) -> Result<u64, RowError> {
    match (&row.audio, reader) {
        (Audio::Entry(index), Some(reader)) => entry_size(reader, *index)
            .map_err(|error| RowError::refused(row.number, &row.name, &error.to_string())),
        (Audio::File(path), _) => size(row, path),
        (Audio::Entry(_), None) => Ok(0),
    }
}

fn open_transcript(row: &Row) -> Result<Box<dyn Read + '_>, RowError> {
    Ok(match &row.transcript {
        Transcript::Text(text) => Box::new(text.as_bytes()),
        Transcript::File(path) => Box::new(open(row, path)?),
    })
}

fn open(row: &Row, path: &Path) -> Result<File, RowError> {
    File::open(path).map_err(|error| unreadable(row, path, &error))
}

fn size(row: &Row, path: &Path) -> Result<u64, RowError> {
    let found = path.metadata().map_err(|error| unreadable(row, path, &error))?;
    if found.is_file() {
        return Ok(found.len());
    }
    let kind =
        if found.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
    Err(unreadable(row, path, &kind.into()))
}

fn unreadable(row: &Row, path: &Path, error: &io::Error) -> RowError {
    let reason = format!("cannot read {}: {}", Quoted(path), reason(path, error));
    RowError::refused(row.number, &row.name, &reason)
}

/// The last part of a path, with either separator.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// Writes a line to standard error, and ignores failure: the exit code still shows the refusal.
fn eprintln_line(line: &str) {
    let _ = io::Write::write_all(&mut io::stderr().lock(), format!("{line}\n").as_bytes());
}
