//! Rows of the life of models: their events, their data, the answers that are kept, and which trainings
//! can be claimed. What is read is judged again on its way in.
//!
//! Numbers are big-endian, texts UTF-8, and every value begins with the form's number 1.
//!
//! - The ends of a history: the positions of the first event that is kept (8) and of the last one (8).
//! - An event: when (8), model's id (8), actor with its length before it (1), and what was changed, as
//!   JSON, up to the end. Its position stands in its key.
//! - A pair of data: as JSON. Its number stands in its key, too.
//! - An answer: its operation with the length before it (1), its model's id or 0 (8), its key with the
//!   length before it (1), and the answer, as JSON, up to the end. It lies under the digest of what
//!   stands before the answer.
//!
//! What JSON makes of a control character is six times as long. So an error of 1000 characters may need
//! 6 KB, and an answer with a whole model in it more than a row: such values go on in other rows, see
//! `long`.

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

/// The key prefix of the ends of all histories.
pub(crate) const HISTORIES: &[u8] = b"x";

/// The key prefix of the models whose trainings can be claimed, sorted by the moment from which on they can.
pub(crate) const CLAIMABLE: &[u8] = b"q";

/// The key prefix of the index of answers by the moments at which they were given.
pub(crate) const ANSWER_TIMES: &[u8] = b"t";

/// The key of the ends of an organisation's history.
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

/// The number of a pair, by a key of its rows below those of its model.
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

/// The key in the index of times for the answer under `answer_key`.
pub(crate) fn answer_time_key(at: UnixMillis, answer_key: &[u8]) -> Vec<u8> {
    let whose = answer_key.split_first().map_or(&b""[..], |(_, whose)| whose);
    [ANSWER_TIMES, &moment_to_bytes(at), whose].concat()
}

/// Behind everything that was answered at a moment or before.
pub(crate) fn answer_times_end(until: UnixMillis) -> Vec<u8> {
    // No name begins with this byte.
    [ANSWER_TIMES, &moment_to_bytes(until), b"\xFF"].concat()
}

/// The moment at which an answer was given and the key of the answer, read from a key in the index of times.
pub(crate) fn answer_at(time_key: &[u8]) -> Option<(UnixMillis, Vec<u8>)> {
    let (at, whose) = time_key.strip_prefix(ANSWER_TIMES)?.split_first_chunk()?;
    Some((moment_from_bytes(*at), [b"r", whose].concat()))
}

/// The key of a model whose training can be claimed from the moment `since` on.
pub(crate) fn claim_key(since: UnixMillis, id: ModelId) -> Vec<u8> {
    [CLAIMABLE, &moment_to_bytes(since), &id.get().to_be_bytes()].concat()
}

/// Behind everything that can be claimed at a moment.
pub(crate) fn claims_end(at: UnixMillis) -> Vec<u8> {
    [CLAIMABLE, &moment_to_bytes(at), &u64::MAX.to_be_bytes()].concat()
}

/// Since when a training can be claimed, of which model, and whose that is.
pub(crate) fn claim(
    key: &[u8],
    row: &[u8],
) -> Result<(UnixMillis, Organisation, ModelId), StoreError> {
    let parts = || {
        let (since, id) = key.strip_prefix(CLAIMABLE)?.split_first_chunk()?;
        let id = ModelId::new(u64::from_be_bytes(id.try_into().ok()?)).ok()?;
        Some((moment_from_bytes(*since), organisation_from_bytes(row)?, id))
    };
    parts().ok_or_else(|| damaged("a claim on nothing"))
}

/// The ends of an organisation's history.
///
/// INVARIANT: `first` is at least 1, and at most the position behind `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HistoryBounds {
    /// The position of the first event that is kept; the one behind the last if none is.
    pub(crate) first: u64,
    /// The position of the last event; 0 if there was none.
    pub(crate) last: u64,
}

