//! Helpers that the tests share: generators, an independent JSON parser, stores with scripted outcomes.

mod clock;
mod executor;
mod house;
mod json;
mod stores;
mod tape;
mod well_formed;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{
    ContentDigest, DataFile, DataTotals, DataType, NewPair, TrainingState, TrainingStatus,
};
use custom_models_core::store::ModelStore;
use custom_models_core::time::Timestamp;
use custom_models_core::{Caller, CreateModel, CustomModel, Engine, ModelId, Plan, Violations};
use proptest::prelude::ProptestConfig;

pub(crate) use clock::Clock;
pub(crate) use executor::block_on;
pub(crate) use house::{House, api_key, second};
pub(crate) use json::{Json, expected, key, keys, quoted, render};
pub(crate) use stores::{Call, Recorder, Scripted};
pub(crate) use tape::{Tape, mutate, tape};
pub(crate) use well_formed::{Shape, shape, shorten_numbers};

/// Returns proptest's default configuration, which reads `PROPTEST_CASES`, without files of failures.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// The characters with the Unicode property White_Space.
pub(crate) const WHITE_SPACE: [char; 25] = [
    '\u{9}', '\u{A}', '\u{B}', '\u{C}', '\u{D}', '\u{20}', '\u{85}', '\u{A0}', '\u{1680}',
    '\u{2000}', '\u{2001}', '\u{2002}', '\u{2003}', '\u{2004}', '\u{2005}', '\u{2006}', '\u{2007}',
    '\u{2008}', '\u{2009}', '\u{200A}', '\u{2028}', '\u{2029}', '\u{202F}', '\u{205F}', '\u{3000}',
];

/// The codes of the supported languages.
pub(crate) const LANGUAGES: &str = "en nl fr de es it pt pl cs da fi el hu no ro sk sv \
     ar he tr fa zh ja ko hi th id vi ru uk ms ta te";

pub(crate) fn is_language(code: &str) -> bool {
    LANGUAGES.split(' ').any(|known| known == code)
}

/// The fields that the rules name, in the order of `details`.
pub(crate) const NAMED: [(&str, Field); 4] = [
    ("name", Field::Name),
    ("language", Field::Language),
    ("base_model", Field::BaseModel),
    ("description", Field::Description),
];

/// Returns the violated fields and the kinds of their violations, in the order of `details`.
pub(crate) fn kinds(violations: &Violations) -> Vec<(Field, ViolationKind)> {
    violations.iter().map(|violation| (violation.field(), violation.kind())).collect()
}

/// Returns the violations of a body; none if it is valid.
pub(crate) fn violated(body: &str) -> Vec<(Field, ViolationKind)> {
    match CreateModel::from_json(body.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(violations) => kinds(&violations),
    }
}

/// Returns the message about one field of a body, if it is violated.
pub(crate) fn message(body: &str, field: Field) -> Option<String> {
    let violations = CreateModel::from_json(body.as_bytes()).err()?;
    violations.get(field).map(|violation| violation.to_string())
}

/// Returns a body with `members`, followed by all required fields.
pub(crate) fn with_required(members: &str) -> String {
    let separator = if members.is_empty() { "" } else { "," };
    format!(r#"{{{members}{separator}"name":"n","language":"en"}}"#)
}

/// The time of the clock of [`engine`].
pub(crate) const NOW: &str = "2025-01-15T10:00:00Z";

pub(crate) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_736_935_200)
}

pub(crate) fn engine(store: impl ModelStore + 'static) -> Engine {
    Engine::new(Arc::new(store), clock)
}

pub(crate) fn caller(organisation: &str, plan: Plan) -> Caller {
    Caller::new(organisation.parse().unwrap(), plan)
}

pub(crate) fn request(name: &str) -> CreateModel<'_> {
    CreateModel::builder().name(name).language("en").build().unwrap()
}

pub(crate) fn id(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

/// Returns a model as a store would create it from [`request`].
pub(crate) fn stored(number: u64, name: &str) -> CustomModel {
    let now: Timestamp = NOW.parse().unwrap();
    request(name).into_new_model(now).with_id(id(number))
}

/// Returns a training state with this status, with 5 hours of data if the status needs them.
pub(crate) fn training(status: TrainingStatus) -> TrainingState {
    let data = format!(
        r#"{{"train_millis":{},"train_pairs":1,"test_millis":0,"test_pairs":0,"last_id":1}}"#,
        DataTotals::ENOUGH.as_millis()
    );
    let state = match status {
        TrainingStatus::NotRunning => return TrainingState::default(),
        TrainingStatus::ReadyToRun => r#"{"ready_to_run":{}}"#,
        TrainingStatus::Running => {
            r#"{"running":{"run":{"started_at":"2025-01-15T10:00:00Z","progress":0,"attempts":0,"lease":null}}}"#
        }
        TrainingStatus::Success => {
            r#"{"success":{"started_at":"2025-01-15T10:00:00Z","finished_at":"2025-01-15T22:00:00Z","metrics":{}}}"#
        }
        TrainingStatus::Failed => {
            r#"{"failed":{"started_at":"2025-01-15T10:00:00Z","failed_at":"2025-01-15T22:00:00Z","progress":7,"error":"e"}}"#
        }
    };
    let record = format!(r#"{{"state":{state},"data":{data},"last_fence":0}}"#);
    TrainingState::from_record(status, Some(&record)).unwrap()
}

/// Returns a data pair of this many seconds.
pub(crate) fn pair(data_type: DataType, seconds: u64) -> NewPair {
    let file = |filename: &str| DataFile {
        filename: filename.to_owned(),
        bytes: 1,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: "content".to_owned(),
    };
    NewPair {
        data_type,
        audio: file("a.wav"),
        audio_millis: seconds * 1000,
        transcript: file("a.txt"),
    }
}
