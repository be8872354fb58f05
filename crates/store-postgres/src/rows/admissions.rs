//! Rows of `admissions`. Those of a window are sorted by time, which is also the order of their
//! numbers.

use std::time::Duration;

use custom_models_core::access::{KeyDigest, Operation, RateLimit, Window};
use custom_models_core::store::{
    Admission, AdmissionRequest, AdmissionRows, StoreError, WindowState, window_state,
};
use custom_models_core::time::UnixMillis;
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{column, unsigned};
use crate::settings::Clock;

/// The server's time in milliseconds since 1970.
macro_rules! server_time {
    () => {
        "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"
    };
}

/// The rows that decide admissions: the time, and for each window its last admission, the first one
/// still in it, and, if a lowered limit is exceeded, the one that blocks the next request.
macro_rules! window_rows {
    ($asked:literal) => {
        concat!(
            "SELECT w.ask, w.now, last.number, last.at, oldest.number, oldest.at,
                blocking.number, blocking.at
            FROM (SELECT asked.*, coalesce(asked.given, clock.now) AS now FROM ",
            $asked,
            ", (SELECT ",
            server_time!(),
            " AS now) clock
            ) w
            LEFT JOIN LATERAL (SELECT a.number, a.at FROM custom_models.admissions a
                WHERE a.key = w.key AND a.operation = w.operation
                ORDER BY a.at DESC, a.number DESC LIMIT 1) last ON true
            LEFT JOIN LATERAL (SELECT a.number, a.at FROM custom_models.admissions a
                WHERE a.key = w.key AND a.operation = w.operation
                    AND a.at > greatest(w.now, last.at) - w.millis
                ORDER BY a.at, a.number LIMIT 1) oldest ON true
            LEFT JOIN LATERAL (SELECT a.number, a.at FROM custom_models.admissions a
                WHERE last.number - oldest.number >= w.requests
                    AND a.key = w.key AND a.operation = w.operation
                    AND a.number > last.number - w.requests
                ORDER BY a.at, a.number LIMIT 1) blocking ON true
            ORDER BY w.ask"
        )
    };
}

const WINDOW_ROWS: &str = window_rows!(
    "unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        WITH ORDINALITY AS asked (key, operation, requests, millis, given, ask)"
);

/// The same for one window, whose key is given by its digest.
const WINDOW_ROWS_OF_KEY: &str = window_rows!(
    "(SELECT k.id AS key, $2::text AS operation, $3::bigint AS requests, $4::bigint AS millis,
            $5::bigint AS given, 1::bigint AS ask
        FROM custom_models.keys k WHERE k.digest = $1) asked"
);

/// A query about a window: the limit, and the time if it is the caller's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WindowQuery {
    pub(crate) window: Window,
    pub(crate) limit: RateLimit,
    pub(crate) given: Option<UnixMillis>,
}

impl WindowQuery {
    pub(crate) fn new(request: &AdmissionRequest, at: UnixMillis, clock: Clock) -> Self {
        let AdmissionRequest { window, limit } = *request;
        WindowQuery { window, limit, given: clock.given(at) }
    }
}

/// The rows found for a [`WindowQuery`].
#[derive(Clone, Copy)]
pub(crate) struct WindowRows {
    /// The time of the admission.
    pub(crate) now: UnixMillis,
    pub(crate) last: Option<Admission>,
    pub(crate) oldest: Option<Admission>,
    pub(crate) blocking: Option<Admission>,
}

const SWEEP: &str = concat!(
    "WITH clock AS (
        SELECT coalesce($1, ",
    server_time!(),
    ") AS now
    ), old AS (
        SELECT o.key, o.operation, o.at, o.number
        FROM clock, custom_models.windows w, LATERAL (
            SELECT a.key, a.operation, a.at, a.number FROM custom_models.admissions a
            WHERE a.key = w.key AND a.operation = w.operation AND a.at <= clock.now - $2
            ORDER BY a.at, a.number LIMIT $3) o
        LIMIT $3
    ), gone AS (
        DELETE FROM custom_models.admissions a USING old
        WHERE a.key = old.key AND a.operation = old.operation AND a.at = old.at
            AND a.number = old.number
        RETURNING 1
    )
    SELECT count(*) FROM gone"
);

const TAKE_BACK: &str = concat!(
    "WITH clock AS (
        SELECT coalesce($1, ",
    server_time!(),
    ") AS now
    )
    UPDATE custom_models.admissions a SET at = clock.now FROM clock, custom_models.windows w
    WHERE a.key = w.key AND a.operation = w.operation AND a.at > clock.now"
);

