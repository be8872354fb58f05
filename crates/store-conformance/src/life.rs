//! Records stored together with a change: events, data and idempotency records.

use custom_models_core::access::Operation;
use custom_models_core::field::{Description, Name};
use custom_models_core::model::{
    ContentDigest, DataFile, DataId, DataPair, DataType, Edit, EventType, Expected, NewEvent,
    NewPair, Revision,
};
use custom_models_core::store::{
    Change, IdempotencyKey, IdempotencyScope, NewIdempotencyRecord, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{ModelId, Organisation, UpdateModel};

use crate::sample::{model, nth, unfit};
use crate::verdict::Checked;

/// The time at which the clocks of the cases begin, in milliseconds.
const START: i64 = 1_700_000_000_000;

/// Returns the time this many milliseconds after the clocks of the cases begin.
pub(crate) fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(START.saturating_add(millis))
}

pub(crate) fn actor(name: &str) -> Checked<Actor> {
    Actor::new(name.to_owned()).map_err(unfit)
}

/// Converts a timestamp to milliseconds.
pub(crate) fn moment_of(time: Timestamp) -> UnixMillis {
    UnixMillis::from_unix_millis(time.unix_seconds() * 1000)
}

/// Returns the time of the change with this number: one per second.
pub(crate) fn time_of(number: u64) -> Checked<UnixMillis> {
    Ok(at(1000 * i64::try_from(number).map_err(unfit)?))
}

/// Returns the event of the edit with this number ([`numbered`]), if that is an update. It differs from all
/// others.
pub(crate) fn event(number: u64) -> Checked<NewEvent> {
    Ok(NewEvent {
        created_at: time_of(number)?.into(),
        actor: actor(&format!("actor-{number}"))?,
        event_type: EventType::Updated,
    })
}

/// Returns a write of a change, with an actor and a time of this number.
pub(crate) fn numbered(of: &Organisation, number: u64, change: Change) -> Checked<Write> {
    let NewEvent { actor, .. } = event(number)?;
    Ok(Write::new(of.clone(), actor, time_of(number)?, change))
}

pub(crate) fn data_id(number: u32) -> Checked<DataId> {
    DataId::new(number).map_err(unfit)
}

/// Returns a data pair that differs from those of all other numbers.
pub(crate) fn new_pair(number: u32) -> Checked<NewPair> {
    Ok(NewPair {
        data_type: nth(&DataType::ALL, number.into())?,
        audio: file(&format!("audio {number}.wav"), 1000 + u64::from(number)),
        audio_millis: 60_000 + u64::from(number),
        transcript: file(&format!("transcript {number}.txt"), 10 + u64::from(number)),
    })
}

/// Returns the pair of this number, which [`add_pair`] adds to a model that had all numbers before it.
pub(crate) fn pair(number: u32) -> Checked<DataPair> {
    paired(number, new_pair(number)?, time_of(number.into())?)
}

/// Returns a data pair as stored under a number.
pub(crate) fn paired(number: u32, new: NewPair, at: UnixMillis) -> Checked<DataPair> {
    let NewPair { data_type, audio, audio_millis, transcript } = new;
    let (id, created_at) = (data_id(number)?, at.into());
    Ok(DataPair { id, data_type, audio, audio_millis, transcript, created_at })
}

pub(crate) fn file(filename: &str, bytes: u64) -> DataFile {
    DataFile {
        filename: filename.to_owned(),
        bytes,
        sha256: digest(filename),
        content: format!("content of {filename}"),
    }
}

pub(crate) fn digest(body: &str) -> ContentDigest {
    NewIdempotencyRecord::digest(body.as_bytes())
}

pub(crate) fn answer_key(
    operation: Operation,
    target: Option<ModelId>,
    key: &str,
) -> Checked<IdempotencyScope> {
    let key = IdempotencyKey::new(key.to_owned()).map_err(unfit)?;
    Ok(IdempotencyScope { operation, target, key })
}

/// Returns the idempotency record of a create.
pub(crate) fn create_answer(key: &str) -> Checked<NewIdempotencyRecord> {
    let request = digest(key);
    Ok(NewIdempotencyRecord { key: answer_key(Operation::Create, None, key)?, request })
}

/// Returns the idempotency record of an upload.
pub(crate) fn upload_answer(target: ModelId, key: &str) -> Checked<NewIdempotencyRecord> {
    let request = digest(key);
    Ok(NewIdempotencyRecord { key: answer_key(Operation::Upload, Some(target), key)?, request })
}

/// Returns the lifetime of an idempotency record, in milliseconds.
pub(crate) fn kept_for() -> i64 {
    i64::try_from(NewIdempotencyRecord::KEPT_FOR.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the edit that gives a model the texts of another number.
pub(crate) fn like(number: u64) -> Checked<Edit> {
    let new = model(number)?;
    Ok(update(Some(new.name), Some(new.description)))
}

pub(crate) fn update(
    name: Option<Name<'static>>,
    description: Option<Option<Description<'static>>>,
) -> Edit {
    let mut update = UpdateModel::default();
    (update.name, update.description) = (name, description);
    Edit::from(update)
}

/// Returns an edit of a model at any revision.
pub(crate) fn edit(id: ModelId, edit: Edit) -> Change {
    Change::Edit { id, edit: Box::new(edit), expected: Expected::Anything }
}

/// Returns an edit of a model that expects this revision.
pub(crate) fn edit_at(id: ModelId, revision: Revision, edit: Edit) -> Change {
    Change::Edit { id, edit: Box::new(edit), expected: Expected::OneOf(vec![revision]) }
}
