//! Reads of events, training data, idempotency answers and claimable trainings.

use custom_models_core::model::{DataPair, Event, EventPage};
use custom_models_core::store::{IdempotencyRecord, IdempotencyScope, StoreError};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use sled::Db;

use crate::database::Database;
use crate::error::{call_sled, damaged};
use crate::read::snapshot;
use crate::read::view::{View, read_consistent, read_value};
use crate::rows::keys::{key_below, model_key};
use crate::rows::records::{
    CLAIMABLE, HistoryBounds, answer_from_bytes, answer_key, claims_end, data_of, decode_claim,
    decode_event, decode_pair, event_key, history_key,
};
use crate::rows::{counters, models, overflow};

/// At most `limit` events after a position, and the bounds of the history.
pub(crate) fn events(
    database: &Database,
    organisation: &Organisation,
    after: u64,
    limit: u32,
) -> Result<EventPage, StoreError> {
    let below = key_below(b"e", organisation, b"");
    let read = |history, read_consistent: &View| {
        page(read_consistent, organisation, history, (after, limit))
    };
    read_consistent(database, below, |db| history(db, organisation), read)
}

/// At most `limit` pairs of a model's data after a number.
pub(crate) fn data(
    database: &Database,
    organisation: &Organisation,
    model: ModelId,
    after: u32,
    limit: u32,
) -> Result<Vec<DataPair>, StoreError> {
    let below = data_of(organisation, model);
    let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
    let keys = [below.as_slice(), &first.to_be_bytes()].concat()..end_of_data(&below);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let read = |_, read_consistent: &View| {
        read_consistent
            .values(keys.clone())
            .take(limit)
            .map(|pair| pair.and_then(|(key, it)| decode_pair(&key, &it)))
            .collect()
    };
    read_consistent(database, below.clone(), |db| counters::counter(db, organisation), read)
}

/// The answer under an idempotency key.
pub(crate) fn idempotency_record(
    database: &Database,
    organisation: &Organisation,
    key: &IdempotencyScope,
) -> Result<Option<IdempotencyRecord>, StoreError> {
    let found = read_value(database, &answer_key(organisation, key)?)?;
    found.map(|found| answer_from_bytes(key, &found)).transpose()
}

fn history(db: &Db, organisation: &Organisation) -> Result<HistoryBounds, StoreError> {
    HistoryBounds::from_row(call_sled(|| db.get(history_key(organisation)))?.as_deref())
}

/// At most `limit` events after a position. A gap within the bounds is damage.
fn page(
    read_consistent: &View,
    organisation: &Organisation,
    HistoryBounds { first, last }: HistoryBounds,
    (after, limit): (u64, u32),
) -> Result<EventPage, StoreError> {
    let begin = after.saturating_add(1).max(first);
    let end = begin.saturating_add(limit.into()).min(last.saturating_add(1));
    let mut events = Vec::new();
    if begin < end {
        let keys = event_key(organisation, begin)..event_key(organisation, end);
        let read: Result<Vec<Event>, StoreError> = read_consistent
            .values(keys)
            .map(|event| event.and_then(|(key, it)| decode_event(&key, &it)))
            .collect();
        events = read?;
        if !events.iter().map(|event| event.position).eq(begin..end) {
            return Err(damaged("an event is missing"));
        }
    }
    Ok(EventPage { events, last, first })
}

/// The trainings that can be claimed, in one consistent read.
pub(crate) fn claimable(
    database: &Database,
    organisation: Option<&Organisation>,
    at: UnixMillis,
    limit: u32,
) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    database.read(|db| {
        let prefixes = vec![CLAIMABLE.to_vec(), b"m".to_vec()];
        let (snapshot, ()) = snapshot::Snapshot::open(database, db, prefixes, || Ok(()))?;
        let mut found = Vec::new();
        let mut claims = snapshot.rows(CLAIMABLE.to_vec()..claims_end(at));
        while found.len() < limit
            && let Some(row) = claims.next()
        {
            let (key, row) = row?;
            let (since, whose, id) = decode_claim(&key, &row)?;
            if organisation.is_some_and(|wanted| *wanted != whose) {
                continue;
            }
            let key = model_key(&whose, id.get());
            let first =
                snapshot.row(&key)?.ok_or_else(|| damaged("a queue entry without a model"))?;
            let model =
                models::from_bytes(id, &overflow::whole(&key, first, |key| snapshot.row(key))?)?;
            if model.training.claimable_at() != Some(since) {
                return Err(damaged("a queue entry of a model that does not wait"));
            }
            found.push((whose, model));
        }
        Ok(found)
    })
}

fn end_of_data(below: &[u8]) -> Vec<u8> {
    [below, &[0xFF; 6]].concat()
}
