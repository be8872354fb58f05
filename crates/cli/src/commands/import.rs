//! An empty store, filled with what was exported of another one.

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

const NOT_EMPTY: &str = "--store: there is something in it already; import into a new one";

/// Fills an empty store with what was exported of another one; `-` is standard input.
///
/// The whole export is judged before anything is written. Memory grows with the number of models, keys and
/// kept answers, a few words each.
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
            // A folder of another store would be in the way of every later command.
            folder.open_read_only()?;
        }
        let mut batches = Batches { store: &*store, has_begun: false, batch: Vec::new() };
        export.read(&mut |_, record| {
            batches.batch.push(record);
            if batches.batch.len() >= BATCH { batches.write() } else { Ok(()) }
        })?;
        batches.write()?;
        // What the store refers to now makes the folder its own.
        let opened = folder.open_or_adopt(*adopt)?;
        opened.as_deref().and_then(warning).iter().for_each(|line| say(line));
        Ok(Some(format!(r#"{{"records":{lines}}}"#)))
    })
}

/// Records that go into a store, many at a time.
struct Batches<'a> {
    store: &'a dyn Store,
    has_begun: bool,
    batch: Vec<Record>,
}

impl Batches<'_> {
    /// Puts what there is. The first batch begins the import: it is refused by a store that holds something,
    /// such as the first batch of another import.
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
    /// Opens a file. What is no file, as standard input may be, is copied to one without a name first.
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

    /// Judges the whole, and says how many records it has.
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

    /// Reads it from its start to its end, each record with the number of its line, and says how many
    /// records it has.
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
                        return wrong(number, "an export begins with its start, and has one");
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
                        return wrong(number, "lines are missing, or too many");
                    }
                    Err(_) => return wrong(number, &format!("no record: {error}")),
                },
            }
        }
    }

    fn wrong(&self, line: u64, what: &str) -> Failure {
        Failure::WrongUsage(format!("{}: line {line}: {}", Quoted(self.path), Escaped(what)))
    }
}

/// A file without a name with all that can be read.
fn spooled(source: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(source, &mut file)?;
    Ok(file)
}
