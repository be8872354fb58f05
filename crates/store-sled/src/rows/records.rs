//! Rows stored beside models: history, training data, idempotency answers, and the queue of
//! trainings.
//!
//! Numbers are big-endian, texts UTF-8. Every value begins with its form, 1.
//!
//! - The bounds of a history: the positions of the first stored event (8 bytes) and of the last
//!   (8).
//! - An event: its time (8), model id (8), actor after its length (1), and the change as JSON up to
//!   the end. Its position is in its key.
//! - A pair of data: JSON. Its number is in its key too.
//! - An answer: operation after its length (1), model id or 0 (8), idempotency key after its length
//!   (1), and the answer as JSON up to the end. Its key has the digest of the parts before the
//!   answer.
//!
//! In JSON a control character is six times as long. So an error of 1000 characters may need 6 KB,
//! and an answer with a whole model more than a row: such values continue in further rows, see
//! `overflow`.

use custom_models_core::model::{DataId, DataPair, Event, NewEvent};
use custom_models_core::store::{
    IdempotencyRecord, IdempotencyScope, NewIdempotencyRecord, StoreError, StoreErrorKind,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{ModelId, Organisation};

use crate::error::damaged;
use crate::rows::access::organisation_from_bytes;
use crate::rows::keys::{key_below, moment_from_bytes, moment_to_bytes, parts_of};

const FORM: u8 = 1;

/// The key prefix of the bounds of all histories.
pub(crate) const HISTORIES: &[u8] = b"x";

/// The key prefix of the queue: models whose training can be claimed, by the time from which on.
pub(crate) const CLAIMABLE: &[u8] = b"q";

/// The key prefix of the index of answers by time.
pub(crate) const ANSWER_TIMES: &[u8] = b"t";

/// The key of the bounds of an organisation's history.
pub(crate) fn history_key(organisation: &Organisation) -> Vec<u8> {
    [HISTORIES, organisation.as_str().as_bytes()].concat()
}

/// The key of an event.
pub(crate) fn event_key(organisation: &Organisation, position: u64) -> Vec<u8> {
    key_below(b"e", organisation, &position.to_be_bytes())
}

/// The key prefix of a model's data.
pub(crate) fn data_of(organisation: &Organisation, model: ModelId) -> Vec<u8> {
    key_below(b"d", organisation, &model.get().to_be_bytes())
}

/// The key of a pair of a model's data.
pub(crate) fn data_key(organisation: &Organisation, model: ModelId, id: DataId) -> Vec<u8> {
    [data_of(organisation, model).as_slice(), &id.get().to_be_bytes()].concat()
}

/// The number in the key of a pair, below its model's prefix.
pub(crate) fn data_id(data_of: &[u8], key: &[u8]) -> Result<DataId, StoreError> {
    let number = key.strip_prefix(data_of).and_then(|rest| rest.first_chunk());
    let number = number.map(|number| DataId::new(u32::from_be_bytes(*number)));
    number.and_then(Result::ok).ok_or_else(|| damaged("a pair without a number"))
}

/// The key of an answer.
pub(crate) fn answer_key(
    organisation: &Organisation,
    key: &IdempotencyScope,
) -> Result<Vec<u8>, StoreError> {
    let digest = NewIdempotencyRecord::digest(&answer_key_to_bytes(key)?);
    Ok(key_below(b"r", organisation, digest.as_bytes()))
}

/// The key in the index of times of the answer under `answer_key`.
pub(crate) fn answer_time_key(at: UnixMillis, answer_key: &[u8]) -> Vec<u8> {
    let whose = answer_key.split_first().map_or(&b""[..], |(_, whose)| whose);
    [ANSWER_TIMES, &moment_to_bytes(at), whose].concat()
}

/// The end of the key range of answers given until `until`.
pub(crate) fn answer_times_end(until: UnixMillis) -> Vec<u8> {
    // No name begins with this byte.
    [ANSWER_TIMES, &moment_to_bytes(until), b"\xFF"].concat()
}

/// Splits a key in the index of times into the time and the key of the answer.
pub(crate) fn decode_answer_time(time_key: &[u8]) -> Option<(UnixMillis, Vec<u8>)> {
    let (at, whose) = time_key.strip_prefix(ANSWER_TIMES)?.split_first_chunk()?;
    Some((moment_from_bytes(*at), [b"r", whose].concat()))
}

/// The key in the queue of a model whose training can be claimed from `since` on.
pub(crate) fn claim_key(since: UnixMillis, id: ModelId) -> Vec<u8> {
    [CLAIMABLE, &moment_to_bytes(since), &id.get().to_be_bytes()].concat()
}

/// The end of the key range of trainings that can be claimed at `at`.
pub(crate) fn claims_end(at: UnixMillis) -> Vec<u8> {
    [CLAIMABLE, &moment_to_bytes(at), &u64::MAX.to_be_bytes()].concat()
}

/// Decodes an entry of the queue: the time from which on, the organisation, and the model.
pub(crate) fn decode_claim(
    key: &[u8],
    row: &[u8],
) -> Result<(UnixMillis, Organisation, ModelId), StoreError> {
    let parts = || {
        let (since, id) = key.strip_prefix(CLAIMABLE)?.split_first_chunk()?;
        let id = ModelId::new(u64::from_be_bytes(id.try_into().ok()?)).ok()?;
        Some((moment_from_bytes(*since), organisation_from_bytes(row)?, id))
    };
    parts().ok_or_else(|| damaged("an invalid queue entry"))
}

/// The bounds of an organisation's history.
///
/// INVARIANT: `first` is at least 1, and at most `last + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HistoryBounds {
    /// The position of the first stored event; `last + 1` if none is stored.
    pub(crate) first: u64,
    /// The position of the last event; 0 if there was none.
    pub(crate) last: u64,
}

