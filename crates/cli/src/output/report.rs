//! The output of a command, and its exit code.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use custom_models_core::store::StoreErrorKind;

use crate::output::escape::Escaped;
use crate::output::failure::{Failure, with_causes};
use crate::output::path_errors::Quoted;

/// The hint for a store that is missing.
const MADE_BY: &str =
    "; check --store; `create`, `org add`, `import`, `restore` and `serve` make one";

/// The hint for a store whose layout is older.
const MIGRATED_BY: &str = "; `serve` migrates it, and so do commands that write, such as `create`";

/// The exit code of a command. The numbers are those that `--help` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Refused = 1,
    WrongUsage = 2,
    StoreFailed = 3,
    AnswerLost = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// The output of a command on either stream, and its exit code.
#[derive(Debug)]
pub(crate) struct Report {
    answer: Option<String>,
    complaints: Vec<String>,
    exit: Exit,
}

impl Report {
    /// The report of a command that succeeded, with its result.
    pub(crate) fn answer(answer: impl Into<Option<String>>) -> Self {
        Report { answer: answer.into(), complaints: Vec::new(), exit: Exit::Done }
    }

    /// The report of a command that failed.
    pub(crate) fn failure(failure: Failure, store: &dyn Display) -> Self {
        let (complaint, exit) = match failure {
            Failure::Partial(result) => {
                let answer = Some(result);
                return Report { answer, complaints: Vec::new(), exit: Exit::Refused };
            }
            Failure::Refused(body) => (body, Exit::Refused),
            Failure::WrongUsage(reason) => (format!("error: {reason}"), Exit::WrongUsage),
            Failure::Store(fault) => {
                let mut complaint = store_failed(store, "", &fault);
                match fault.kind() {
                    StoreErrorKind::Missing => complaint.push_str(MADE_BY),
                    StoreErrorKind::Older => complaint.push_str(MIGRATED_BY),
                    _ => {}
                }
                (complaint, Exit::StoreFailed)
            }
            #[cfg(feature = "client")]
            Failure::Service(fault) => (store_failed(store, "", &*fault), Exit::StoreFailed),
            Failure::File(path, fault) => {
                (failed(&path.to_string_lossy(), "", &fault), Exit::StoreFailed)
            }
            Failure::NotWritten(place, error) => {
                let what = place.map_or("the answer".to_owned(), |it| Quoted(&it).to_string());
                (format!("error: {what} was not written: {error}"), Exit::AnswerLost)
            }
        };
        Report { answer: None, complaints: vec![complaint], exit }
    }

    /// Adds that the store could not be closed properly.
    pub(crate) fn and_not_closed(mut self, fault: &dyn Error, store: &dyn Display) -> Self {
        let what = match self.exit {
            Exit::Done => "done, but the store was not closed properly: ",
            _ => "the store was not closed properly: ",
        };
        self.complaints.push(store_failed(store, what, fault));
        self.exit = Exit::StoreFailed;
        self
    }

    /// Adds findings, a line each, which make the exit code 1.
    pub(crate) fn and_found(mut self, findings: Vec<String>) -> Self {
        if self.exit == Exit::Done && !findings.is_empty() {
            self.exit = Exit::Refused;
        }
        self.complaints.extend(findings.iter().map(|it| Escaped(it).to_string()));
        self
    }

    /// Prints the report, each part on its stream.
    ///
    /// A reader that closed standard output is no error.
    pub(crate) fn print(self, out: &mut impl Write, err: &mut impl Write) -> Exit {
        let written = match &self.answer {
            Some(answer) => writeln!(out, "{answer}").and_then(|()| out.flush()),
            None => Ok(()),
        };
        // If this cannot be written, the exit code still shows the failure.
        for complaint in &self.complaints {
            let _ = err.write_all(format!("{complaint}\n").as_bytes());
        }
        match (written, self.exit) {
            (Ok(()), exit) => exit,
            (Err(error), Exit::Done) => not_written(&error, err),
            (Err(error), exit) => {
                not_written(&error, err);
                exit
            }
        }
    }
}

/// Reports that the output could not be written. A reader that has closed the pipe is no error.
pub(crate) fn not_written(error: &io::Error, err: &mut impl Write) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    let line = format!("error: done, but the answer was not written: {error}\n");
    let _ = err.write_all(line.as_bytes());
    Exit::AnswerLost
}

/// Formats a fault of the store as a line: the store, the fault and its causes.
fn store_failed(store: &dyn Display, what: &str, fault: &dyn Error) -> String {
    failed(&store.to_string(), what, fault)
}

fn failed(place: &str, what: &str, fault: &dyn Error) -> String {
    Escaped(&format!("error: '{place}': {what}{}", with_causes(fault))).to_string()
}

#[cfg(test)]
mod tests;
