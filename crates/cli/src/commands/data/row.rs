//! The rows of a manifest or an archive: a pair to add, or the reason why there is none.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::output::escape::Escaped;
use crate::output::failure::Failure;

/// The longest row of a manifest or of `trans.txt`, in bytes.
pub(super) const LONGEST_ROW: u64 = 1 << 20;

/// The most characters of a name that the report shows.
const MOST_SHOWN: usize = 300;

/// A pair to add.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The number of the line where the row begins.
    pub(super) number: u64,
    /// The name of the audio, as the row has it.
    pub(super) name: String,
    pub(super) audio: Audio,
    pub(super) transcript: Transcript,
    /// The type that the row states.
    pub(super) data_type: Option<String>,
}

/// The place of an audio.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Audio {
    File(PathBuf),
    /// An entry of the archive, by its index.
    Entry(usize),
}

/// A transcript, or its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transcript {
    File(PathBuf),
    Text(String),
}

/// The reason why a row is not added.
#[derive(Debug)]
pub(super) enum RowError {
    /// The row is refused, and others go on.
    Refused(RefusedRow),
    /// No row can be added any more.
    Failed(Failure),
}

/// A refused row, as the report has it.
#[derive(Debug)]
pub(super) struct RefusedRow {
    number: Option<u64>,
    name: Option<String>,
    refusal: Value,
}

impl RefusedRow {
    /// A row that is refused for a reason of the command line's own.
    pub(super) fn new(number: Option<u64>, name: Option<&str>, reason: &str) -> Self {
        let reason = Escaped(reason).to_string();
        Self::with_body(number, name, json!({ "message": reason }))
    }

    /// A row that is refused with a body of the API.
    pub(super) fn with_body(number: Option<u64>, name: Option<&str>, refusal: Value) -> Self {
        let name = name.map(|name| {
            let shown: String = name.chars().take(MOST_SHOWN).collect();
            Escaped(&shown).to_string()
        });
        RefusedRow { number, name, refusal }
    }

    /// Formats the row as a line of JSON.
    pub(super) fn to_json(&self) -> String {
        json!({ "row": self.number, "audio": self.name, "refusal": self.refusal }).to_string()
    }
}

impl RowError {
    /// Refuses a row of a manifest or of `trans.txt`.
    pub(super) fn refused(number: u64, name: &str, reason: &str) -> Self {
        RowError::Refused(RefusedRow::new(Some(number), Some(name), reason))
    }
}

impl From<Failure> for RowError {
    fn from(failure: Failure) -> Self {
        RowError::Failed(failure)
    }
}

/// The columns of a row of a manifest.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    pub(super) audio: &'a str,
    pub(super) transcript: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    pub(super) data_type: Option<&'a str>,
}

impl Columns<'_> {
    /// Makes a row. Paths are relative to `folder`. A transcript that ends in `.txt` is a path, else a text.
    pub(super) fn into_row(self, number: u64, folder: &Path) -> Result<Row, RowError> {
        let name = self.audio.trim();
        let refused = |reason| Err(RowError::refused(number, name, reason));
        if name.is_empty() {
            return refused("the row has no audio");
        }
        let filled =
            |value: Option<&str>| value.filter(|it| !it.trim().is_empty()).map(str::to_owned);
        let transcript = match (filled(self.transcript), filled(self.text)) {
            (None, None) => return refused("the row has no transcript"),
            (Some(_), Some(_)) => {
                return refused("the row has a transcript and a text: one of them has to be empty");
            }
            (Some(path), None) if is_path(&path) => Transcript::File(folder.join(path.trim())),
            (Some(text), None) | (None, Some(text)) => Transcript::Text(text),
        };
        let data_type = self.data_type.map(str::trim).filter(|it| !it.is_empty());
        Ok(Row {
            number,
            name: name.to_owned(),
            audio: Audio::File(folder.join(name)),
            transcript,
            data_type: data_type.map(str::to_owned),
        })
    }
}

/// Returns `true` if a transcript of a row is the path of a file.
fn is_path(transcript: &str) -> bool {
    let ending = transcript.trim().rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("txt"))
}
