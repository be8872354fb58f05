//! Importing an export into an empty store.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use custom_models_core::store::{ArchiveChange, Audit, Record, Store};

use crate::args::store::{AdoptArgs, ImportArgs};
use crate::commands::export::Trailer;
use crate::commands::session::on_opened;
use crate::config::data_folder::{DataFolder, say, warning};
use crate::config::global::Global;
use crate::output::escape::Escaped;
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, unusable};
use crate::output::report::Report;

mod line_audit;

use line_audit::LineAudit;

/// The number of records that are written at a time.
const BATCH: usize = 500;

/// The longest line: no record is longer.
const LONGEST_LINE: u64 = 1 << 20;

const NOT_EMPTY: &str = "--store: the store is not empty; import into a new one";

/// Fills an empty store from an export; `-` is standard input.
///
/// Checks the whole export before anything is written. Memory grows with the number of models, keys and
/// stored answers, by a few words each.
pub(crate) fn import(global: &Global, args: &ImportArgs) -> Report {
    let ImportArgs { file: args, folder: AdoptArgs { adopt } } = args;
    let read = Export::open(&args.file).and_then(|export| {
        let lines = export.validate()?;
        Ok((export, lines))
    });
    let (export, lines) = match read {
        Ok(read) => read,
        Err(failure) => return Report::failure(failure, &global.store),
    };
    let open = || global.store.open_or_make(|| DataFolder::ensure_free(global, *adopt));
    on_opened(global, open, |store| {
        let folder = DataFolder::of(global, &store)?;
        if !adopt {
            // With a folder of another store, every later command would fail.
            folder.open_read_only()?;
        }
        let mut batches = Batches { store: &*store, has_begun: false, batch: Vec::new() };
        export.read(&mut |_, record| {
            batches.batch.push(record);
            if batches.batch.len() >= BATCH { batches.write() } else { Ok(()) }
        })?;
        batches.write()?;
        // The store refers to files of the folder now, which makes it the owner.
        let opened = folder.open_or_adopt(*adopt)?;
        opened.as_deref().and_then(warning).iter().for_each(|line| say(line));
        Ok(Some(format!(r#"{{"records":{lines}}}"#)))
    })
}

/// Records on their way into a store, written many at a time.
struct Batches<'a> {
    store: &'a dyn Store,
    has_begun: bool,
    batch: Vec<Record>,
}

impl Batches<'_> {
    /// Writes the batch. The first batch begins the import, which a store refuses unless it is empty.
    fn write(&mut self) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.batch);
        if std::mem::replace(&mut self.has_begun, true) {
            self.store.archive(ArchiveChange::Import(batch))?;
            return Ok(());
        }
        match self.store.archive(ArchiveChange::Begin(batch))? {
            0 => Err(Failure::WrongUsage(NOT_EMPTY.to_owned())),
            _ => Ok(()),
        }
    }
}

/// An export that can be read twice.
struct Export<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Export<'a> {
    /// Opens a file. Copies a pipe, such as standard input, to an unnamed file first.
    fn open(path: &'a Path) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| unusable(path, &error);
        if path == Path::new("-") {
            let file = spooled(&mut io::stdin().lock()).map_err(unreadable)?;
            return Ok(Export { path, file });
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if found.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        if !found.is_file() {
            file = spooled(&mut file).map_err(unreadable)?;
        }
        Ok(Export { path, file })
    }

    /// Checks the whole export. Returns the number of records.
    fn validate(&self) -> Result<u64, Failure> {
        let (mut audit, mut line_audit) = (Audit::default(), LineAudit::default());
        let count = self.read(&mut |number, record| {
            line_audit.check(&record).map_err(|wrong| self.wrong(number, &wrong))?;
            audit.look(&record);
            Ok(())
        })?;
        match audit.findings().first() {
            Some(finding) => {
                let reason = format!("{}: it contradicts itself: {finding}", Quoted(self.path));
                Err(Failure::WrongUsage(reason))
            }
            None => Ok(count),
        }
    }

    /// Calls `each` for every record with the number of its line. Returns the number of records.
    fn read(
        &self,
        each: &mut dyn FnMut(u64, Record) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let unreadable = |error: io::Error| unusable(self.path, &error);
        (&self.file).rewind().map_err(unreadable)?;
        let mut file = BufReader::new(&self.file);
        let wrong = |number, what: &str| Err(self.wrong(number, what));
        let mut line = Vec::new();
        let mut lines = 0;
        loop {
            line.clear();
            let number = lines + 1;
            file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
            if line.last() != Some(&b'\n') {
                return wrong(number, "the export is cut short");
            }
            match serde_json::from_slice(&line) {
                Ok(record) => {
                    if matches!(record, Record::Start { .. }) != (lines == 0) {
                        return wrong(
                            number,
                            "the record `start` has to be the first line, and only that",
                        );
                    }
                    each(number, record)?;
                    lines = number;
                }
                Err(error) => match serde_json::from_slice(&line) {
                    Ok(Trailer::End { lines: all })
                        if all == lines && file.fill_buf().is_ok_and(<[u8]>::is_empty) =>
                    {
                        return Ok(lines);
                    }
                    Ok(Trailer::End { .. }) => {
                        return wrong(
                            number,
                            "the number of lines is not the one that the last line states",
                        );
                    }
                    Err(_) => return wrong(number, &format!("not a record: {error}")),
                },
            }
        }
    }

    fn wrong(&self, line: u64, what: &str) -> Failure {
        Failure::WrongUsage(format!("{}: line {line}: {}", Quoted(self.path), Escaped(what)))
    }
}

/// Copies a stream to an unnamed file.
fn spooled(source: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(source, &mut file)?;
    Ok(file)
}
