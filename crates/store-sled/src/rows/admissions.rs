//! Rows of admissions: one key each, without a value. One row per window could grow to a size at
//! which sled writes files that it never syncs.
//!
//! A key is `w`, the window's key after its length (1 byte), the operation, a zero, the time of the
//! admission and its number (8 bytes each). So the admissions of a window are sorted by time, which
//! is also the order of their numbers. Up to layout 3 a key was `a`, the id of an API key (6
//! bytes), the operation, a zero, the time, and a number that distinguished admissions of one
//! millisecond (4 bytes).

use std::ops::Range;

use custom_models_core::access::{Operation, Window, WindowKey};
use custom_models_core::store::{Admission, AdmissionRows, AdmissionRowsMut, StoreError};
use custom_models_core::time::UnixMillis;
use sled::{Batch, Db};

use crate::error::{call_sled, damaged};
use crate::rows::keys::{moment_from_bytes, moment_to_bytes};
use crate::rows::overflow::Edits;
use crate::rows::write_set::WriteSet;

/// The number of rows read or written at a time.
const PAGE: usize = 1000;

/// The prefix of the keys of a window's admissions.
pub(crate) fn window_prefix(window: &Window) -> Vec<u8> {
    let (key, operation) = (window.key.as_bytes(), window.operation.as_str());
    let length = u8::try_from(key.len()).unwrap_or(u8::MAX);
    [b"w", &[length][..], key, operation.as_bytes(), b"\0"].concat()
}

fn key_of(window: &Window, Admission { number, at }: Admission) -> Vec<u8> {
    [window_prefix(window).as_slice(), &moment_to_bytes(at), &number.to_be_bytes()].concat()
}

/// All keys of a window.
fn keys_of(window: &Window) -> Range<Vec<u8>> {
    let begin = window_prefix(window);
    let end = [begin.as_slice(), &[u8::MAX; 17]].concat();
    begin..end
}

/// The keys of a window with times after `after`.
fn keys_after(window: &Window, after: UnixMillis) -> Range<Vec<u8>> {
    let Range { start, end } = keys_of(window);
    let begin = [start.as_slice(), &moment_to_bytes(after), &[u8::MAX; 9]].concat();
    begin..end
}

fn admission_of(key: &[u8]) -> Result<Admission, StoreError> {
    let parts = || {
        let (rest, number) = key.split_last_chunk()?;
        let at = moment_from_bytes(*rest.last_chunk()?);
        Some(Admission { number: u64::from_be_bytes(*number), at })
    };
    let admission = parts().filter(|admission| admission.number > 0);
    admission.ok_or_else(|| damaged("an admission without a number"))
}

/// The admissions as a group sees them, with the edits of a write.
pub(crate) struct Admissions<'a> {
    pub(crate) db: &'a Db,
    pub(crate) changes: &'a WriteSet,
    /// The edits of the write, not yet part of the changes.
    pub(crate) edits: &'a mut Edits,
}

impl AdmissionRows for Admissions<'_> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, StoreError> {
        let last = self.changes.last_key(self.db, &window_prefix(window))?;
        last.map(|key| admission_of(&key)).transpose()
    }

    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, StoreError> {
        let first = self.changes.first_keys(self.db, keys_after(window, after), 1)?;
        first.first().map(|key| admission_of(key)).transpose()
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        let Range { start: mut begin, end } = keys_of(window);
        loop {
            let keys = self.changes.first_keys(self.db, begin..end.clone(), PAGE)?;
            for key in &keys {
                let admission = admission_of(key)?;
                if admission.number >= number {
                    return Ok(Some(admission));
                }
            }
            match keys.last() {
                Some(last) if keys.len() == PAGE => begin = [last.as_slice(), b"\0"].concat(),
                _ => return Ok(None),
            }
        }
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), StoreError> {
        self.edits.push((key_of(window, admission), Some(Vec::new())));
        Ok(())
    }

    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        most: u32,
    ) -> Result<(), StoreError> {
        let old = window_prefix(window)..keys_after(window, until).start;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let old = self.changes.first_keys(self.db, old, most)?;
        self.edits.extend(old.into_iter().map(|key| (key, None)));
        Ok(())
    }
}

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
    let (mut begin, mut swept) = (b"w".to_vec(), 0);
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    while let Some(first) = changes.first_keys(db, begin..b"x".to_vec(), 1)?.into_iter().next() {
        let window = window_of(&first)?;
        let old = window_prefix(&window)..keys_after(&window, until).start;
        let old = changes.first_keys(db, old, left)?;
        left -= old.len();
        swept += old.len() as u64;
        edits.extend(old.into_iter().map(|key| (key, None)));
        for key in changes.first_keys(db, keys_after(&window, now), usize::MAX)? {
            let admission = Admission { at: now, ..admission_of(&key)? };
            edits.push((key, None));
            edits.push((key_of(&window, admission), Some(Vec::new())));
        }
        begin = keys_of(&window).end;
    }
    Ok(swept)
}

