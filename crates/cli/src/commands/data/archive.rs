//! Archives: a zip with audio files and a `trans.txt` of name, tab and text, as Azure's Custom Speech takes.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use custom_models_core::model::DataFile;
use custom_models_training_data::AudioFormat;
use zip::{CompressionMethod, ZipArchive};

use super::lines::{Line, each_line};
use super::row::{Audio, RefusedRow, Row, RowError, Transcript};
use crate::output::escape::Escaped;
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, unusable};

/// The name of the file of transcripts.
const TRANSCRIPTS: &str = "trans.txt";

/// The most entries of an archive, which are listed in memory.
const MOST_ENTRIES: usize = 1_000_000;

/// The size in bytes from which an entry may not expand to more than [`MOST_EXPANSION`] times its size.
const LARGE: u64 = 64 << 20;

/// The largest expansion of a large entry. Deflate comes to 1030, audio with silence to less than 100.
const MOST_EXPANSION: u64 = 200;

/// An archive, with its entries by their names.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<SharedFile>,
    transcripts: usize,
    /// The folder of the file of transcripts, to which its names are relative.
    folder: String,
    entries: HashMap<String, Entry>,
}

struct Entry {
    index: usize,
    /// The reason why the entry is refused.
    fault: Option<String>,
}

/// A reader of an archive, for one thread.
pub(super) type ArchiveReader = ZipArchive<SharedFile>;

impl Archive {
    /// Opens an archive, and finds its file of transcripts.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            let reason = Escaped(reason);
            Failure::WrongUsage(format!("--archive {}: {reason}", Quoted(path)))
        };
        let unreadable = |error| wrong(&format!("not a zip that can be read: {error}"));
        let file = File::open(path).map_err(|error| unusable(path, &error))?;
        let found = file.metadata().map_err(|error| unusable(path, &error))?;
        if found.is_dir() {
            return Err(unusable(path, &io::ErrorKind::IsADirectory.into()));
        }
        let file = SharedFile { file: Arc::new(Mutex::new(file)), at: 0, length: found.len() };
        let mut zip = ZipArchive::new(file).map_err(unreadable)?;
        if zip.len() > MOST_ENTRIES {
            return Err(wrong("more than 1 000 000 entries: split it"));
        }
        if zip.has_duplicate_names() {
            return Err(wrong("two entries have the same name"));
        }
        if zip.has_overlapping_files().map_err(unreadable)? {
            return Err(wrong("entries share their bytes, as in a zip bomb"));
        }
        let (mut entries, mut transcripts) = (HashMap::new(), Vec::new());
        for index in 0..zip.len() {
            let entry = zip.by_index_data(index).map_err(unreadable)?;
            let name = entry.name().map_or_else(
                |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
                std::borrow::Cow::into_owned,
            );
            if entry.is_dir() || is_of_a_system(&name) {
                continue;
            }
            let fault = if entry.enclosed_name().is_none() || name.contains('\\') {
                Some("the name is a path out of the archive".to_owned())
            } else if entry.is_symlink() {
                Some("the entry is a link".to_owned())
            } else if entry.encrypted() {
                Some("the entry is encrypted".to_owned())
            } else {
                fault(entry.compression(), entry.size(), entry.compressed_size())
            };
            if base_name(&name).eq_ignore_ascii_case(TRANSCRIPTS) {
                transcripts.push((name, index, fault));
            } else {
                entries.insert(name, Entry { index, fault });
            }
        }
        match transcripts.as_slice() {
            [(name, index, None)] => {
                let folder = name.strip_suffix(base_name(name)).unwrap_or_default().to_owned();
                Ok(Archive { path: path.to_owned(), transcripts: *index, folder, entries, zip })
            }
            [(_, _, Some(fault))] => Err(wrong(&format!("{TRANSCRIPTS}: {fault}"))),
            [] => Err(wrong("no trans.txt in it: a line for each audio, with name, tab and text")),
            _ => Err(wrong("more than one trans.txt in it")),
        }
    }

    /// Makes a reader for a thread.
    pub(super) fn reader(&self) -> ArchiveReader {
        self.zip.clone()
    }

    /// Calls `take` with each row of the file of transcripts, then with each audio that has none, until it returns
    /// `false`.
    pub(super) fn each_row(
        &self,
        take: &mut dyn FnMut(Result<Row, RowError>) -> bool,
    ) -> Result<(), Failure> {
        let (mut seen, mut is_over) = (HashSet::new(), false);
        let mut reader = self.reader();
        let unreadable = |error: io::Error| {
            let reason = Escaped(&error.to_string()).to_string();
            Failure::WrongUsage(format!("{}: {TRANSCRIPTS}: {reason}", Quoted(&self.path)))
        };
        let entry = open_entry(&mut reader, self.transcripts).map_err(unreadable)?;
        each_line(BufReader::new(entry), |number, line| {
            is_over = !take(match line {
                Line::Unreadable(reason) => {
                    Err(RowError::Refused(RefusedRow::new(Some(number), None, reason)))
                }
                Line::Text(text) => self.row(number, text, &mut seen),
            });
            !is_over
        })
        .map_err(unreadable)?;
        let mut left: Vec<(&String, &Entry)> =
            self.entries.iter().filter(|(_, entry)| !seen.contains(&entry.index)).collect();
        left.retain(|(name, _)| AudioFormat::of_name(base_name(name)).is_some());
        left.sort_unstable_by_key(|(_, entry)| entry.index);
        for (name, entry) in left.into_iter().take_while(|_| !is_over) {
            let reason = entry.fault.as_deref().unwrap_or("no line of trans.txt has this name");
            if !take(Err(RowError::Refused(RefusedRow::new(None, Some(name), reason)))) {
                break;
            }
        }
        Ok(())
    }

    fn row(&self, number: u64, line: &str, seen: &mut HashSet<usize>) -> Result<Row, RowError> {
        let Some((name, text)) = line.split_once('\t') else {
            return Err(RowError::refused(number, line.trim(), "no tab between name and text"));
        };
        let name = name.trim();
        let Some(entry) = self.entries.get(&format!("{}{name}", self.folder)) else {
            return Err(RowError::refused(number, name, "not in the archive"));
        };
        seen.insert(entry.index);
        match &entry.fault {
            Some(fault) => Err(RowError::refused(number, name, fault)),
            None => Ok(Row {
                number,
                name: name.to_owned(),
                audio: Audio::Entry(entry.index),
                transcript: Transcript::Text(text.to_owned()),
                data_type: None,
            }),
        }
    }
}

