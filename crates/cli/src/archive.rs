//! All that a store holds: written to a file, taken from one, and what is an organisation's erased.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::{
    ArchiveChange, Audit, Engine, OpenMode, Record, Store, StoreError, StoreErrorKind,
};
use serde::{Deserialize, Serialize};

use crate::args::{EraseArgs, FileArgs, Global};
use crate::data_folder::DataFolder;
use crate::failure::Failure;
use crate::report::Report;
use crate::sweep;

/// How many records are put or erased at a time.
const BATCH: u32 = 500;

/// The longest line: no record is longer.
const LONGEST_LINE: u64 = 1 << 20;

/// The last line of an export, without which it is cut short.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
enum Last {
    End {
        /// How many lines are before it.
        lines: u64,
    },
}

/// Writes everything that the store holds to a new file, a record a line.
pub(crate) fn export(global: &Global, args: &FileArgs) -> Report {
    on_store(global, OpenMode::ReadOnly, |store| {
        let mut lines = 0;
        let file = File::create_new(&args.file).map_err(unusable)?;
        let written = write_all(&file, &*store, &mut lines);
        if written.is_err() {
            // What cannot be removed is in the way of the next export, which says so.
            let _ = std::fs::remove_file(&args.file);
        }
        written.map(|()| Some(format!(r#"{{"records":{lines}}}"#)))
    })
}

fn write_all(file: &File, store: &dyn Store, lines: &mut u64) -> Result<(), Failure> {
    let mut out = BufWriter::new(file);
    store.export(&mut |record| {
        *lines += 1;
        write_line(&mut out, &record)
    })?;
    write_line(&mut out, &Last::End { lines: *lines })?;
    let flushed = out.flush().and_then(|()| file.sync_all());
    flushed.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, error).into())
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::new(StoreErrorKind::Unavailable, error);
    serde_json::to_writer(&mut *out, line).map_err(|error| failed(error.into()))?;
    out.write_all(b"\n").map_err(failed)
}

/// Fills an empty store with what was exported of another one.
pub(crate) fn import(global: &Global, args: &FileArgs) -> Report {
    on_store(global, OpenMode::Create, |store| {
        // The whole file is looked at before anything is written.
        let mut audit = Audit::default();
        let lines = read_all(&args.file, &mut |record| {
            audit.look(&record);
            Ok(())
        })?;
        if let Some(finding) = audit.findings().first() {
            let reason = format!("{}: it contradicts itself: {finding}", args.file.display());
            return Err(Failure::WrongUsage(reason));
        }
        if !is_empty(&*store)? {
            return Err(Failure::WrongUsage(
                "--store: there is something in it already".to_owned(),
            ));
        }
        let mut batch = Vec::new();
        read_all(&args.file, &mut |record| {
            batch.push(record);
            if batch.len() >= BATCH as usize {
                store.archive(ArchiveChange::Import(std::mem::take(&mut batch)))?;
            }
            Ok(())
        })?;
        store.archive(ArchiveChange::Import(batch))?;
        Ok(Some(format!(r#"{{"records":{lines}}}"#)))
    })
}

/// Reads an export to its end, and says how many records it has.
fn read_all(
    path: &Path,
    each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
) -> Result<u64, Failure> {
    let mut file = BufReader::new(File::open(path).map_err(unusable)?);
    let wrong = |number: u64, what: &str| {
        Failure::WrongUsage(format!("{}: line {number}: {what}", path.display()))
    };
    let mut line = Vec::new();
    let mut lines = 0;
    loop {
        line.clear();
        file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(unusable)?;
        if line.last() != Some(&b'\n') {
            return Err(wrong(lines + 1, "the export is cut short"));
        }
        match serde_json::from_slice(&line) {
            Ok(record) => {
                if matches!(record, Record::Start { .. }) != (lines == 0) {
                    return Err(wrong(lines + 1, "an export begins with its start"));
                }
                each(record)?;
                lines += 1;
            }
            Err(error) => match serde_json::from_slice(&line) {
                Ok(Last::End { lines: all })
                    if all == lines && file.fill_buf().is_ok_and(<[u8]>::is_empty) =>
                {
                    return Ok(lines);
                }
                Ok(Last::End { .. }) => {
                    return Err(wrong(lines + 1, "lines are missing, or too many"));
                }
                Err(_) => return Err(wrong(lines + 1, &format!("no record: {error}"))),
            },
        }
    }
}

fn is_empty(store: &dyn Store) -> Result<bool, StoreError> {
    let mut is_empty = true;
    store.export(&mut |record| {
        is_empty &= record == Record::Start { last_id: 0 };
        Ok(())
    })?;
    Ok(is_empty)
}

/// Erases all that is an organisation's: its registration and keys, models, data with their files, and
/// history.
pub(crate) fn erase(
    global: &Global,
    args: EraseArgs,
    open: &dyn Fn(OpenMode) -> Result<Arc<dyn Store>, Failure>,
) -> Result<String, Failure> {
    if !args.yes {
        return Err(Failure::WrongUsage("this cannot be undone: say --yes".to_owned()));
    }
    let (store, contents) = (open(OpenMode::Existing)?, DataFolder::of(global)?.open()?);
    let mut records = 0;
    loop {
        let organisation = args.name.clone();
        match store.archive(ArchiveChange::Erase { organisation, limit: BATCH })? {
            0 => break,
            erased => records += erased,
        }
    }
    let engine = Engine::new(store, SystemTime::now);
    let files = contents.map_or(Ok(0), |contents| sweep::files(&*contents, &engine))?;
    Ok(format!(r#"{{"records":{records},"files":{files}}}"#))
}

fn unusable(error: io::Error) -> Failure {
    Failure::WrongUsage(error.to_string())
}

/// Has something done on the store that the command line names.
pub(crate) fn on_store(
    global: &Global,
    mode: OpenMode,
    work: impl FnOnce(Arc<dyn Store>) -> Result<Option<String>, Failure>,
) -> Report {
    let done = || -> Result<Option<String>, Failure> {
        let store = global.store.opener(mode)?()?;
        let done = work(Arc::clone(&store));
        store.close()?;
        done
    };
    match done() {
        Ok(answer) => Report::answer(answer),
        Err(failure) => Report::failure(failure, &global.store),
    }
}
