//! Exports: everything in a store, record by record.

use custom_models_core::Organisation;
use custom_models_core::access::KeyRecord;
use custom_models_core::store::{
    AnswerLine, EventLine, ModelLine, Record, StoreError, StoreErrorKind,
};
use sled::Db;

use crate::error::{call_sled, damaged};
use crate::rows::access::{
    KEYS, REGISTRATIONS, decode_key, organisation_from_bytes, registration_from_bytes,
};
use crate::rows::counters::Counter;
use crate::rows::keys::{ALL_COUNTERS, ALL_MODELS, id_of, organisation_of, parts_of};
use crate::rows::range::range;
use crate::rows::records::{HistoryBounds, decode_answer, decode_event, decode_pair, history_key};
use crate::rows::{counters, models, overflow};

type Each<'a> = &'a mut dyn FnMut(Record) -> Result<(), StoreError>;

/// Returns true if an export would have no record but the start.
pub(crate) fn is_empty(db: &Db) -> Result<bool, StoreError> {
    let mut is_empty = true;
    let looked = export(db, &mut |record| match record {
        Record::Start { .. } => Ok(()),
        _ => {
            is_empty = false;
            // Only ends the export; it is not returned.
            Err(StoreErrorKind::Failed.into())
        }
    });
    if is_empty { looked.map(|()| true) } else { Ok(false) }
}

/// Passes every record to `each`, in the order of an export.
pub(crate) fn export(db: &Db, each: Each<'_>) -> Result<(), StoreError> {
    each(Record::Start { last_id: counters::last_id(db)? })?;
    for row in range(db, REGISTRATIONS..b"p") {
        let (key, row) = row?;
        each(registration_from_bytes(&key, &row)?.into())?;
    }
    keys(db)?.into_iter().map(Record::from).try_for_each(&mut *each)?;
    for row in range(db, ALL_COUNTERS) {
        let (key, row) = row?;
        each(counters(db, &key, &row)?)?;
    }
    for value in overflow::values(range(db, ALL_MODELS)) {
        let (key, value) = value?;
        let id = id_of(&key).ok_or_else(|| damaged("an id out of range"))?;
        let (organisation, model) =
            (whose(organisation_of(&key))?, models::from_bytes(id, &value)?);
        each(Record::Model(ModelLine { organisation, model }))?;
    }
    for value in overflow::values(range(db, b"d"..b"e")) {
        let (key, value) = value?;
        let (organisation, [model @ .., _, _, _, _]) =
            parts_of::<12>(&key).ok_or_else(|| damaged("data without an organisation"))?;
        let model = custom_models_core::ModelId::new(u64::from_be_bytes(model));
        each(Record::Data {
            organisation: whose(Some(organisation))?,
            model: model.map_err(|_| damaged("an id out of range"))?,
            pair: decode_pair(&key, &value)?,
        })?;
    }
    for value in overflow::values(range(db, b"e"..b"f")) {
        let (key, value) = value?;
        let organisation = whose(parts_of::<8>(&key).map(|(organisation, _)| organisation))?;
        each(Record::Event(EventLine::new(organisation, decode_event(&key, &value)?)))?;
    }
    for value in overflow::values(range(db, b"r"..b"s")) {
        let (key, value) = value?;
        let organisation = whose(parts_of::<32>(&key).map(|(organisation, _)| organisation))?;
        let (key, kept) = decode_answer(&value)?;
        each(Record::Answer(AnswerLine::new(organisation, key, kept)))?;
    }
    Ok(())
}

fn keys(db: &Db) -> Result<Vec<KeyRecord>, StoreError> {
    let keys = range(db, KEYS..b"l").map(|row| row.and_then(|(key, row)| decode_key(&key, &row)));
    let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
    keys.sort_by(|a, b| (&a.organisation, a.id).cmp(&(&b.organisation, b.id)));
    Ok(keys)
}

fn counters(db: &Db, key: &[u8], row: &[u8]) -> Result<Record, StoreError> {
    let organisation = whose(key.get(1..))?;
    let history = call_sled(|| db.get(history_key(&organisation)))?;
    let HistoryBounds { first, last } = HistoryBounds::from_row(history.as_deref())?;
    let Counter { models, changes: _ } = Counter::from_row(Some(row))?;
    Ok(Record::Organisation { organisation, models, last_event: last, first_event: first })
}

fn whose(name: Option<&[u8]>) -> Result<Organisation, StoreError> {
    name.and_then(organisation_from_bytes).ok_or_else(|| damaged("an invalid organisation name"))
}
