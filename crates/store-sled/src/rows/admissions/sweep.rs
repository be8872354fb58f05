//! The sweep of admissions that no window counts.

use custom_models_core::access::Window;
use custom_models_core::store::{AdmissionRun, StoreError};
use custom_models_core::time::UnixMillis;
use sled::Db;

use super::{
    NEWEST, PAGE, keys_after, newest_from_bytes, newest_key, newest_to_bytes, older_from_row,
    older_key, older_keys, older_prefix, window_of,
};
use crate::rows::overflow::Edits;
use crate::rows::range::Rows;
use crate::rows::write_set::WriteSet;

/// Adds the edits that delete at most `limit` admissions made until `until`, window by window, and move
/// those later than `now` to `now`. Returns the number of deleted ones.
pub(crate) fn sweep(
    db: &Db,
    changes: &WriteSet,
    edits: &mut Edits,
    until: UnixMillis,
    now: UnixMillis,
    limit: u32,
) -> Result<u64, StoreError> {
    let limit = u64::from(limit);
    let mut sweep = Sweep { db, changes, edits, until, now, left: limit };
    let mut begin = NEWEST.to_vec();
    loop {
        let windows = changes.first_rows(db, begin..b"o".to_vec(), PAGE)?;
        for (key, row) in &windows {
            sweep.window(&window_of(key)?, newest_from_bytes(row)?)?;
        }
        match windows.last() {
            Some((last, _)) if windows.len() == PAGE => begin = [last.as_slice(), b"\0"].concat(),
            _ => return Ok(limit - sweep.left),
        }
    }
}

struct Sweep<'a> {
    db: &'a Db,
    changes: &'a WriteSet,
    edits: &'a mut Edits,
    until: UnixMillis,
    now: UnixMillis,
    /// The number of admissions that may still be deleted.
    left: u64,
}

impl Sweep<'_> {
    fn window(&mut self, window: &Window, newest: AdmissionRun) -> Result<(), StoreError> {
        let is_in_future = newest.last().at > self.now;
        if self.left == 0 && !is_in_future {
            return Ok(());
        }
        for (key, row) in self.older_rows(window, is_in_future)? {
            let before = older_from_row(&key, &row)?;
            let after = self.after(&before);
            if after.as_ref() != Some(&before) {
                self.edits.push((key, None));
                self.edits.extend(
                    after.map(|run| (older_key(window, run.last()), Some(run.earlier_to_bytes()))),
                );
            }
        }
        let after = self.after(&newest);
        if after.as_ref() != Some(&newest) {
            self.edits.push((newest_key(window), after.as_ref().map(newest_to_bytes)));
        }
        Ok(())
    }

    /// Reads the older rows of a window that may change.
    fn older_rows(&self, window: &Window, is_in_future: bool) -> Result<Rows, StoreError> {
        if is_in_future {
            return self.changes.first_rows(self.db, older_keys(window), usize::MAX);
        }
        let later = keys_after(window, self.until);
        let old = older_prefix(window)..later.start.clone();
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let mut rows = self.changes.first_rows(self.db, old, left)?;
        // The run that begins before `until`, and ends later.
        rows.extend(self.changes.first_rows(self.db, later, 1)?);
        Ok(rows)
    }

    /// Returns what the sweep leaves of a run, and counts what it deletes.
    fn after(&mut self, run: &AdmissionRun) -> Option<AdmissionRun> {
        let count = run.count_until(self.until).min(self.left);
        self.left -= count;
        let mut run = run.clone().without_first(count)?;
        run.move_to(self.now);
        Some(run)
    }
}
