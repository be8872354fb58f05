//! Rows of `admissions`: those of a window lie in the order of their times, which is that of their numbers.

use std::time::Duration;

use custom_models_core::{
    Admission, AdmissionRows, Moment, RequestLimit, StoreError, Window, WindowState, window_state,
};
use tokio_postgres::Row;

use crate::fault::Fault;
use crate::reader::Reader;
use crate::rows::{column, unsigned};
use crate::statement::{Statement, parameter};

/// The server's time in milliseconds since 1970.
macro_rules! server_time {
    () => {
        "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)"
    };
}

/// The rows that judge requests: the time, the last admission of each window, the first that is in it, and the one that
/// keeps the next out where there are more than the limit, since that was lowered.
const LOOKS: &str = concat!(
    "SELECT w.ask, w.now, last.number, last.at, oldest.number, oldest.at,
        blocking.number, blocking.at
    FROM (SELECT asked.*, coalesce(asked.given, clock.now) AS now
        FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            WITH ORDINALITY AS asked (key, operation, requests, millis, given, ask),
        (SELECT ",
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
);

/// A request that is to be judged: its window, the limit, and its time if it goes by the caller's clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    pub(crate) window: Window,
    pub(crate) limit: RequestLimit,
    pub(crate) given: Option<Moment>,
}

/// The rows that were found for an ask.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// The time at which it is judged.
    pub(crate) now: Moment,
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

/// Deletes admissions that are older than the longest window, so many at most, and takes those in the future to be
/// of now: of the given time, or of the server's.
pub(crate) fn swept<'a>(
    longest: Duration,
    given: Option<Moment>,
    limit: u32,
) -> [Statement<'a>; 2] {
    let now = || parameter(given.map(Moment::unix_millis));
    let longest = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
    [
        Statement::new(SWEEP, [now(), parameter(longest), parameter(i64::from(limit))]),
        Statement::new(TAKE_BACK, [now()]),
    ]
}

/// Looks for what judges requests.
pub(crate) fn looks<'a>(asks: &[Ask]) -> Statement<'a> {
    let millis = |ask: &Ask| i64::try_from(ask.limit.window().as_millis()).unwrap_or(i64::MAX);
    let keys: Vec<Vec<u8>> = asks.iter().map(|ask| ask.window.key.as_bytes().to_vec()).collect();
    let operations: Vec<&str> = asks.iter().map(|ask| ask.window.operation.as_str()).collect();
    let requests: Vec<i64> = asks.iter().map(|ask| ask.limit.requests().into()).collect();
    let windows: Vec<i64> = asks.iter().map(millis).collect();
    let given: Vec<Option<i64>> =
        asks.iter().map(|ask| ask.given.map(Moment::unix_millis)).collect();
    let parameters = [
        parameter(keys),
        parameter(operations),
        parameter(requests),
        parameter(windows),
        parameter(given),
    ];
    Statement::new(LOOKS, parameters)
}

/// The place of an ask among those that were made, and what was found for it.
pub(crate) fn look(row: &Row) -> Result<(usize, Look), Fault> {
    let admission = |index| -> Result<Option<Admission>, Fault> {
        let (number, at): (Option<i64>, Option<i64>) =
            (column(row, index)?, column(row, index + 1)?);
        let (Some(number), Some(at)) = (number, at) else { return Ok(None) };
        let number = unsigned(number)?;
        if number == 0 {
            return Err(Fault::Row("an admission without a number"));
        }
        Ok(Some(Admission { number, at: Moment::from_unix_millis(at) }))
    };
    let place = usize::try_from(column::<i64>(row, 0)?).ok().and_then(|ask| ask.checked_sub(1));
    let look = Look {
        now: Moment::from_unix_millis(column(row, 1)?),
        last: admission(2)?,
        oldest: admission(4)?,
        blocking: admission(6)?,
    };
    Ok((place.ok_or(Fault::Row("a look at nothing"))?, look))
}

/// The state of a window.
pub(crate) async fn state(reader: Reader, ask: Ask) -> Result<WindowState, Fault> {
    let rows = reader.query(looks(&[ask])).await?;
    let mut look = match rows.first() {
        Some(row) => look(row)?.1,
        None => return Err(Fault::Row("no answer about a window")),
    };
    let now = look.now;
    Ok(window_state(&mut look, &ask.window, ask.limit, now)?)
}

impl AdmissionRows for Look {
    type Error = StoreError;

    fn last(&mut self, _: &Window) -> Result<Option<Admission>, StoreError> {
        Ok(self.last)
    }

    fn first_after(&mut self, _: &Window, _: Moment) -> Result<Option<Admission>, StoreError> {
        Ok(self.oldest)
    }

    fn numbered(&mut self, _: &Window, number: u64) -> Result<Option<Admission>, StoreError> {
        Ok(self.blocking.filter(|blocking| blocking.number == number))
    }
}