fn window_of(key: &[u8]) -> Result<Window, StoreError> {
    let parts = || {
        let (length, rest) = key.strip_prefix(b"w")?.split_first()?;
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        let operation = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
        let operation = str::from_utf8(operation).ok()?.parse().ok()?;
        Some(Window { key: WindowKey::new(key).ok()?, operation })
    };
    parts().ok_or_else(|| damaged("an admission without a window"))
}

/// The batches that convert the rows of layout 3. The first remove what an interrupted migration
/// left behind.
pub(crate) fn migration_from_v3(db: &Db) -> Result<Vec<Batch>, StoreError> {
    let mut batches = batches(db, b"w", |batch, key| {
        batch.remove(key);
        Ok(())
    })?;
    let mut before: Option<(Window, u64)> = None;
    batches.extend(self::batches(db, b"a", |batch, key| {
        let (window, at) = old_admission_of(key)?;
        let number = before.filter(|(of, _)| *of == window).map_or(1, |(_, number)| number + 1);
        before = Some((window, number));
        batch.insert(key_of(&window, Admission { number, at }), &[]);
        Ok(())
    })?);
    Ok(batches)
}

/// A batch that removes the rows of layout 3; `None` if there are none.
pub(crate) fn removal_of_v3(db: &Db) -> Result<Option<Batch>, StoreError> {
    let mut rows = db.scan_prefix(b"a");
    let mut batch = None;
    while let Some((key, _)) = call_sled(|| rows.next().transpose())? {
        batch.get_or_insert_with(Batch::default).remove(key);
    }
    Ok(batch)
}

fn batches(
    db: &Db,
    prefix: &[u8],
    mut add: impl FnMut(&mut Batch, &[u8]) -> Result<(), StoreError>,
) -> Result<Vec<Batch>, StoreError> {
    let (mut batches, mut batch, mut rows) = (Vec::new(), Batch::default(), 0);
    let mut found = db.scan_prefix(prefix);
    while let Some((key, _)) = call_sled(|| found.next().transpose())? {
        add(&mut batch, &key)?;
        rows += 1;
        if rows == PAGE {
            batches.push(std::mem::take(&mut batch));
            rows = 0;
        }
    }
    if rows > 0 {
        batches.push(batch);
    }
    Ok(batches)
}

fn old_admission_of(key: &[u8]) -> Result<(Window, UnixMillis), StoreError> {
    let parts = || {
        let (id, rest) = key.strip_prefix(b"a")?.split_first_chunk::<6>()?;
        let (rest, _) = rest.split_last_chunk::<4>()?;
        let (operation, at) = rest.split_last_chunk::<8>()?;
        let operation: Operation =
            str::from_utf8(operation.strip_suffix(b"\0")?).ok()?.parse().ok()?;
        let window = Window { key: WindowKey::new(id).ok()?, operation };
        Some((window, moment_from_bytes(*at)))
    };
    parts().ok_or_else(|| damaged("an admission without a time"))
}

#[cfg(test)]
mod tests;
