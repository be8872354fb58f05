//! Exporting a store to a file or to standard output.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use custom_models_core::store::{OpenMode, Store, StoreError, StoreErrorKind};
use serde::{Deserialize, Serialize};

use crate::args::store::FileArgs;
use crate::commands::session::on_store;
use crate::config::global::Global;
use crate::config::store_path::ensure_vacant;
use crate::output::failure::Failure;
use crate::output::new_file::NewFile;
use crate::output::path_errors::unusable;
use crate::output::report::Report;

/// The last line of an export. Without it an export is incomplete.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Trailer {
    End {
        /// The number of lines before it.
        lines: u64,
    },
}

/// Writes every record of the store to a new file, one line each; `-` is standard output.
pub(crate) fn export(global: &Global, args: &FileArgs) -> Report {
    let to_output = args.file == Path::new("-");
    on_store(global, OpenMode::ReadOnly, |store| {
        if to_output {
            let written = write_all(&mut io::stdout().lock(), &*store, None);
            return written.map(|_| None);
        }
        ensure_vacant(&args.file)?;
        let file = NewFile::begin(&args.file).map_err(|error| unusable(&args.file, &error))?;
        let lines = write_all(&mut file.file(), &*store, Some(&args.file))?;
        let kept = file.keep();
        kept.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => unusable(&args.file, &error),
            _ => Failure::NotWritten(Some(args.file.clone()), error),
        })?;
        Ok(Some(format!(r#"{{"records":{lines}}}"#)))
    })
}

/// Writes every record, and returns their number. A reader that closes standard output early is no error.
fn write_all(
    out: &mut impl Write,
    store: &dyn Store,
    place: Option<&Path>,
) -> Result<u64, Failure> {
    let mut out = BufWriter::new(out);
    let (mut lines, mut unwritten) = (0, None);
    let exported = store.export(&mut |record| {
        lines += 1;
        write_line(&mut out, &record).map_err(|error| {
            unwritten = Some(error);
            // Ends the export, and is not shown.
            StoreError::from(StoreErrorKind::Failed)
        })
    });
    let failed = match unwritten {
        Some(error) => Some(error),
        None => {
            exported?;
            let ended = write_line(&mut out, &Trailer::End { lines }).and_then(|()| out.flush());
            ended.err()
        }
    };
    // Dropping the writer would try again to write the rest.
    let _ = out.into_parts();
    match failed {
        None => Ok(lines),
        Some(error) if place.is_none() && error.kind() == io::ErrorKind::BrokenPipe => Ok(lines),
        Some(error) => Err(Failure::NotWritten(place.map(Path::to_owned), error)),
    }
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