/// The statements that delete at most `limit` admissions older than the longest window, and move
/// those in the future to now: the given time, or the server's.
pub(crate) fn sweep<'a>(
    longest: Duration,
    given: Option<UnixMillis>,
    limit: u32,
) -> [Statement<'a>; 2] {
    let now = || parameter(given.map(UnixMillis::unix_millis));
    let longest = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
    [
        Statement::new(SWEEP, [now(), parameter(longest), parameter(i64::from(limit))]),
        Statement::new(TAKE_BACK, [now()]),
    ]
}

/// The statement that reads the rows of several windows.
pub(crate) fn window_rows<'a>(queries: &[WindowQuery]) -> Statement<'a> {
    let keys: Vec<Vec<u8>> =
        queries.iter().map(|query| query.window.key.as_bytes().to_vec()).collect();
    let operations: Vec<&str> =
        queries.iter().map(|query| query.window.operation.as_str()).collect();
    let requests: Vec<i64> = queries.iter().map(|query| query.limit.requests().into()).collect();
    let windows: Vec<i64> = queries.iter().map(|query| millis(query.limit)).collect();
    let given: Vec<Option<i64>> =
        queries.iter().map(|query| query.given.map(UnixMillis::unix_millis)).collect();
    let parameters = [
        parameter(keys),
        parameter(operations),
        parameter(requests),
        parameter(windows),
        parameter(given),
    ];
    Statement::new(WINDOW_ROWS, parameters)
}

fn millis(limit: RateLimit) -> i64 {
    i64::try_from(limit.window().as_millis()).unwrap_or(i64::MAX)
}

/// The statement that reads the rows of one window, by the digest of its key.
pub(crate) fn window_rows_of_key(
    digest: KeyDigest,
    operation: Operation,
    limit: RateLimit,
    given: Option<UnixMillis>,
) -> Statement<'static> {
    let parameters = [
        parameter(digest.as_bytes().to_vec()),
        parameter(operation.as_str()),
        parameter(i64::from(limit.requests())),
        parameter(millis(limit)),
        parameter(given.map(UnixMillis::unix_millis)),
    ];
    Statement::new(WINDOW_ROWS_OF_KEY, parameters)
}

/// Decodes the index of a query and the rows found for it.
pub(crate) fn window_row(row: &Row) -> Result<(usize, WindowRows), Fault> {
    let admission = |index| -> Result<Option<Admission>, Fault> {
        let (number, at): (Option<i64>, Option<i64>) =
            (column(row, index)?, column(row, index + 1)?);
        let (Some(number), Some(at)) = (number, at) else { return Ok(None) };
        let number = unsigned(number)?;
        if number == 0 {
            return Err(Fault::Row("an admission without a number"));
        }
        Ok(Some(Admission { number, at: UnixMillis::from_unix_millis(at) }))
    };
    let place =
        usize::try_from(column::<i64>(row, 0)?).ok().and_then(|number| number.checked_sub(1));
    let window_row = WindowRows {
        now: UnixMillis::from_unix_millis(column(row, 1)?),
        last: admission(2)?,
        oldest: admission(4)?,
        blocking: admission(6)?,
    };
    Ok((place.ok_or(Fault::Row("rows of an unknown window query"))?, window_row))
}

/// The state of a window.
pub(crate) async fn state(reader: Reader, query: WindowQuery) -> Result<WindowState, Fault> {
    let rows = reader.query(window_rows(&[query])).await?;
    state_of(&rows, &query.window, query.limit)
}

/// The state of a window, from the rows found for it.
pub(crate) fn state_of(
    rows: &[Row],
    window: &Window,
    limit: RateLimit,
) -> Result<WindowState, Fault> {
    let mut window_row = match rows.first() {
        Some(row) => window_row(row)?.1,
        None => return Err(Fault::Row("no rows of a window")),
    };
    let now = window_row.now;
    Ok(window_state(&mut window_row, window, limit, now)?)
}

impl AdmissionRows for WindowRows {
    type Error = StoreError;

    fn last(&mut self, _: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.last)
    }

    fn first_after(&mut self, _: &Window, _: UnixMillis) -> Result<Option<Admission>, StoreError> {
        Ok(self.oldest)
    }

    fn numbered(&mut self, _: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        Ok(self.blocking.filter(|blocking| blocking.number == number))
    }
}
