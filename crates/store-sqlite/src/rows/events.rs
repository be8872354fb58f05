//! Rows of `events`: the history of each organisation.

use custom_models_core::model::{Event, EventPage, NewEvent};
use custom_models_core::time::Timestamp;
use custom_models_core::{ModelId, Organisation};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::{damaged, serialize_error};

pub(crate) const PAGE: &str = "SELECT position, model, created_at, actor, event FROM events
    WHERE organisation = ?1 AND position > ?2 ORDER BY position LIMIT ?3";
/// Sets the beginning of a history to its first stored event.
pub(crate) const RECOMPUTE_PURGED: &str =
    "UPDATE organisations SET purged = max(0, min(events, coalesce(
    (SELECT min(position) - 1 FROM events WHERE organisation = ?1), events)))
    WHERE organisation = ?1";
/// Moves the beginning of a history past a position.
const MOVE_PURGED: &str = "UPDATE organisations SET purged = min(events, max(purged, ?2))
    WHERE organisation = ?1";
pub(crate) const OLDEST: &str = "SELECT position, created_at FROM events WHERE organisation = ?1
    ORDER BY position LIMIT ?2";
pub(crate) const DELETE_UNTIL: &str =
    "DELETE FROM events WHERE organisation = ?1 AND position <= ?2";

/// Adds an event at its position.
pub(crate) fn insert(
    connection: &Connection,
    organisation: &Organisation,
    position: u64,
    model: ModelId,
    event: &NewEvent,
) -> rusqlite::Result<()> {
    let NewEvent { created_at, actor, event_type } = event;
    connection
        .prepare_cached(
            "INSERT INTO events (organisation, position, model, created_at, actor, event, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_sum(?1, ?2, ?3, ?4, ?5, ?6))",
        )?
        .execute(params![
            organisation.as_str(),
            position,
            i64::from(model),
            created_at.unix_seconds(),
            actor.as_str(),
            serde_json::to_string(event_type).map_err(serialize_error)?,
        ])?;
    Ok(())
}

/// The position of the last event, and the position up to which events were purged.
fn bounds(connection: &Connection, organisation: &Organisation) -> rusqlite::Result<(u64, u64)> {
    let bounds = connection
        .prepare_cached("SELECT events, purged FROM organisations WHERE organisation = ?1")?
        .query_row([organisation.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(bounds.unwrap_or_default())
}

/// The events after a position and the bounds of the history, in one transaction.
pub(crate) fn page(
    connection: &mut Connection,
    organisation: &Organisation,
    after: u64,
    limit: u32,
) -> rusqlite::Result<EventPage> {
    let snapshot = connection.transaction()?;
    let (last, purged) = bounds(&snapshot, organisation)?;
    let first = purged.saturating_add(1);
    let after_row = i64::try_from(after).unwrap_or(i64::MAX);
    let events: Vec<Event> = snapshot
        .prepare_cached(PAGE)?
        .query_map(params![organisation.as_str(), after_row, limit], event)?
        .collect::<rusqlite::Result<_>>()?;
    snapshot.finish()?;
    let begin = first.max(after.saturating_add(1));
    let is_dense = events.iter().zip(begin..).all(|(event, position)| event.position == position);
    if is_dense && events.last().is_none_or(|event| event.position <= last) {
        Ok(EventPage { events, last, first })
    } else {
        Err(damaged("a history with a gap"))
    }
}

/// Deletes the events of an organisation up to a position.
pub(crate) fn delete_until(
    connection: &Connection,
    organisation: &str,
    until: u64,
) -> rusqlite::Result<u64> {
    let deleted = connection.prepare_cached(DELETE_UNTIL)?.execute(params![organisation, until])?;
    connection.prepare_cached(MOVE_PURGED)?.execute(params![organisation, until])?;
    Ok(deleted as u64)
}

/// Moves the beginning of a history past events that were erased.
pub(crate) fn recompute_purged(
    connection: &Connection,
    organisation: &str,
) -> rusqlite::Result<()> {
    connection.prepare_cached(RECOMPUTE_PURGED)?.execute([organisation]).map(drop)
}

/// The positions up to which histories consist of events older than `before`, at most `limit`
/// events in all.
pub(crate) fn expired(
    connection: &Connection,
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut organisations =
        connection.prepare_cached("SELECT organisation FROM organisations WHERE events > 0")?;
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let mut organisations = organisations.query([])?;
    let mut left = u64::from(limit);
    let mut expired = Vec::new();
    while left > 0
        && let Some(organisation) = organisations.next()?
    {
        let organisation: String = organisation.get(0)?;
        let mut until = None;
        let mut rows = oldest.query(params![organisation, left])?;
        while let Some(row) = rows.next()?
            && row.get::<_, i64>(1)? < before.unix_seconds()
        {
            until = Some(row.get(0)?);
            left -= 1;
        }
        expired.extend(until.map(|until| (organisation, until)));
    }
    Ok(expired)
}

pub(crate) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let model = ModelId::try_from(row.get::<_, i64>(1)?);
    let created_at = Timestamp::from_unix_seconds(row.get(2)?);
    let event = NewEvent {
        created_at: created_at.map_err(|_| damaged("a time out of range"))?,
        actor: row.get_ref(3)?.as_str()?.parse().map_err(|_| damaged("an invalid actor"))?,
        event_type: serde_json::from_str(row.get_ref(4)?.as_str()?)
            .map_err(|_| damaged("an invalid event"))?,
    };
    Ok(event.at(row.get(0)?, model.map_err(|_| damaged("an id out of range"))?))
}
