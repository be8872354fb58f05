//! Manifests: rows with an audio, a transcript and a type, as TSV, CSV or JSON Lines.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use serde::Deserialize;

use super::lines::{Line, each_line};
use super::row::{Columns, LONGEST_ROW, RefusedRow, Row, RowError};
use crate::output::failure::Failure;
use crate::output::path_errors::{Quoted, unusable};

/// A manifest. Its paths are relative to its folder.
pub(super) struct Manifest {
    path: PathBuf,
    format: Format,
}

/// The format of a manifest, by the ending of its name.
#[derive(Clone, Copy)]
enum Format {
    Tsv,
    Csv,
    JsonLines,
}

impl Manifest {
    /// Finds out the format of a manifest.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase);
        let format = match ending.as_deref() {
            Some("tsv") => Format::Tsv,
            Some("csv") => Format::Csv,
            Some("jsonl" | "ndjson") => Format::JsonLines,
            _ => {
                return Err(Failure::WrongUsage(format!(
                    "--manifest {}: the name has to end in .tsv, .csv or .jsonl",
                    Quoted(path)
                )));
            }
        };
        Ok(Manifest { path: path.to_owned(), format })
    }

    /// Calls `take` with each row, until it returns `false`.
    pub(super) fn each_row(
        &self,
        take: &mut dyn FnMut(Result<Row, RowError>) -> bool,
    ) -> Result<(), Failure> {
        let unreadable = |error: io::Error| unusable(&self.path, &error);
        let file = File::open(&self.path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if !found.is_file() {
            let kind =
                if found.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::NotSeekable };
            return Err(unreadable(kind.into()));
        }
        match self.format {
            Format::Csv => self.each_record(file, take),
            Format::Tsv => self.each_tabbed(BufReader::new(file), take).map_err(unreadable),
            Format::JsonLines => self.each_object(BufReader::new(file), take).map_err(unreadable),
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn each_tabbed(
        &self,
        file: BufReader<File>,
        take: &mut dyn FnMut(Result<Row, RowError>) -> bool,
    ) -> io::Result<()> {
        let mut header = Header::default();
        each_line(file, |number, line| match line {
            Line::Unreadable(reason) => take(Err(unreadable_row(number, reason))),
            Line::Text(text) => {
                let fields: Vec<&str> = text.split('\t').collect();
                header.is_header(&fields) || take(header.row(number, &fields, self.folder()))
            }
        })
    }

    fn each_object(
        &self,
        file: BufReader<File>,
        take: &mut dyn FnMut(Result<Row, RowError>) -> bool,
    ) -> io::Result<()> {
        each_line(file, |number, line| {
            take(match line {
                Line::Unreadable(reason) => Err(unreadable_row(number, reason)),
                Line::Text(text) => match serde_json::from_str::<JsonRow>(text) {
                    Ok(row) => row.columns().into_row(number, self.folder()),
                    Err(error) => Err(unreadable_row(number, &format!("not a row: {error}"))),
                },
            })
        })
    }

    fn each_record(
        &self,
        file: File,
        take: &mut dyn FnMut(Result<Row, RowError>) -> bool,
    ) -> Result<(), Failure> {
        let room = Rc::new(Cell::new(0));
        let file = Bounded { file, room: Rc::clone(&room) };
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
        let (mut record, mut header) = (ByteRecord::new(), Header::default());
        loop {
            // More than a record may have, since the reader reads ahead.
            room.set(2 * LONGEST_ROW);
            let line = reader.position().line();
            if !reader.read_byte_record(&mut record).map_err(|error| self.broken(line, &error))? {
                return Ok(());
            }
            let number = record.position().map_or(line, csv::Position::line);
            let fields: Result<Vec<&str>, _> = record.iter().map(str::from_utf8).collect();
            let goes_on = match fields {
                Ok(fields) if header.is_header(&fields) => true,
                Ok(fields) => take(header.row(number, &fields, self.folder())),
                Err(_) => take(Err(unreadable_row(number, "the row is not UTF-8"))),
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn broken(&self, line: u64, error: &csv::Error) -> Failure {
        Failure::WrongUsage(format!("{}: line {line}: {error}", Quoted(&self.path)))
    }
}

fn unreadable_row(number: u64, reason: &str) -> RowError {
    RowError::Refused(RefusedRow::new(Some(number), None, reason))
}

/// A row in JSON Lines. Other members are ignored.
#[derive(Deserialize)]
struct JsonRow {
    audio: String,
    transcript: Option<String>,
    text: Option<String>,
    #[serde(rename = "type")]
    data_type: Option<String>,
}

impl JsonRow {
    fn columns(&self) -> Columns<'_> {
        Columns {
            audio: &self.audio,
            transcript: self.transcript.as_deref(),
            text: self.text.as_deref(),
            data_type: self.data_type.as_deref(),
        }
    }
}

/// The columns of a manifest: those of its header, or audio, transcript and type in this order.
#[derive(Default)]
struct Header {
    is_begun: bool,
    names: Option<Vec<Option<Column>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Audio,
    Transcript,
    Text,
    Type,
}

impl Column {
    fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "audio" => Some(Column::Audio),
            "transcript" => Some(Column::Transcript),
            "text" => Some(Column::Text),
            "type" => Some(Column::Type),
            _ => None,
        }
    }
}

impl Header {
    /// Takes the first row as the header if it has a column `audio`. Returns `true` for the header.
    fn is_header(&mut self, fields: &[&str]) -> bool {
        if std::mem::replace(&mut self.is_begun, true) {
            return false;
        }
        let names: Vec<_> = fields.iter().map(|name| Column::named(name)).collect();
        let is_header = names.contains(&Some(Column::Audio));
        self.names = is_header.then_some(names);
        is_header
    }

    fn row(&self, number: u64, fields: &[&str], folder: &Path) -> Result<Row, RowError> {
        const WITHOUT: [Option<Column>; 3] =
            [Some(Column::Audio), Some(Column::Transcript), Some(Column::Type)];
        let names = self.names.as_deref().unwrap_or(&WITHOUT);
        let name = fields.first().copied().unwrap_or_default();
        if fields.len() > names.len() {
            let reason = format!("the row has {} fields, not {}", fields.len(), names.len());
            return Err(RowError::refused(number, name, &reason));
        }
        let mut columns = Columns::default();
        for (name, field) in names.iter().zip(fields) {
            match name {
                Some(Column::Audio) => columns.audio = field,
                Some(Column::Transcript) => columns.transcript = Some(field),
                Some(Column::Text) => columns.text = Some(field),
                Some(Column::Type) => columns.data_type = Some(field),
                None => {}
            }
        }
        columns.into_row(number, folder)
    }
}

/// A file of which only so much is read before the room is renewed: a record of CSV whose quote is not closed
/// goes on to the end of the file.
struct Bounded {
    file: File,
    room: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.room.get() == 0 {
            let reason = "the row is longer than 1 MiB; is a quote not closed?";
            return Err(io::Error::other(reason));
        }
        let count = self.file.read(buffer)?;
        self.room.set(self.room.get().saturating_sub(count as u64));
        Ok(count)
    }
}
