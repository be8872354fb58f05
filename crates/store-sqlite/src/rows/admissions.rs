//! Rows of `windows` and `admissions`. The newest admissions of each window are a row of `windows`;
//! the runs before them are rows of `admissions`, sorted by time, which is also the order of their
//! numbers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use custom_models_core::access::Window;
use custom_models_core::store::{Admission, AdmissionRows, AdmissionRowsMut, AdmissionRun};
use custom_models_core::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::error::{WriteError, damaged};

macro_rules! runs {
    ($table:literal, $rest:literal) => {
        concat!(
            "SELECT number, at, earlier FROM ",
            $table,
            " WHERE key = ?1 AND operation = ?2 ",
            $rest
        )
    };
}

pub(crate) mod sweep;

pub(crate) const NEWEST: &str = runs!("windows", "");
pub(crate) const FIRST_AFTER: &str = runs!("admissions", "AND at > ?3 ORDER BY at, number LIMIT 1");
const NUMBERED: &str = runs!("admissions", "AND number >= ?3 ORDER BY at, number LIMIT 1");
const PUT_NEWEST: &str = "INSERT INTO windows (key, operation, at, number, earlier)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key, operation) DO UPDATE
    SET at = excluded.at, number = excluded.number, earlier = excluded.earlier";
const INSERT: &str = "INSERT INTO admissions (key, operation, at, number, earlier)
    VALUES (?1, ?2, ?3, ?4, ?5)";
pub(crate) const DELETE_FIRST: &str =
    "DELETE FROM admissions WHERE key = ?1 AND operation = ?2 AND (at, number) IN
    (SELECT at, number FROM admissions WHERE key = ?1 AND operation = ?2 AND at <= ?3
    ORDER BY at, number LIMIT 1)";

/// The key of a window and its operation.
type Key<'a> = (&'a [u8], &'a str);

fn key_of(window: &Window) -> Key<'_> {
    (window.key.as_bytes(), window.operation.as_str())
}

/// The newest admissions of the windows that a transaction has touched.
#[derive(Default)]
pub(crate) struct Windows(HashMap<Window, Newest>);

struct Newest {
    run: AdmissionRun,
    has_changed: bool,
}

impl Windows {
    /// Writes those that have changed.
    pub(crate) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut changed = self.0.iter().filter(|(_, newest)| newest.has_changed);
        changed.try_for_each(|(window, newest)| {
            put(connection, PUT_NEWEST, key_of(window), &newest.run)
        })
    }

    /// Forgets all of them, so that they are read again.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The admissions as a transaction sees them.
pub(crate) struct Admissions<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) windows: &'a mut Windows,
}

impl Admissions<'_> {
    fn newest(&mut self, window: &Window) -> Result<Option<&mut Newest>, WriteError> {
        match self.windows.0.entry(*window) {
            Entry::Occupied(entry) => Ok(Some(entry.into_mut())),
            Entry::Vacant(entry) => {
                let run = find(self.connection, NEWEST, key_of(window))?;
                Ok(run.map(|run| entry.insert(Newest { run, has_changed: false })))
            }
        }
    }
}

impl AdmissionRows for Admissions<'_> {
    type Error = WriteError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>, WriteError> {
        Ok(self.newest(window)?.map(|newest| newest.run.last()))
    }

    fn first_after(
        &mut self,
        window: &Window,
        after: UnixMillis,
    ) -> Result<Option<Admission>, WriteError> {
        let Some(newest) = self.newest(window)? else { return Ok(None) };
        let in_newest = newest.run.first_after(after);
        if newest.run.first().at <= after {
            return Ok(in_newest);
        }
        let (key, operation) = key_of(window);
        let run = find(self.connection, FIRST_AFTER, (key, operation, after.unix_millis()))?;
        let found = run.and_then(|run| run.first_after(after));
        Ok(found.or(in_newest))
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>, WriteError> {
        let Some(newest) = self.newest(window)? else { return Ok(None) };
        let in_newest = newest.run.first_from(number);
        if newest.run.first().number <= number {
            return Ok(in_newest);
        }
        let (key, operation) = key_of(window);
        let run = find(self.connection, NUMBERED, (key, operation, number))?;
        let found = run.and_then(|run| run.first_from(number));
        Ok(found.or(in_newest))
    }
}

impl AdmissionRowsMut for Admissions<'_> {
    /// Adds an admission to the newest of its window, which are written with the group.
    fn insert(&mut self, window: &Window, admission: Admission) -> Result<(), WriteError> {
        let Some(newest) = self.newest(window)? else {
            let newest = Newest { run: AdmissionRun::new(admission), has_changed: true };
            self.windows.0.insert(*window, newest);
            return Ok(());
        };
        newest.has_changed = true;
        if let Some(complete) = newest.run.push(admission) {
            put(self.connection, INSERT, key_of(window), &complete)?;
        }
        Ok(())
    }

    /// Deletes the oldest run, if it has left the window: no run is longer than `most`.
    fn delete_first(
        &mut self,
        window: &Window,
        until: UnixMillis,
        _most: u32,
    ) -> Result<(), WriteError> {
        let (key, operation) = key_of(window);
        let parameters = (key, operation, until.unix_millis());
        self.connection.prepare_cached(DELETE_FIRST)?.execute(parameters)?;
        Ok(())
    }
}

fn find(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> rusqlite::Result<Option<AdmissionRun>> {
    connection.prepare_cached(sql)?.query_row(parameters, run).optional()
}

fn run(row: &Row<'_>) -> rusqlite::Result<AdmissionRun> {
    let last = Admission { number: row.get(0)?, at: UnixMillis::from_unix_millis(row.get(1)?) };
    let earlier = row.get_ref(2)?.as_blob()?;
    AdmissionRun::from_bytes(last, earlier).ok_or_else(|| damaged("invalid admissions"))
}

fn put(
    connection: &Connection,
    sql: &str,
    (key, operation): Key<'_>,
    run: &AdmissionRun,
) -> rusqlite::Result<()> {
    let Admission { number, at } = run.last();
    let parameters = params![key, operation, at.unix_millis(), number, run.earlier_to_bytes()];
    connection.prepare_cached(sql)?.execute(parameters).map(drop)
}