/// Returns the size of an entry, as the archive states it.
pub(super) fn entry_size(reader: &ArchiveReader, index: usize) -> io::Result<u64> {
    Ok(reader.by_index_data(index)?.size())
}

/// Opens an entry for reading. Reading fails if the entry is longer than the archive states, or its checksum is
/// wrong.
pub(super) fn open_entry(reader: &mut ArchiveReader, index: usize) -> io::Result<impl Read + '_> {
    Ok(reader.by_index(index)?)
}

/// The reason why an entry cannot be read safely.
fn fault(method: CompressionMethod, size: u64, compressed: u64) -> Option<String> {
    if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
        Some(format!("the entry is compressed with {method}: use deflate"))
    } else if size > DataFile::MAX_BYTES {
        Some("the entry is larger than 10 GiB".to_owned())
    } else if size > LARGE && size / compressed.max(1) > MOST_EXPANSION {
        let times = size / compressed.max(1);
        Some(format!("the entry expands to {times} times its size, as a zip bomb does"))
    } else {
        None
    }
}

fn base_name(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

/// Returns `true` for files that systems put into archives, such as `.DS_Store`.
fn is_of_a_system(name: &str) -> bool {
    name.starts_with("__MACOSX/") || (base_name(name).starts_with('.') && !name.contains(".."))
}

/// A file that several threads read, each at its own position.
#[derive(Clone)]
pub(super) struct SharedFile {
    file: Arc<Mutex<File>>,
    at: u64,
    length: u64,
}

impl Read for SharedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let count = file.read(buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