impl HistoryBounds {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&[FORM][..], &self.first.to_be_bytes(), &self.last.to_be_bytes()].concat()
    }

    /// Decodes bounds. An organisation without a row has no history.
    pub(crate) fn from_row(row: Option<&[u8]>) -> Result<Self, StoreError> {
        let Some(row) = row else { return Ok(HistoryBounds { first: 1, last: 0 }) };
        let parts = || {
            let (first, last) = row.strip_prefix(&[FORM])?.split_first_chunk()?;
            let first = u64::from_be_bytes(*first);
            let last = u64::from_be_bytes(last.try_into().ok()?);
            let is_sound = first > 0 && last.checked_add(1).is_some_and(|behind| first <= behind);
            is_sound.then_some(HistoryBounds { first, last })
        };
        parts().ok_or_else(|| damaged("a history with invalid bounds"))
    }
}

/// Encodes an event.
pub(crate) fn event_to_bytes(event: &NewEvent, model: ModelId) -> Result<Vec<u8>, StoreError> {
    let NewEvent { created_at, actor, event_type } = event;
    let mut row = vec![FORM];
    row.extend(created_at.unix_seconds().to_be_bytes());
    row.extend(model.get().to_be_bytes());
    push_text(&mut row, actor.as_str())?;
    row.extend(serde_json::to_vec(event_type).map_err(serialize_error)?);
    Ok(row)
}

/// Decodes an event.
pub(crate) fn decode_event(key: &[u8], value: &[u8]) -> Result<Event, StoreError> {
    let parts = || {
        let position = u64::from_be_bytes(parts_of(key)?.1);
        let (created_at, rest) = value.strip_prefix(&[FORM])?.split_first_chunk()?;
        let created_at = Timestamp::from_unix_seconds(i64::from_be_bytes(*created_at)).ok()?;
        let (model, rest) = rest.split_first_chunk()?;
        let model = ModelId::new(u64::from_be_bytes(*model)).ok()?;
        let (actor, rest) = first_text(rest)?;
        let actor: Actor = actor.parse().ok()?;
        Some((position, created_at, model, actor, rest))
    };
    let parts = parts().ok_or_else(|| damaged("an invalid event"))?;
    let (position, created_at, model, actor, json) = parts;
    let event_type = serde_json::from_slice(json);
    let event_type = event_type.map_err(|_| damaged("an event of an unknown type"))?;
    Ok(NewEvent { created_at, actor, event_type }.at(position, model))
}

