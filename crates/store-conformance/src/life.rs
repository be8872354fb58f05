//! What belongs to a change and stands beside the models: events, data, and answers that are kept.

use custom_models_core::{
    Actor, AnswerForm, AnswerKey, Change, ContentDigest, CustomModel, DataChange, DataFile, DataId,
    DataPair, DataType, Event, EventPage, EventType, IdempotencyKey, KeptAnswer, Listing, ModelId,
    Moment, NewAnswer, NewEvent, Operation, Organisation, Write,
};

use crate::client::{ALL, Client};
use crate::sample::{model, moment, nth, unfit};
use crate::verdict::{Checked, ensure_eq};

/// When the clocks of the cases begin, in milliseconds.
const START: i64 = 1_700_000_000_000;

/// A moment so many milliseconds after the clocks of the cases begin.
pub(crate) fn at(millis: i64) -> Moment {
    Moment::from_unix_millis(START.saturating_add(millis))
}

pub(crate) fn actor(name: &str) -> Checked<Actor> {
    Actor::new(name.to_owned()).map_err(unfit)
}

/// An event that is like no other number's: one a second.
pub(crate) fn event(number: u64) -> Checked<NewEvent> {
    Ok(NewEvent {
        created_at: moment(1_700_000_000 + i64::try_from(number).map_err(unfit)?)?,
        actor: actor(&format!("actor-{number}"))?,
        event_type: EventType::Updated,
    })
}

pub(crate) fn data_id(number: u32) -> Checked<DataId> {
    DataId::new(number).map_err(unfit)
}

/// A pair that is like no other number's.
pub(crate) fn pair(number: u32) -> Checked<DataPair> {
    Ok(DataPair {
        id: data_id(number)?,
        data_type: nth(&DataType::ALL, number.into())?,
        audio: file(&format!("audio {number}.wav"), 1000 + u64::from(number)),
        audio_millis: 60_000 + u64::from(number),
        transcript: file(&format!("transcript {number}.txt"), 10 + u64::from(number)),
        created_at: moment(1_700_000_000 + i64::from(number))?,
    })
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
    NewAnswer::digest(body.as_bytes())
}

pub(crate) fn answer_key(
    operation: Operation,
    target: Option<ModelId>,
    key: &str,
) -> Checked<AnswerKey> {
    let key = IdempotencyKey::new(key.to_owned()).map_err(unfit)?;
    Ok(AnswerKey { operation, target, key })
}

/// The answer to a create, with the model.
pub(crate) fn create_answer(key: &str, millis: i64) -> Checked<NewAnswer> {
    Ok(NewAnswer {
        key: answer_key(Operation::Create, None, key)?,
        request: digest(key),
        at: at(millis),
        form: AnswerForm::Model { status: 201 },
    })
}

/// The answer to an upload, with a body of its own.
pub(crate) fn upload_answer(target: ModelId, key: &str, millis: i64) -> Checked<NewAnswer> {
    let body = format!("{{\"message\":\"\u{e9} \\\"語\\\" of {key} at {millis}\"}}");
    Ok(NewAnswer {
        key: answer_key(Operation::Upload, Some(target), key)?,
        request: digest(key),
        at: at(millis),
        form: AnswerForm::Body { status: 200, body },
    })
}

/// How long an answer is live, in milliseconds.
pub(crate) fn kept_for() -> i64 {
    i64::try_from(NewAnswer::KEPT_FOR.as_millis()).unwrap_or(i64::MAX)
}

/// The model after a change that makes it look like another number's.
pub(crate) fn changed(before: &CustomModel, number: u64) -> Checked<CustomModel> {
    let new = model(number)?;
    Ok(CustomModel {
        name: new.name,
        description: new.description,
        updated_at: new.created_at.max(before.updated_at),
        stamp: before.revision().next().into(),
        ..before.clone()
    })
}

/// The change from one model to another, which keeps its data.
pub(crate) fn update(before: &CustomModel, after: &CustomModel) -> Change {
    with_data(before, after, DataChange::Keep)
}

pub(crate) fn with_data(before: &CustomModel, after: &CustomModel, data: DataChange) -> Change {
    Change::Update { model: Box::new(after.clone()), stamp: before.stamp, data }
}

/// A change with its event.
pub(crate) fn logged(organisation: &Organisation, change: Change, event: NewEvent) -> Write {
    Write { event: Some(event), ..Write::new(organisation.clone(), change) }
}

/// Adds a pair to a model, and returns the model as it is then.
#[track_caller]
pub(crate) fn add_pair(
    store: &Client,
    organisation: &Organisation,
    model: &CustomModel,
    pair: &DataPair,
) -> Checked<CustomModel> {
    let after = changed(model, pair.id.get().into())?;
    let change = with_data(model, &after, DataChange::Add(pair.clone()));
    let event = NewEvent {
        event_type: EventType::DataAdded { data_id: pair.id },
        ..event(pair.id.get().into())?
    };
    store.updated(logged(organisation, change, event))?;
    Ok(after)
}

/// All that an organisation has, as far as a store shows it.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    listing: Listing,
    history: EventPage,
    data: Vec<Vec<DataPair>>,
    answers: Vec<Option<KeptAnswer>>,
}

impl Everything {
    /// Reads it; answers cannot be listed, so those of these keys.
    pub(crate) fn of(
        store: &Client,
        organisation: &Organisation,
        keys: &[AnswerKey],
    ) -> Checked<Everything> {
        let listing = store.list(organisation, &ALL)?;
        let data =
            listing.models.iter().map(|model| store.data(organisation, model.id, 0, u32::MAX));
        let answers = keys.iter().map(|key| store.answer(organisation, key));
        Ok(Everything {
            data: data.collect::<Result<_, _>>()?,
            answers: answers.collect::<Result<_, _>>()?,
            history: store.events(organisation, 0, u32::MAX)?,
            listing,
        })
    }
}

/// The organisation has these events and no other, from position 1 on.
#[track_caller]
pub(crate) fn expect_history(
    store: &Client,
    organisation: &Organisation,
    events: &[Event],
) -> Checked {
    let last = events.len() as u64;
    let right = EventPage { events: events.to_vec(), last, first: 1 };
    ensure_eq!(store.events(organisation, 0, u32::MAX)?, right, "the history of {organisation}");
    Ok(())
}
