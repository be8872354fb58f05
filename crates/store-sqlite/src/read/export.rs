//! Exports: everything in a store, record by record.

use custom_models_core::store::{
    AnswerLine, EventLine, Lineage, ModelLine, Record, StoreError, StoreIdentity, StoreSummary,
};
use custom_models_core::{ModelId, Organisation};
use rusqlite::{Row, Transaction};

use crate::error::{damaged, store_error};
use crate::rows::{access, data, events, idempotency, models};

type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), StoreError>;

/// Passes every record of one transaction to `each`, in the order of an export.
pub(crate) fn export(snapshot: &Transaction<'_>, each: Each<'_>) -> Result<(), StoreError> {
    let mut show = |sql: &str, record: fn(&Row<'_>) -> rusqlite::Result<Record>| {
        let mut statement = snapshot.prepare(sql).map_err(store_error)?;
        let mut rows = statement.query([]).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(store_error)? {
            each(record(row).map_err(store_error)?)?;
        }
        Ok(())
    };
    show("SELECT last_id FROM sequence", |row| Ok(Record::Start { last_id: row.get(0)? }))?;
    show("SELECT organisation, plan FROM registrations ORDER BY organisation", |row| {
        Ok(access::registration_of(row)?.into())
    })?;
    show(access::ALL_KEYS, |row| Ok(access::key_of(row)?.into()))?;
    show(
        "SELECT organisation, models, events, purged FROM organisations ORDER BY organisation",
        counters,
    )?;
    show(models::ALL, |row| {
        let organisation = organisation(row, 12)?;
        Ok(Record::Model(ModelLine { organisation, model: models::model(row)? }))
    })?;
    show(
        "SELECT id, record, organisation, model FROM data ORDER BY organisation, model, id",
        |row| {
            let (organisation, model) = (organisation(row, 2)?, model_id(row.get(3)?)?);
            Ok(Record::Data { organisation, model, pair: data::pair(row)? })
        },
    )?;
    show(
        "SELECT position, model, created_at, actor, event, organisation FROM events
        ORDER BY organisation, position",
        |row| {
            let line = EventLine::new(organisation(row, 5)?, events::event(row)?);
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

/// One statement sees one state.
pub(crate) const SUMMARY: &str = "SELECT identity, last_id,
    erased_events + (SELECT coalesce(sum(events), 0) FROM organisations),
    EXISTS (SELECT 1 FROM data), lineage FROM store, sequence";

pub(crate) fn summary(row: &Row<'_>) -> rusqlite::Result<StoreSummary> {
    Ok(StoreSummary {
        identity: StoreIdentity::from_bytes(row.get(0)?),
        last_id: row.get(1)?,
        events: row.get(2)?,
        has_data: row.get(3)?,
        lineage: row.get::<_, Option<i64>>(4)?.map(|number| Lineage::new(number.cast_unsigned())),
    })
}

fn answer(row: &Row<'_>) -> rusqlite::Result<Record> {
    let (organisation, key) = idempotency::key_of(row, 5)?;
    Ok(Record::Answer(AnswerLine::new(organisation, key, idempotency::record(row)?)))
}

fn organisation(row: &Row<'_>, column: usize) -> rusqlite::Result<Organisation> {
    row.get_ref(column)?.as_str()?.parse().map_err(|_| damaged("an invalid organisation name"))
}

fn model_id(number: i64) -> rusqlite::Result<ModelId> {
    ModelId::try_from(number).map_err(|_| damaged("an id out of range"))
}