/// Encodes a pair of data.
pub(crate) fn pair_to_bytes(pair: &DataPair) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(pair).map_err(serialize_error)?;
    Ok([&[FORM], json.as_slice()].concat())
}

/// Decodes a pair of data.
pub(crate) fn decode_pair(key: &[u8], value: &[u8]) -> Result<DataPair, StoreError> {
    let json = value.strip_prefix(&[FORM]).ok_or_else(|| damaged("an unknown form of data"))?;
    let pair: Result<DataPair, _> = serde_json::from_slice(json);
    let pair = pair.map_err(|_| damaged("an invalid pair of data"))?;
    let is_its_own = parts_of::<12>(key)
        .is_some_and(|(_, number)| number.ends_with(&pair.id.get().to_be_bytes()));
    if is_its_own && pair.id.get() > 0 {
        Ok(pair)
    } else {
        Err(damaged("data under another number"))
    }
}

/// Encodes an answer.
pub(crate) fn answer_to_bytes(
    key: &IdempotencyScope,
    kept: &IdempotencyRecord,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(kept).map_err(serialize_error)?;
    Ok([&[FORM], answer_key_to_bytes(key)?.as_slice(), &json].concat())
}

/// Decodes an answer, and checks that it belongs to the key.
pub(crate) fn answer_from_bytes(
    key: &IdempotencyScope,
    value: &[u8],
) -> Result<IdempotencyRecord, StoreError> {
    let json = value.strip_prefix(&[FORM]);
    let json = json.and_then(|rest| rest.strip_prefix(answer_key_to_bytes(key).ok()?.as_slice()));
    let json = json.ok_or_else(|| damaged("an answer under another key"))?;
    serde_json::from_slice(json).map_err(|_| damaged("an invalid answer"))
}

/// Decodes an answer with its key.
pub(crate) fn decode_answer(
    value: &[u8],
) -> Result<(IdempotencyScope, IdempotencyRecord), StoreError> {
    let parts = || {
        let (operation, rest) = first_text(value.strip_prefix(&[FORM])?)?;
        let (target, rest) = rest.split_first_chunk()?;
        let (key, json) = first_text(rest)?;
        let target = match u64::from_be_bytes(*target) {
            0 => None,
            target => Some(ModelId::new(target).ok()?),
        };
        let key =
            IdempotencyScope { operation: operation.parse().ok()?, target, key: key.parse().ok()? };
        Some((key, serde_json::from_slice(json).ok()?))
    };
    parts().ok_or_else(|| damaged("an invalid answer"))
}

fn answer_key_to_bytes(key: &IdempotencyScope) -> Result<Vec<u8>, StoreError> {
    let IdempotencyScope { operation, target, key } = key;
    let mut bytes = Vec::new();
    push_text(&mut bytes, operation.as_str())?;
    bytes.extend(target.map_or(0, ModelId::get).to_be_bytes());
    push_text(&mut bytes, key.as_str())?;
    Ok(bytes)
}

/// Appends a text after its length.
fn push_text(row: &mut Vec<u8>, text: &str) -> Result<(), StoreError> {
    // Never in practice: names and keys are bounded.
    let length = u8::try_from(text.len()).map_err(|_| damaged("a name that is too long"))?;
    row.push(length);
    row.extend(text.as_bytes());
    Ok(())
}

fn first_text(row: &[u8]) -> Option<(&str, &[u8])> {
    let (length, row) = row.split_first()?;
    let (text, rest) = row.split_at_checked(usize::from(*length))?;
    Some((str::from_utf8(text).ok()?, rest))
}

fn serialize_error(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, error)
}

#[cfg(test)]
mod tests;
