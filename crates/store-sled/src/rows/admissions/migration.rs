//! The rows of admissions in earlier layouts: one key each, without a value.
//!
//! In layout 4 a key was `w`, and the rest as of a run with one admission. Up to layout 3 a key was
//! `a`, the id of an API key (6 bytes), the operation, a zero, the time, and a number that
//! distinguished admissions of one millisecond (4 bytes).

use custom_models_core::access::{Operation, Window, WindowKey};
use custom_models_core::store::{Admission, AdmissionRun, StoreError};
use custom_models_core::time::UnixMillis;
use sled::{Batch, Db};

use super::{
    NEWEST, OLDER, PAGE, newest_key, newest_to_bytes, older_from_row, older_key, window_of,
};
use crate::error::{call_sled, damaged};
use crate::rows::keys::moment_from_bytes;

/// The key prefix of layout 4.
const FOURTH: &[u8] = b"w";

/// The key prefix of layouts 1 to 3.
const THIRD: &[u8] = b"a";

/// The batches that convert the rows of an earlier layout. The first remove what an interrupted
/// migration left behind.
pub(crate) fn batches(db: &Db, is_of_layout_4: bool) -> Result<Vec<Batch>, StoreError> {
    let mut rows = Rows::default();
    for prefix in [NEWEST, OLDER] {
        each(db, prefix, |key| {
            rows.next_batch().remove(key);
            Ok(())
        })?;
    }
    if is_of_layout_4 {
        each(db, FOURTH, |key| {
            rows.admit(window_of(key)?, older_from_row(key, &[])?.last());
            Ok(())
        })?;
    } else {
        each(db, THIRD, |key| {
            let (window, at) = third_from_key(key)?;
            let last = rows.newest.as_ref().filter(|(of, _)| *of == window);
            let number = last.map_or(0, |(_, run)| run.last().number) + 1;
            rows.admit(window, Admission { number, at });
            Ok(())
        })?;
    }
    rows.end_window();
    let Rows { mut batches, batch, .. } = rows;
    batches.push(batch);
    Ok(batches)
}

/// The rows of admissions in their order, in batches.
#[derive(Default)]
struct Rows {
    batches: Vec<Batch>,
    batch: Batch,
    /// The number of rows in `batch`.
    rows: usize,
    newest: Option<(Window, AdmissionRun)>,
}

impl Rows {
    /// The batch of the next row.
    fn next_batch(&mut self) -> &mut Batch {
        if self.rows == PAGE {
            self.batches.push(std::mem::take(&mut self.batch));
            self.rows = 0;
        }
        self.rows += 1;
        &mut self.batch
    }

    fn admit(&mut self, window: Window, admission: Admission) {
        if let Some((of, run)) = &mut self.newest
            && *of == window
        {
            if let Some(complete) = run.push(admission) {
                let key = older_key(&window, complete.last());
                self.next_batch().insert(key, complete.earlier_to_bytes());
            }
            return;
        }
        self.end_window();
        self.newest = Some((window, AdmissionRun::new(admission)));
    }

    fn end_window(&mut self) {
        if let Some((window, run)) = self.newest.take() {
            self.next_batch().insert(newest_key(&window), newest_to_bytes(&run));
        }
    }
}

/// A batch that removes the rows of earlier layouts; `None` if there are none.
pub(crate) fn removal(db: &Db) -> Result<Option<Batch>, StoreError> {
    let mut batch = None;
    for prefix in [THIRD, FOURTH] {
        each(db, prefix, |key| {
            batch.get_or_insert_with(Batch::default).remove(key);
            Ok(())
        })?;
    }
    Ok(batch)
}

fn each(
    db: &Db,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut rows = db.scan_prefix(prefix);
    while let Some((key, _)) = call_sled(|| rows.next().transpose())? {
        visit(&key)?;
    }
    Ok(())
}

fn third_from_key(key: &[u8]) -> Result<(Window, UnixMillis), StoreError> {
    let parts = || {
        let (id, rest) = key.strip_prefix(THIRD)?.split_first_chunk::<6>()?;
        let (rest, _) = rest.split_last_chunk::<4>()?;
        let (operation, at) = rest.split_last_chunk::<8>()?;
        let operation: Operation =
            str::from_utf8(operation.strip_suffix(b"\0")?).ok()?.parse().ok()?;
        let window = Window { key: WindowKey::new(id).ok()?, operation };
        Some((window, moment_from_bytes(*at)))
    };
    parts().ok_or_else(|| damaged("an admission without a time"))
}
