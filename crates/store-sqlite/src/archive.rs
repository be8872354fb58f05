//! All that a file holds, record by record.

use custom_models_core::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, Job, Lineage, ModelId, ModelLine,
    Organisation, Record, StoreError, StoreIdentity, StoreSummary,
};
use rusqlite::{Connection, Row, Transaction, params};

use crate::fault::{damaged, fault};
use crate::{SqliteStore, access_rows, answer_rows, data_rows, event_rows, rows, verify};

type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), StoreError>;

impl ArchiveStore for SqliteStore {
    fn export(&self, each: Each<'_>) -> Result<(), StoreError> {
        self.readers.read_with(|connection| {
            let snapshot = connection.transaction().map_err(fault)?;
            export(&snapshot, each)
        })
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.commits()?.apply(Job::Archive(change))?.archived()
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.readers.read(|connection| connection.query_row(SUMMARY, [], summary))
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.original().read_with(verify::verify)
    }
}

fn export(snapshot: &Transaction<'_>, each: Each<'_>) -> Result<(), StoreError> {
    let mut show = |sql: &str, record: fn(&Row<'_>) -> rusqlite::Result<Record>| {
        let mut statement = snapshot.prepare(sql).map_err(fault)?;
        let mut rows = statement.query([]).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            each(record(row).map_err(fault)?)?;
        }
        Ok(())
    };
    show("SELECT last_id FROM sequence", |row| Ok(Record::Start { last_id: row.get(0)? }))?;
    show("SELECT organisation, plan FROM registrations ORDER BY organisation", |row| {
        Ok(access_rows::registration_of(row)?.into())
    })?;
    show(access_rows::ALL_KEYS, |row| Ok(access_rows::key_of(row)?.into()))?;
    show(
        "SELECT organisation, models, events, purged FROM organisations ORDER BY organisation",
        counters,
    )?;
    show(rows::ALL, |row| {
        let organisation = organisation(row, 12)?;
        Ok(Record::Model(ModelLine { organisation, model: rows::model(row)? }))
    })?;
    show(
        "SELECT id, record, organisation, model FROM data ORDER BY organisation, model, id",
        |row| {
            let (organisation, model) = (organisation(row, 2)?, model_id(row.get(3)?)?);
            Ok(Record::Data { organisation, model, pair: data_rows::pair(row)? })
        },
    )?;
    show(
        "SELECT position, model, created_at, actor, event, organisation FROM events
        ORDER BY organisation, position",
        |row| {
            let line = EventLine::new(organisation(row, 5)?, event_rows::event(row)?);
            Ok(Record::Event(line))
        },
    )?;
    show(
        "SELECT request, at, status, revision, body, organisation, operation, target, key
        FROM answers ORDER BY organisation, operation, target, key",
        answer,
    )
}

fn counters(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::Organisation {
        organisation: organisation(row, 0)?,
        models: row.get(1)?,
        last_event: row.get(2)?,
        first_event: row.get::<_, u64>(3)?.saturating_add(1),
    })
}

/// One statement, so one view.
const SUMMARY: &str = "SELECT identity, last_id,
    erased_events + (SELECT coalesce(sum(events), 0) FROM organisations),
    EXISTS (SELECT 1 FROM data), lineage FROM store, sequence";

fn summary(row: &Row<'_>) -> rusqlite::Result<StoreSummary> {
    Ok(StoreSummary {
        identity: StoreIdentity::from_bytes(row.get(0)?),
        last_id: row.get(1)?,
        events: row.get(2)?,
        has_data: row.get(3)?,
        lineage: row.get::<_, Option<i64>>(4)?.map(|number| Lineage::new(number.cast_unsigned())),
    })
}

fn answer(row: &Row<'_>) -> rusqlite::Result<Record> {
    let (organisation, key) = answer_rows::key_of(row, 5)?;
    Ok(Record::Answer(AnswerLine::new(organisation, key, answer_rows::kept(row)?)))
}

fn organisation(row: &Row<'_>, column: usize) -> rusqlite::Result<Organisation> {
    row.get_ref(column)?.as_str()?.parse().map_err(|_| damaged("no name of an organisation"))
}

fn model_id(number: i64) -> rusqlite::Result<ModelId> {
    ModelId::try_from(number).map_err(|_| damaged("an id out of range"))
}

/// Puts records or erases them.
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

/// Returns true if an export would show nothing but a start at 0.
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
        Record::Registration { organisation, plan } => connection
            .execute(
                "INSERT INTO registrations (organisation, plan, checksum)
                VALUES (?1, ?2, row_sum(?1, ?2)) ON CONFLICT (organisation) DO UPDATE
                SET plan = excluded.plan, checksum = excluded.checksum",
                (organisation.as_str(), plan.as_str()),
            )
            .map(drop),
        Record::Key(key) => {
            let key = key.clone().into();
            access_rows::remove_key(connection, &key)?;
            access_rows::add_key(connection, &key).map(drop)
        }
        Record::Organisation { organisation, models, last_event, first_event } => connection
            .execute(
                "INSERT INTO organisations (organisation, models, events, purged)
                VALUES (?1, ?2, ?3, ?4) ON CONFLICT (organisation) DO UPDATE
                SET models = excluded.models, events = excluded.events, purged = excluded.purged",
                (organisation.as_str(), models, last_event, first_event.saturating_sub(1)),
            )
            .map(drop),
        Record::Model(ModelLine { organisation, model }) => {
            rows::delete(connection, organisation, model.id)?;
            rows::insert(connection, organisation, model)?;
            rows::update(connection, organisation, model)
        }
        Record::Data { organisation, model, pair } => {
            data_rows::delete(connection, organisation, *model, pair.id)?;
            data_rows::insert(connection, organisation, *model, pair)
        }
        Record::Event(line) => {
            let (organisation, position, model, event) = line.clone().into_parts();
            connection.execute(
                "DELETE FROM events WHERE organisation = ?1 AND position = ?2",
                params![organisation.as_str(), position],
            )?;
            event_rows::insert(connection, &organisation, position, model, &event)
        }
        Record::Answer(line) => {
            let (organisation, key, kept) = line.clone().into_parts();
            answer_rows::put(connection, &organisation, &key, &kept)
        }
    }
}

const ERASE_MODELS: &str =
    "DELETE FROM models WHERE id IN (SELECT id FROM models WHERE organisation = ?1 LIMIT ?2)";

const ERASE_EVENTS: &str = "DELETE FROM events WHERE organisation = ?1 AND position IN
    (SELECT position FROM events WHERE organisation = ?1 ORDER BY position LIMIT ?2)";

const ERASE_COUNTERS: &str = "DELETE FROM organisations WHERE organisation = ?1 AND ?2 > 0";

/// The number of all events never falls (PLACE-2).
const COUNT_ERASED_EVENTS: &str = "UPDATE store SET erased_events = erased_events
    + coalesce((SELECT events FROM organisations WHERE organisation = ?1), 0)";

/// The statements that erase an organisation, in order. Each takes its name and the most rows to delete.
const ERASE: [&str; 8] = [
    "DELETE FROM admissions WHERE key IN (SELECT id FROM keys WHERE organisation = ?1 LIMIT ?2)",
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
            event_rows::keep_purged(connection, organisation)?;
        }
    }
    Ok(erased)
}