impl HistoryBounds {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&[FORM][..], &self.first.to_be_bytes(), &self.last.to_be_bytes()].concat()
    }

    /// The ends as they are stored; an organisation without a row has no history.
    pub(crate) fn from_row(row: Option<&[u8]>) -> Result<Self, StoreError> {
        let Some(row) = row else { return Ok(HistoryBounds { first: 1, last: 0 }) };
        let parts = || {
            let (first, last) = row.strip_prefix(&[FORM])?.split_first_chunk()?;
            let first = u64::from_be_bytes(*first);
            let last = u64::from_be_bytes(last.try_into().ok()?);
            let is_sound = first > 0 && last.checked_add(1).is_some_and(|behind| first <= behind);
            is_sound.then_some(HistoryBounds { first, last })
        };
        parts().ok_or_else(|| damaged("a history without ends"))
    }
}

/// An event as it is stored.
pub(crate) fn event_to_bytes(event: &NewEvent, model: ModelId) -> Result<Vec<u8>, StoreError> {
    let NewEvent { created_at, actor, event_type } = event;
    let mut row = vec![FORM];
    row.extend(created_at.unix_seconds().to_be_bytes());
    row.extend(model.get().to_be_bytes());
    push_text(&mut row, actor.as_str())?;
    row.extend(serde_json::to_vec(event_type).map_err(serialize_error)?);
    Ok(row)
}

/// An event, as it lies there.
pub(crate) fn event_at(key: &[u8], value: &[u8]) -> Result<Event, StoreError> {
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
    let parts = parts().ok_or_else(|| damaged("the row of an event that is none"))?;
    let (position, created_at, model, actor, json) = parts;
    let event_type = serde_json::from_slice(json);
    let event_type = event_type.map_err(|_| damaged("an event of no type"))?;
    Ok(NewEvent { created_at, actor, event_type }.at(position, model))
}

/// A pair of data as it is stored.
pub(crate) fn pair_to_bytes(pair: &DataPair) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(pair).map_err(serialize_error)?;
    Ok([&[FORM], json.as_slice()].concat())
}

/// A pair of data, as it lies there.
pub(crate) fn pair_at(key: &[u8], value: &[u8]) -> Result<DataPair, StoreError> {
    let json = value.strip_prefix(&[FORM]).ok_or_else(|| damaged("an unknown form of data"))?;
    let pair: Result<DataPair, _> = serde_json::from_slice(json);
    let pair = pair.map_err(|_| damaged("a pair of data that is none"))?;
    let is_its_own = parts_of::<12>(key)
        .is_some_and(|(_, number)| number.ends_with(&pair.id.get().to_be_bytes()));
    if is_its_own && pair.id.get() > 0 { Ok(pair) } else { Err(damaged("data of another number")) }
}

/// An answer as it is stored.
pub(crate) fn answer_to_bytes(key: &IdempotencyScope, kept: &IdempotencyRecord) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(kept).map_err(serialize_error)?;
    Ok([&[FORM], answer_key_to_bytes(key)?.as_slice(), &json].concat())
}

/// The answer that lies where that of a key does.
pub(crate) fn answer_from_bytes(
    key: &IdempotencyScope,
    value: &[u8],
) -> Result<IdempotencyRecord, StoreError> {
    let json = value.strip_prefix(&[FORM]);
    let json = json.and_then(|rest| rest.strip_prefix(answer_key_to_bytes(key).ok()?.as_slice()));
    let json = json.ok_or_else(|| damaged("an answer to something else"))?;
    serde_json::from_slice(json).map_err(|_| damaged("an answer that is none"))
}

/// An answer with its key, as it lies there.
pub(crate) fn answer_line(
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
    parts().ok_or_else(|| damaged("an answer that is none"))
}

fn answer_key_to_bytes(key: &IdempotencyScope) -> Result<Vec<u8>, StoreError> {
    let IdempotencyScope { operation, target, key } = key;
    let mut bytes = Vec::new();
    push_text(&mut bytes, operation.as_str())?;
    bytes.extend(target.map_or(0, ModelId::get).to_be_bytes());
    push_text(&mut bytes, key.as_str())?;
    Ok(bytes)
}

/// A text with its length before it.
fn push_text(row: &mut Vec<u8>, text: &str) -> Result<(), StoreError> {
    // The rules of names and keys leave no other case.
    let length = u8::try_from(text.len()).map_err(|_| damaged("a name beyond its bounds"))?;
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
