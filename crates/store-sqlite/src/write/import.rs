//! Imports and erasures of records.

use custom_models_core::Organisation;
use custom_models_core::store::{ArchiveChange, Lineage, ModelLine, Record, Registration};
use rusqlite::{Connection, params};

use crate::rows::{access, data, events, idempotency, models};

/// Imports or erases records, and returns their number.
pub(crate) fn change(connection: &Connection, change: &ArchiveChange) -> rusqlite::Result<u64> {
    match change {
        ArchiveChange::Begin(_) if !is_empty(connection)? => Ok(0),
        ArchiveChange::Import(records) | ArchiveChange::Begin(records) => {
            for record in records {
                put(connection, record)?;
            }
            Ok(records.len() as u64)
        }
        ArchiveChange::Erase { organisation, limit } => erase(connection, organisation, *limit),
        ArchiveChange::ReplaceIdentity { expected, new } => {
            let number = |lineage: Lineage| lineage.get().cast_signed();
            let replaced = connection.execute(
                "UPDATE store SET identity = ?3, lineage = ?4 WHERE identity = ?1 AND lineage IS ?2",
                params![
                    expected.0.as_bytes(),
                    expected.1.map(number),
                    new.0.as_bytes(),
                    number(new.1)
                ],
            )?;
            Ok(replaced as u64)
        }
    }
}

/// Returns true if an export would have no record but a start at 0.
fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    const IS_EMPTY: &str = "SELECT (SELECT last_id FROM sequence) = 0
        AND NOT EXISTS (SELECT 1 FROM registrations) AND NOT EXISTS (SELECT 1 FROM keys)
        AND NOT EXISTS (SELECT 1 FROM organisations) AND NOT EXISTS (SELECT 1 FROM models)
        AND NOT EXISTS (SELECT 1 FROM data) AND NOT EXISTS (SELECT 1 FROM events)
        AND NOT EXISTS (SELECT 1 FROM answers)";
    connection.query_row(IS_EMPTY, [], |row| row.get(0))
}

fn put(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Start { last_id } => connection
            .execute("UPDATE sequence SET last_id = max(last_id, ?1)", [last_id])
            .map(drop),
        Record::Registration { organisation, plan } => {
            let (organisation, plan) = (organisation.clone(), plan.clone());
            access::put_registration(connection, &Registration { organisation, plan })
        }
        Record::Key(key) => access::put_key(connection, &key.clone().into()),
        Record::Organisation { organisation, models, last_event, first_event } => connection
            .execute(
                "INSERT INTO organisations (organisation, models, events, purged)
                VALUES (?1, ?2, ?3, ?4) ON CONFLICT (organisation) DO UPDATE
                SET models = excluded.models, events = excluded.events, purged = excluded.purged",
                (organisation.as_str(), models, last_event, first_event.saturating_sub(1)),
            )
            .map(drop),
        Record::Model(ModelLine { organisation, model }) => {
            models::delete(connection, organisation, model.id)?;
            models::insert(connection, organisation, model)?;
            models::update(connection, organisation, model)
        }
        Record::Data { organisation, model, pair } => {
            data::delete(connection, organisation, *model, pair.id)?;
            data::insert(connection, organisation, *model, pair)
        }
        Record::Event(line) => {
            let (organisation, position, model, event) = line.clone().into_parts();
            connection.execute(
                "DELETE FROM events WHERE organisation = ?1 AND position = ?2",
                params![organisation.as_str(), position],
            )?;
            events::insert(connection, &organisation, position, model, &event)
        }
        Record::Answer(line) => {
            let (organisation, key, kept) = line.clone().into_parts();
            idempotency::put(connection, &organisation, &key, &kept)
        }
    }
}

const ERASE_MODELS: &str =
    "DELETE FROM models WHERE id IN (SELECT id FROM models WHERE organisation = ?1 LIMIT ?2)";

const ERASE_EVENTS: &str = "DELETE FROM events WHERE organisation = ?1 AND position IN
    (SELECT position FROM events WHERE organisation = ?1 ORDER BY position LIMIT ?2)";

const ERASE_COUNTERS: &str = "DELETE FROM organisations WHERE organisation = ?1 AND ?2 > 0";

/// The total number of events never falls (PLACE-2).
const COUNT_ERASED_EVENTS: &str = "UPDATE store SET erased_events = erased_events
    + coalesce((SELECT events FROM organisations WHERE organisation = ?1), 0)";

/// The statements that erase an organisation, in order. Each takes its name and a limit of rows, the
/// first two a limit of keys, whose admissions go together.
const ERASE: [&str; 9] = [
    "DELETE FROM admissions WHERE key IN (SELECT id FROM keys WHERE organisation = ?1 LIMIT ?2)",
    "DELETE FROM windows WHERE key IN (SELECT id FROM keys WHERE organisation = ?1 LIMIT ?2)",
    "DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE organisation = ?1 LIMIT ?2)",
    "DELETE FROM registrations WHERE organisation = ?1 AND ?2 > 0",
    "DELETE FROM answers WHERE number IN
        (SELECT number FROM answers WHERE organisation = ?1 LIMIT ?2)",
    "DELETE FROM data WHERE organisation = ?1 AND (model, id) IN
        (SELECT model, id FROM data WHERE organisation = ?1 LIMIT ?2)",
    ERASE_MODELS,
    ERASE_EVENTS,
    ERASE_COUNTERS,
];

fn erase(
    connection: &Connection,
    organisation: &Organisation,
    limit: u32,
) -> rusqlite::Result<u64> {
    let limit = u64::from(limit.max(1));
    let organisation = organisation.as_str();
    let mut erased: u64 = 0;
    for sql in ERASE {
        let left = limit.saturating_sub(erased);
        if left == 0 {
            break;
        }
        if sql == ERASE_COUNTERS {
            connection.execute(COUNT_ERASED_EVENTS, [organisation])?;
        }
        let gone = connection.execute(sql, params![organisation, left])? as u64;
        erased += gone;
        if sql == ERASE_MODELS {
            connection.execute(
                "UPDATE organisations SET models = models - ?2 WHERE organisation = ?1",
                params![organisation, gone],
            )?;
        } else if sql == ERASE_EVENTS {
            events::recompute_purged(connection, organisation)?;
        }
    }
    Ok(erased)
}
