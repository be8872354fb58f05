//! Rows of `events`: the history of each organisation.

use custom_models_core::Organisation;
use custom_models_core::model::{Event, EventPage, NewEvent};
use custom_models_core::time::Timestamp;
use tokio_postgres::Row;

use crate::connection::reader::Reader;
use crate::connection::statement::{Statement, parameter};
use crate::error::Fault;
use crate::rows::columns::{bytes, column, model_id, signed, text, timestamp, unsigned};

/// A page of a history. If it is empty, one row still has the bounds of the history.
pub(crate) const PAGE: &str = "SELECT e.position, e.model, e.created_at, e.actor, e.event,
        ends.last, ends.first
    FROM (SELECT
        coalesce((SELECT events FROM custom_models.organisations WHERE organisation = $1), 0)
            AS last,
        (SELECT position FROM custom_models.events WHERE organisation = $1
            ORDER BY position LIMIT 1) AS first) ends
    LEFT JOIN (SELECT position, model, created_at, actor, event FROM custom_models.events
        WHERE organisation = $1 AND position > $2 ORDER BY position LIMIT $3) e ON true
    ORDER BY e.position";

/// Deletes each history up to its first event that is not old. The index by time finds histories
/// with old events; the primary key finds the first event that is not old. Rows of organisations
/// are locked in the same order as by groups.
pub(crate) const DELETE_OLD: &str = "WITH old AS (
        SELECT DISTINCT organisation FROM custom_models.events WHERE created_at < $1
    ), beginnings AS (
        SELECT old.organisation, (SELECT e.position FROM custom_models.events e
            WHERE e.organisation = old.organisation AND e.created_at >= $1
            ORDER BY e.position LIMIT 1) AS ends_before
        FROM old
    ), forgotten AS (
        SELECT e.organisation, e.position FROM beginnings
        JOIN custom_models.events e ON e.organisation = beginnings.organisation
            AND (beginnings.ends_before IS NULL OR e.position < beginnings.ends_before)
        WHERE e.created_at < $1
        ORDER BY e.organisation, e.position LIMIT $2
    ), gone AS (
        DELETE FROM custom_models.events e USING forgotten
        WHERE e.organisation = forgotten.organisation AND e.position = forgotten.position
        RETURNING e.organisation, e.position
    ), counted AS (
        SELECT organisation, max(position) AS until FROM gone GROUP BY organisation
    ), taken AS (
        SELECT o.organisation, o.purged FROM custom_models.organisations o
        WHERE o.organisation IN (SELECT organisation FROM counted)
        ORDER BY o.organisation FOR UPDATE
    ), marked AS (
        UPDATE custom_models.organisations o SET purged = greatest(o.purged, counted.until)
        FROM taken JOIN counted ON counted.organisation = taken.organisation
        WHERE o.organisation = taken.organisation
    )
    SELECT count(*) FROM gone";

/// The events after a position and the bounds of the history, in one statement.
pub(crate) async fn page(
    reader: Reader,
    organisation: &Organisation,
    after: u64,
    limit: u32,
) -> Result<EventPage, Fault> {
    let parameters =
        [parameter(bytes(organisation)), parameter(signed(after)), parameter(i64::from(limit))];
    let rows = reader.query(Statement::new(PAGE, parameters)).await?;
    let ends = rows.first().ok_or(Fault::Row("a history without bounds"))?;
    let last = unsigned(column(ends, 5)?)?;
    let first: Option<i64> = column(ends, 6)?;
    let first = first.map_or(Ok(last.saturating_add(1)), unsigned)?;
    let is_there = |row: &&Row| !matches!(row.try_get::<_, Option<i64>>(0), Ok(None));
    let events: Vec<Event> = rows.iter().filter(is_there).map(event).collect::<Result<_, _>>()?;
    let begin = first.max(after.saturating_add(1));
    let is_dense = events.iter().zip(begin..).all(|(event, position)| event.position == position);
    if is_dense && events.last().is_none_or(|event| event.position <= last) {
        Ok(EventPage { events, last, first })
    } else {
        Err(Fault::Row("a history with a gap"))
    }
}

/// The statement that deletes at most `limit` events older than `before`, from the beginning of
/// each history.
pub(crate) fn delete_old(before: Timestamp, limit: u32) -> Statement<'static> {
    Statement::new(DELETE_OLD, [parameter(before.unix_seconds()), parameter(i64::from(limit))])
}

/// Decodes an event from the first five columns.
pub(crate) fn event(row: &Row) -> Result<Event, Fault> {
    let event = NewEvent {
        created_at: timestamp(column(row, 2)?)?,
        actor: text(row, 3)?.parse().map_err(|_| Fault::Row("an invalid actor"))?,
        event_type: serde_json::from_slice(column(row, 4)?)
            .map_err(|_| Fault::Row("an invalid event"))?,
    };
    Ok(event.at(unsigned(column(row, 0)?)?, model_id(row, 1)?))
}
