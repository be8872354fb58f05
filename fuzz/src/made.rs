//! What is written to a store, made of a fuzzer's choices.

use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::{
    Actor, AnswerForm, AnswerKey, BaseModel, Caller, Change, Course, CreateModel, DataFile, DataId,
    DataPair, DataType, Description, Edit, Engine, EventType, Expected, IdempotencyKey, Language,
    LeaseTime, MemoryStore, Moment, Name, NewAnswer, NewEvent, NewModel, NewPair, Operation, Plan,
    Progress, Timestamp, TrainingMetrics,
};

use crate::operations::{Model, Told};
use crate::stores::pick;

/// When what has a time happens, in milliseconds.
const START: i64 = 1_700_000_000_000;

/// A moment so long after the beginning.
pub(crate) fn moment(millis: i64) -> Moment {
    Moment::from_unix_millis(START + millis)
}

/// A moment so many half days after the beginning; 24 hours are two of them.
pub(crate) fn half_days(count: u8) -> Moment {
    let day = i64::try_from(NewAnswer::KEPT_FOR.as_millis()).unwrap();
    // Odd ones come a millisecond early, so that two of them end a millisecond before 24 hours.
    moment(i64::from(count % 8) * day / 2 - i64::from(count % 2))
}

pub(crate) fn new_model(model: &Model<'_>) -> NewModel {
    let (first, last) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    let created_at = Timestamp::from_unix_seconds(model.created_at.clamp(first, last)).unwrap();
    let name = Name::new(model.name).unwrap_or_else(|_| Name::new("x").unwrap());
    let description = model.description.and_then(|text| Description::new(text).ok());
    let language = pick(&Language::ALL, model.language);
    let base_model = pick(&BaseModel::ALL, model.base_model);
    NewModel::new(CreateModel { name, language, base_model, description }, created_at)
}

/// An event that is like no other number's.
pub(crate) fn event(number: u8) -> NewEvent {
    let error = format!("'\0 語\" {number}");
    let training_progress = Progress::new(number % 101).unwrap();
    let kinds = [
        EventType::Updated,
        EventType::DataRemoved { data_id: DataId::new(u32::MAX).unwrap() },
        EventType::TrainingProgressed { training_progress },
        EventType::TrainingFailed { error },
    ];
    NewEvent {
        created_at: moment(i64::from(number % 32) * 1000).into(),
        actor: Actor::new(format!("actor-{number}")).unwrap(),
        event_type: pick(&kinds, number),
    }
}

/// A pair that is like no other number's.
pub(crate) fn pair(number: u32) -> DataPair {
    let NewPair { data_type, audio, audio_millis, transcript } = new_pair(number);
    let created_at = moment(i64::from(number) * 1000).into();
    let id = DataId::new(number).unwrap();
    DataPair { id, data_type, audio, audio_millis, transcript, created_at }
}

fn new_pair(number: u32) -> NewPair {
    let file = |name: &str| DataFile {
        filename: format!("{number}\0 語 {name}"),
        bytes: u64::from(number) << 30,
        sha256: NewAnswer::digest(name.as_bytes()),
        content: format!("content {number} of {name}"),
    };
    NewPair {
        data_type: if number.is_multiple_of(4) { DataType::Test } else { DataType::Train },
        audio: file("a.wav"),
        audio_millis: 18_000_000,
        transcript: file("a.txt"),
    }
}

/// The answer to a change; nothing is kept of a delete.
pub(crate) fn answer(told: Told, change: &Change) -> Option<NewAnswer> {
    let (operation, target) = match change {
        Change::Create { .. } => (Operation::Create, None),
        Change::Update { model, .. } => (Operation::Upload, Some(model.id)),
        Change::Edit { .. } | Change::Delete { .. } => return None,
    };
    let key = IdempotencyKey::new(pick(&["a", "A", "'\\\""], told.key)).unwrap();
    let body = format!("{{\"é\":{}}}", told.half_days);
    let form = if told.has_body {
        AnswerForm::Body { status: 200, body }
    } else {
        AnswerForm::Model { status: 201 }
    };
    Some(NewAnswer {
        key: AnswerKey { operation, target, key },
        request: NewAnswer::digest(&[told.half_days]),
        at: half_days(told.half_days),
        form,
    })
}

/// A course of every kind.
pub(crate) fn courses() -> &'static [Course] {
    static COURSES: OnceLock<Vec<Course>> = OnceLock::new();
    COURSES.get_or_init(made_courses)
}

fn made_courses() -> Vec<Course> {
    let now = || UNIX_EPOCH + Duration::from_millis(u64::try_from(START).unwrap());
    let engine = Engine::new(MemoryStore::new(), now);
    let caller = Caller::new("drafts".parse().unwrap(), Plan::enterprise());
    let worker = Actor::new("worker").unwrap();
    let mut courses = Vec::new();
    for end in 0..7 {
        let request = CreateModel::from_json(br#"{"name":"x","language":"en"}"#).unwrap();
        let id = engine.create(&caller, request).unwrap().id;
        let edit = |edit| engine.edit(&caller, id, edit, &Expected::Anything).unwrap();
        if end > 0 {
            edit(Edit::AddData(new_pair(1)));
        }
        if end > 1 {
            edit(Edit::Run);
            let claimed = engine.claim(&worker, None, LeaseTime::default()).unwrap().unwrap();
            let fence = claimed.fence;
            let (progress, time) = (Progress::new(50).unwrap(), LeaseTime::default());
            let metrics = TrainingMetrics::default();
            match end {
                2 => drop(edit(Edit::Beat { fence, progress, time })),
                3 => drop(edit(Edit::Fail { fence, error: "no".into() })),
                _ => drop(edit(Edit::Succeed { fence, metrics })),
            }
        }
        if end > 4 {
            edit(Edit::AddData(new_pair(2)));
        }
        if end > 5 {
            edit(Edit::Run);
        }
        courses.push(engine.get(&caller, id).unwrap().course);
    }
    courses
}
