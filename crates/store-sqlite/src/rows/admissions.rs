//! Rows of `admissions`. Those of a window are sorted by time, which is also the order of their
//! numbers.

use std::collections::HashMap;

use custom_models_core::access::Window;
use custom_models_core::store::{Admission, AdmissionRows, AdmissionRowsMut};
use custom_models_core::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Params, params};

use crate::error::{WriteError, damaged};

macro_rules! admissions {
    ($rest:literal) => {
        concat!("SELECT number, at FROM admissions WHERE key = ?1 AND operation = ?2 ", $rest)
    };
}

pub(crate) const LAST: &str = admissions!("ORDER BY at DESC, number DESC LIMIT 1");
pub(crate) const FIRST_AFTER: &str = admissions!("AND at > ?3 ORDER BY at, number LIMIT 1");
const NUMBERED: &str = admissions!("AND number >= ?3 ORDER BY at, number LIMIT 1");
pub(crate) const DELETE_FIRST: &str =
    "DELETE FROM admissions WHERE key = ?1 AND operation = ?2 AND (at, number) IN
    (SELECT at, number FROM admissions WHERE key = ?1 AND operation = ?2 AND at <= ?3
    ORDER BY at, number LIMIT ?4)";

/// The last admission of each window that a transaction has touched.
pub(crate) type LastAdmissions = HashMap<Window, Admission>;

/// The admissions as a transaction sees them.
pub(crate) struct Admissions<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) last_admissions: &'a mut LastAdmissions,
}

impl Admissions<'_> {
    fn find(&self, sql: &str, parameters: impl Params) -> Result<Option<Admission>, WriteError> {
        let found = self.connection.prepare_cached(sql)?.query_row(parameters, |row| {
            let number: u64 = row.get(0)?;
            Ok(Admission { number, at: UnixMillis::from_unix_millis(row.get(1)?) })
        });
        let found = found.optional()?;
        match found {
            Some(Admission { number: 0, .. }) => {
                Err(damaged("an admission without a number").into())
            }
            found => Ok(found),
        }
    }
}

impl AdmissionRows for Admissions<'_> {
    type Error = WriteError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, WriteError> {
        if let Some(last) = self.last_admissions.get(window) {
            return Ok(Some(*last));
        }
        self.find(LAST, (window.key.as_bytes(), window.operation.as_str()))
    }

    fn first_after(
        &mut self,
        Window { key, operation }: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, WriteError> {
        self.find(FIRST_AFTER, (key.as_bytes(), operation.as_str(), after.unix_millis()))
    }

    fn numbered(
        &mut self,
        Window { key, operation }: &Window,
        number: u64,
    ) -> Result<Option<Admission>, WriteError> {
        self.find(NUMBERED, params![key.as_bytes(), operation.as_str(), number])
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), WriteError> {
        let (Window { key, operation }, Admission { number, at }) = (window, admission);
        self.connection
            .prepare_cached(
                "INSERT INTO admissions (key, operation, at, number) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![key.as_bytes(), operation.as_str(), at.unix_millis(), number])?;
        self.last_admissions.insert(*window, admission);
        Ok(())
    }

    fn delete_first(
        &mut self,
        Window { key, operation }: &Window,
        until: UnixMillis,
        most: u32,
    ) -> Result<(), WriteError> {
        self.connection.prepare_cached(DELETE_FIRST)?.execute(params![
            key.as_bytes(),
            operation.as_str(),
            until.unix_millis(),
            most
        ])?;
        Ok(())
    }
}

pub(crate) const FIRST_WINDOW: &str =
    "SELECT key, operation FROM admissions ORDER BY key, operation LIMIT 1";
pub(crate) const NEXT_WINDOW: &str = "SELECT key, operation FROM admissions
    WHERE (key, operation) > (?1, ?2) ORDER BY key, operation LIMIT 1";
pub(crate) const MOVE_TO_NOW: &str =
    "UPDATE admissions SET at = ?3 WHERE key = ?1 AND operation = ?2 AND at > ?3";

/// Deletes at most `limit` admissions made until `until`, window by window, and moves those later
/// than `now` to `now`. Returns the number of deleted ones.
pub(crate) fn sweep(
    connection: &Connection,
    until: UnixMillis,
    now: UnixMillis,
    limit: u32,
) -> rusqlite::Result<u64> {
    let window = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let mut next: Option<(Vec<u8>, String)> =
        connection.prepare_cached(FIRST_WINDOW)?.query_row([], window).optional()?;
    let mut swept = 0;
    while let Some((key, operation)) = next {
        let left = u64::from(limit).saturating_sub(swept);
        let deleted = connection.prepare_cached(DELETE_FIRST)?.execute(params![
            key,
            operation,
            until.unix_millis(),
            left
        ])?;
        swept += deleted as u64;
        connection.prepare_cached(MOVE_TO_NOW)?.execute(params![
            key,
            operation,
            now.unix_millis()
        ])?;
        next = connection
            .prepare_cached(NEXT_WINDOW)?
            .query_row(params![key, operation], window)
            .optional()?;
    }
    Ok(swept)
}
