//! The sweep of admissions that no window counts.

use custom_models_core::store::{Admission, AdmissionRun};
use custom_models_core::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{INSERT, Key, NEWEST, PUT_NEWEST, find, put, run};

pub(crate) const NEXT_WINDOW: &str = "SELECT key, operation FROM windows
    WHERE (key, operation) > (?1, ?2) ORDER BY key, operation LIMIT 1";

/// The windows with admissions in the future. Reads the whole table, which is small.
const IN_FUTURE: &str = "SELECT key, operation FROM windows WHERE at > ?1";

/// The statements on the runs of a window in one table.
struct Table {
    first: &'static str,
    later: &'static str,
    put: &'static str,
    delete: &'static str,
}

const ADMISSIONS: Table = Table {
    first: runs!("admissions", "ORDER BY at, number LIMIT 1"),
    later: runs!("admissions", "AND at > ?3"),
    put: INSERT,
    delete: "DELETE FROM admissions
        WHERE key = ?1 AND operation = ?2 AND at = ?3 AND number = ?4",
};

const WINDOWS: Table = Table {
    first: NEWEST,
    later: runs!("windows", "AND at > ?3"),
    put: PUT_NEWEST,
    delete: "DELETE FROM windows
        WHERE key = ?1 AND operation = ?2 AND at = ?3 AND number = ?4",
};

/// Deletes at most `limit` admissions made until `until`, window by window, and moves those later
/// than `now` to `now`. Returns the number of deleted ones. A damaged row ends it between two rows.
pub(crate) fn sweep(
    connection: &Connection,
    until: UnixMillis,
    now: UnixMillis,
    limit: u32,
) -> rusqlite::Result<u64> {
    move_to_now(connection, now)?;
    let limit = u64::from(limit);
    let mut swept = 0;
    // Before every window: no key is empty.
    let mut last = OwnedKey::default();
    while swept < limit
        && let Some(found) = connection
            .prepare_cached(NEXT_WINDOW)?
            .query_row((&last.0, &last.1), owned_key)
            .optional()?
    {
        let window = (found.0.as_slice(), found.1.as_str());
        for table in [ADMISSIONS, WINDOWS] {
            swept += table.delete_until(connection, window, until, limit - swept)?;
        }
        last = found;
    }
    Ok(swept)
}

/// The key of a window and its operation, owned.
type OwnedKey = (Vec<u8>, String);

fn owned_key(row: &Row<'_>) -> rusqlite::Result<OwnedKey> {
    Ok((row.get(0)?, row.get(1)?))
}

/// Moves the admissions later than `now` to `now`.
fn move_to_now(connection: &Connection, now: UnixMillis) -> rusqlite::Result<()> {
    let found = connection
        .prepare_cached(IN_FUTURE)?
        .query_map([now.unix_millis()], owned_key)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (key, operation) in &found {
        for table in [ADMISSIONS, WINDOWS] {
            table.move_to_now(connection, (key, operation), now)?;
        }
    }
    Ok(())
}

impl Table {
    /// Deletes at most `limit` admissions of a window made until `until`. Returns their number.
    fn delete_until(
        &self,
        connection: &Connection,
        window: Key<'_>,
        until: UnixMillis,
        limit: u64,
    ) -> rusqlite::Result<u64> {
        let mut deleted = 0;
        while let Some(run) = find(connection, self.first, window)? {
            let count = run.count_until(until).min(limit - deleted);
            if count == 0 {
                break;
            }
            deleted += count;
            self.remove(connection, window, &run)?;
            if let Some(rest) = run.without_first(count) {
                put(connection, self.put, window, &rest)?;
            }
        }
        Ok(deleted)
    }

    fn move_to_now(
        &self,
        connection: &Connection,
        window: Key<'_>,
        now: UnixMillis,
    ) -> rusqlite::Result<()> {
        let (key, operation) = window;
        let later = connection
            .prepare_cached(self.later)?
            .query_map(params![key, operation, now.unix_millis()], run)?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for mut run in later {
            self.remove(connection, window, &run)?;
            run.move_to(now);
            put(connection, self.put, window, &run)?;
        }
        Ok(())
    }

    fn remove(
        &self,
        connection: &Connection,
        (key, operation): Key<'_>,
        run: &AdmissionRun,
    ) -> rusqlite::Result<()> {
        let Admission { number, at } = run.last();
        let parameters = params![key, operation, at.unix_millis(), number];
        connection.prepare_cached(self.delete)?.execute(parameters).map(drop)
    }
}
