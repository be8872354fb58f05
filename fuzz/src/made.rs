//! The values written to a store, derived from a fuzzer's choices.

use std::time::Duration;

use custom_models_core::access::{Operation, RateLimit, Window, WindowKey};
use custom_models_core::field::{Description, Name};
use custom_models_core::model::{
    DataFile, DataId, DataType, Edit, Fence, Figure, LeaseTime, MetricName, NewModel, NewPair,
    Progress, TrainingMetrics,
};
use custom_models_core::store::{
    AdmissionRequest, Change, IdempotencyKey, IdempotencyScope, NewIdempotencyRecord,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{BaseModel, CreateModel, Language, Organisation, UpdateModel};

use crate::operations::{self, Model, Told};

/// The beginning of a run, in Unix milliseconds. All other times are relative to it.
const START: i64 = 1_700_000_000_000;

/// Returns the time this long after the beginning.
pub(crate) fn moment(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(START + millis)
}

/// Returns the time this many half days after the beginning; 24 hours are two of them.
pub(crate) fn half_days(count: u8) -> UnixMillis {
    let day = i64::try_from(NewIdempotencyRecord::KEPT_FOR.as_millis()).unwrap();
    // Odd ones are a millisecond early, so that two of them end a millisecond before 24 hours.
    moment(i64::from(count % 8) * day / 2 - i64::from(count % 2))
}

pub(crate) fn new_model(model: &Model<'_>) -> NewModel {
    let (first, last) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    let created_at = Timestamp::from_unix_seconds(model.created_at.clamp(first, last)).unwrap();
    let name = Name::new(model.name).unwrap_or_else(|_| Name::new("x").unwrap());
    let description = model.description.and_then(|text| Description::new(text).ok());
    let language = pick(Language::ALL, model.language);
    let base_model = pick(&BaseModel::ALL, model.base_model);
    CreateModel { name, language, base_model, description }.into_new_model(created_at)
}

/// Returns the admission of a request to a window of the organisation: three in a minute.
pub(crate) fn admission(organisation: &Organisation) -> AdmissionRequest {
    let key = NewIdempotencyRecord::digest(organisation.as_str().as_bytes());
    let key = WindowKey::new(key.as_bytes()).unwrap();
    let limit = RateLimit::new(3, Duration::from_secs(60)).unwrap();
    AdmissionRequest { window: Window { key, operation: Operation::Create }, limit }
}

/// Returns an actor that differs from those of other numbers.
pub(crate) fn actor(number: u8) -> Actor {
    Actor::new(format!("actor-{number}")).unwrap()
}

/// Returns a data pair that differs from those of other numbers, with this many hours of audio.
pub(crate) fn pair(number: u32, hours: u8) -> NewPair {
    let file = |name: &str| DataFile {
        filename: format!("{number}\0 語 {name}"),
        bytes: u64::from(number) << 30,
        sha256: NewIdempotencyRecord::digest(name.as_bytes()),
        content: format!("content {number} of {name}"),
    };
    NewPair {
        data_type: if number.is_multiple_of(4) { DataType::Test } else { DataType::Train },
        audio: file("a.wav"),
        audio_millis: u64::from(hours % 8) * 3_600_000,
        transcript: file("a.txt"),
    }
}

/// Returns an edit, or several in a row, with the number of the data, the pair to remove, and the worker's
/// claim.
pub(crate) fn edits(
    edit: &operations::Edit<'_>,
    number: u32,
    removed: DataId,
    fence: Fence,
) -> Vec<Edit> {
    let time = LeaseTime::default();
    let beat = |percent: u8| {
        let progress = Progress::new(percent % 101).unwrap();
        Edit::Heartbeat { fence, progress, time }
    };
    let fail = || Edit::Fail { fence, error: "'\0 語\"".into() };
    vec![match *edit {
        operations::Edit::Update { ref model, what } => {
            let new = new_model(model);
            let mut update = UpdateModel::default();
            update.name = (what % 3 != 1).then_some(new.name);
            update.description = (what % 3 != 2).then_some(new.description);
            Edit::from(update)
        }
        operations::Edit::Add { hours } => Edit::AddData(pair(number, hours)),
        operations::Edit::Remove(_) => Edit::RemoveData(removed),
        operations::Edit::Run => Edit::Run,
        operations::Edit::Cancel => Edit::Cancel,
        operations::Edit::Claim => Edit::Claim { time },
        operations::Edit::Heartbeat(percent) => beat(percent),
        operations::Edit::Succeed => succeed(fence),
        operations::Edit::Fail => fail(),
        operations::Edit::Expire => Edit::Expire,
        operations::Edit::Delete => Edit::Delete,
        operations::Edit::Training { steps } => {
            let data = NewPair { data_type: DataType::Train, ..pair(number, 5) };
            let end = if number.is_multiple_of(2) { fail() } else { succeed(fence) };
            let all = [Edit::AddData(data), Edit::Run, Edit::Claim { time }, beat(50), end];
            return all.into_iter().take(usize::from(steps % 6)).collect();
        }
    }]
}

fn succeed(fence: Fence) -> Edit {
    let figure = Figure::new(0.1 + 0.2).unwrap();
    let metrics = TrainingMetrics::new([(MetricName::WORD_ERROR_RATE, figure)]).unwrap();
    Edit::Succeed { fence, metrics }
}

/// Returns the idempotency record to request with a change.
pub(crate) fn answer(told: Told, change: &Change) -> NewIdempotencyRecord {
    let (operation, target) = match change {
        Change::Create { .. } => (Operation::Create, None),
        Change::Edit { id, edit, .. } => match **edit {
            Edit::AddData(_) => (Operation::Upload, Some(*id)),
            _ => (Operation::Update, Some(*id)),
        },
    };
    let key = IdempotencyKey::new(pick(&["a", "A", "'\\\""], told.key)).unwrap();
    let request = NewIdempotencyRecord::digest(&[told.half_days]);
    NewIdempotencyRecord { key: IdempotencyScope { operation, target, key }, request }
}

/// Returns the item of a non-empty list that a choice selects.
pub(crate) fn pick<T: Clone>(all: &[T], place: u8) -> T {
    all[usize::from(place) % all.len()].clone()
}
