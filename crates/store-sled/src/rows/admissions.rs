//! Rows of admissions. A row has up to eight consecutive admissions of a window, since each row of a
//! group costs about the same. One row per window could grow to a size at which sled writes files
//! that it never syncs.
//!
//! The newest admissions of a window are one row. Its key is `n`, the window's key after its length
//! (1 byte), the operation, and a zero; its value is the time of the last admission and its number
//! (8 bytes each), and the times of those before it. The key of each row before has `p` in the place
//! of `n`, and ends with the time and the number of its last admission; its value is the times of
//! the others. So the admissions of a window are sorted by time, which is also the order of their
//! numbers.

use std::ops::Range;

use custom_models_core::access::{Window, WindowKey};
use custom_models_core::store::{
    Admission, AdmissionRows, AdmissionRowsMut, AdmissionRun, StoreError,
};
use custom_models_core::time::UnixMillis;
use sled::Db;

use crate::error::damaged;
use crate::rows::keys::{moment_from_bytes, moment_to_bytes};
use crate::rows::overflow::Edits;
use crate::rows::write_set::WriteSet;

pub(crate) mod migration;
pub(crate) mod sweep;

/// The number of rows read or written at a time.
const PAGE: usize = 1000;

/// The key prefix of the newest admissions.
const NEWEST: &[u8] = b"n";

/// The key prefix of all others.
const OLDER: &[u8] = b"p";

/// The key of the newest admissions of a window.
pub(crate) fn newest_key(window: &Window) -> Vec<u8> {
    key_below(NEWEST, window)
}

/// The prefix of the keys of a window's older admissions.
pub(crate) fn older_prefix(window: &Window) -> Vec<u8> {
    key_below(OLDER, window)
}

fn key_below(kind: &[u8], window: &Window) -> Vec<u8> {
    let (key, operation) = (window.key.as_bytes(), window.operation.as_str());
    let length = u8::try_from(key.len()).unwrap_or(u8::MAX);
    [kind, &[length], key, operation.as_bytes(), b"\0"].concat()
}

/// The key of a run of older admissions, by its last one.
fn older_key(window: &Window, Admission { number, at }: Admission) -> Vec<u8> {
    [older_prefix(window).as_slice(), &moment_to_bytes(at), &number.to_be_bytes()].concat()
}

/// All keys of a window's older admissions.
fn older_keys(window: &Window) -> Range<Vec<u8>> {
    let begin = older_prefix(window);
    let end = [begin.as_slice(), &[u8::MAX; 17]].concat();
    begin..end
}

/// The keys of a window's runs that end after `after`.
fn keys_after(window: &Window, after: UnixMillis) -> Range<Vec<u8>> {
    let Range { start, end } = older_keys(window);
    let begin = [start.as_slice(), &moment_to_bytes(after), &[u8::MAX; 9]].concat();
    begin..end
}

fn newest_to_bytes(run: &AdmissionRun) -> Vec<u8> {
    let Admission { number, at } = run.last();
    let (at, number) = (moment_to_bytes(at), number.to_be_bytes());
    [at.as_slice(), &number, &run.earlier_to_bytes()].concat()
}

fn newest_from_bytes(row: &[u8]) -> Result<AdmissionRun, StoreError> {
    row.split_at_checked(16).and_then(|(last, earlier)| run(last, earlier)).ok_or_else(invalid)
}

fn older_from_row(key: &[u8], row: &[u8]) -> Result<AdmissionRun, StoreError> {
    key.last_chunk::<16>().and_then(|last| run(last, row)).ok_or_else(invalid)
}

/// A run by the time and the number of its last admission, and the times of the others.
fn run(last: &[u8], earlier: &[u8]) -> Option<AdmissionRun> {
    let (at, number) = last.split_first_chunk()?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    AdmissionRun::from_bytes(Admission { number, at: moment_from_bytes(*at) }, earlier)
}

fn invalid() -> StoreError {
    damaged("invalid admissions")
}

/// The window in the key of a row of either kind.
fn window_of(key: &[u8]) -> Result<Window, StoreError> {
    let parts = || {
        let (length, rest) = key.get(1..)?.split_first()?;
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        let operation = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
        let operation = str::from_utf8(operation).ok()?.parse().ok()?;
        Some(Window { key: WindowKey::new(key).ok()?, operation })
    };
    parts().ok_or_else(|| damaged("an admission without a window"))
}

/// The newest admissions of the window that was read last.
pub(crate) type Newest = Option<(Window, AdmissionRun)>;

/// The admissions as a group sees them, with the edits of a write.
pub(crate) struct Admissions<'a> {
    pub(crate) db: &'a Db,
    pub(crate) changes: &'a WriteSet,
    /// The edits of the write, not yet part of the changes.
    pub(crate) edits: &'a mut Edits,
    pub(crate) newest: &'a mut Newest,
}

impl Admissions<'_> {
    fn newest(&mut self, window: &Window) -> Result<Option<&mut AdmissionRun>, StoreError> {
        if self.newest.as_ref().is_none_or(|(of, _)| of != window) {
            let row = self.changes.row(self.db, &newest_key(window))?;
            let run = row.map(|row| newest_from_bytes(&row)).transpose()?;
            *self.newest = run.map(|run| (*window, run));
        }
        Ok(self.newest.as_mut().map(|(_, run)| run))
    }
}

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.newest(window)?.map(|run| run.last()))
    }

    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        let Some(newest) = self.newest(window)? else { return Ok(None) };
        let in_newest = newest.first_after(after);
        if newest.first().at <= after {
            return Ok(in_newest);
        }
        let older = self.changes.first_rows(self.db, keys_after(window, after), 1)?;
        let Some((key, row)) = older.first() else { return Ok(in_newest) };
        Ok(older_from_row(key, row)?.first_after(after))
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        let Some(newest) = self.newest(window)? else { return Ok(None) };
        let in_newest = newest.first_from(number);
        if newest.first().number <= number {
            return Ok(in_newest);
        }
        let Range { start: mut begin, end } = older_keys(window);
        loop {
            let rows = self.changes.first_rows(self.db, begin..end.clone(), PAGE)?;
            for (key, row) in &rows {
                let found = older_from_row(key, row)?.first_from(number);
                if found.is_some() {
                    return Ok(found);
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => {
                    begin = [last.as_slice(), b"\0"].concat();
                }
                _ => return Ok(in_newest),
            }
        }
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), StoreError> {
        let mut run = AdmissionRun::new(admission);
        if let Some(newest) = self.newest(window)? {
            let complete = newest.push(admission);
            run = newest.clone();
            self.edits.extend(complete.map(|complete| {
                (older_key(window, complete.last()), Some(complete.earlier_to_bytes()))
            }));
        }
        self.edits.push((newest_key(window), Some(newest_to_bytes(&run))));
        *self.newest = Some((*window, run));
        Ok(())
    }

    /// Deletes the oldest run, if it has left the window: no run is longer than `most`.
    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        _most: u32,
    ) -> Result<(), StoreError> {
        let old = older_prefix(window)..keys_after(window, until).start;
        let oldest = self.changes.first_keys(self.db, old, 1)?;
        self.edits.extend(oldest.into_iter().map(|key| (key, None)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
