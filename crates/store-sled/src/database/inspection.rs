//! The inspection of a folder before sled opens it. Opening may overwrite data that could be
//! recovered.

use std::error::Error;

use custom_models_core::store::{StoreError, StoreErrorKind};

use crate::database::backend::{Backend, Disk};
use crate::database::folder::Folder;
use crate::database::log_scan::{Log, scan};
use crate::database::recognition::recognise;
use crate::database::watermark::{self, ADVICE, Mark, Stored, WATERMARK};
use crate::error::{call_sled, io_error};
use crate::rows::consistency::contradictions;

/// The result of the inspection of a folder.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    /// The watermark: the least that the database must have. `None` if there is none.
    pub(crate) mark: Option<Mark>,
    /// Findings for `verify`, a sentence each.
    pub(crate) findings: Vec<String>,
}

/// Inspects a folder. Refuses it if the database has lost groups. Writes nothing.
pub(crate) fn inspect(folder: &Folder) -> Result<Inspection, StoreError> {
    let mut findings = Vec::new();
    let mark = match watermark::find(folder.path()).map_err(io_error)? {
        Stored::Mark { mark, is_whole, .. } => {
            if !is_whole {
                findings.push(format!("one of the two places of `{WATERMARK}` is damaged"));
            }
            mark
        }
        Stored::Damaged => {
            let cause = format!(
                "`{WATERMARK}`, which says how much the database must have, is damaged; {ADVICE}"
            );
            return Err(StoreError::new(StoreErrorKind::Damaged, cause));
        }
        Stored::Nothing => {
            if !folder.needs_marking() {
                findings.push(format!("`{WATERMARK}` was missing, so what was lost is not seen"));
            }
            return Ok(Inspection { mark: None, findings });
        }
    };
    if folder.has_log() {
        check_log(folder, &mark)?;
    }
    Ok(Inspection { mark: Some(mark), findings })
}

fn check_log(folder: &Folder, mark: &Mark) -> Result<(), StoreError> {
    // A crash can only cut off a store that was open.
    let was_closed = mark.log_end > 0;
    let log = scan(folder.path(), &folder.log()).map_err(io_error)?;
    let is_doubtful = match log {
        Log::Ends { at, has_rest } => at < mark.log_end || (has_rest && at != mark.log_end),
        Log::Torn => true,
        Log::HasGap if was_closed => {
            return Err(lost_error("a message in the middle of sled's log is broken"));
        }
        Log::HasGap => true,
        Log::Broken(what) => return Err(lost_error(what)),
    };
    if is_doubtful { check_copy(folder, mark, log == Log::HasGap) } else { Ok(()) }
}

fn lost_error(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, format!("{what}; {ADVICE}"))
}

/// Lets sled open a private copy, and checks it against the watermark; with `all_rows`, checks all
/// rows too.
fn check_copy(folder: &Folder, mark: &Mark, all_rows: bool) -> Result<(), StoreError> {
    let mut copy = folder.private_copy()?;
    let opened = Disk.open(&copy).map_err(|error| unreadable_error(error, mark))?;
    let judged = recognise(&Disk, &opened, &mut copy, Some(mark)).and_then(|_| {
        let found = if all_rows { contradictions(&opened.db) } else { Vec::new() };
        found.first().map_or(Ok(()), |first| Err(lost_error(first)))
    });
    call_sled(|| {
        drop(opened);
        Ok(())
    })?;
    copy.wait_for_log();
    judged
}

/// The error of a database that sled cannot open, with its watermark.
fn unreadable_error(error: StoreError, mark: &Mark) -> StoreError {
    if error.kind() != StoreErrorKind::Damaged {
        return error;
    }
    let cause = error.source().map_or_else(String::new, ToString::to_string);
    let text = format!(
        "{cause}; the database had {mark}; nothing was overwritten: restore a copy of the folder"
    );
    StoreError::new(StoreErrorKind::Damaged, text)
}
