//! MODEL-3 to MODEL-5: the fields of a new model.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use custom_models_core::model::{Revision, TrainingStatus, Version};
use custom_models_core::time::{InvalidTimestamp, Timestamp, UnixMillis};
use custom_models_core::{
    BaseModel, CreateModel, CustomModel, Engine, Language, MemoryStore, Plan,
};
use proptest::prelude::*;

use crate::support::{Tape, caller, config, engine, id, keys, request, tape};

/// Creates a model, with fields from the tape.
fn created(tape: &mut Tape) -> CustomModel {
    let name = format!("n{}", tape.text().chars().take(199).collect::<String>());
    let description: String = tape.text().chars().take(1000).collect();
    let mut builder = CreateModel::builder().name(&*name).language(tape.of(Language::ALL).as_str());
    if tape.below(2) == 0 {
        builder = builder.base_model(tape.of(&BaseModel::ALL).as_str());
    }
    if tape.below(2) == 0 {
        builder = builder.description(&*description);
    }
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    engine.create(&caller, builder.build().unwrap()).unwrap()
}

/// Returns the date and time of a second, by another implementation of the calendar.
fn calendar(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339_opts(SecondsFormat::Secs, true)
}

const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

fn moment(seconds: i64, nanoseconds: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let fraction = Duration::from_nanos(nanoseconds.into());
    if seconds < 0 { UNIX_EPOCH - whole + fraction } else { UNIX_EPOCH + whole + fraction }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn model_3_a_new_model_is_not_running_and_says_what_to_do(mut tape in tape()) {
        let model = created(&mut tape);
        prop_assert_eq!(model.training_status(), TrainingStatus::NotRunning);
        prop_assert_eq!(model.version, Version::from(Revision::FIRST));
        let wire = serde_json::to_value(&model).unwrap();
        prop_assert_eq!(&wire["training_status"], 1);
        prop_assert_eq!(&wire["status_message"], "Model created. Upload training data to begin.");
    }

    #[test]
    fn model_4_a_new_model_carries_the_second_of_the_clock_twice(
        seconds in prop_oneof![FIRST..=LAST, -5..5i64, 0..4_000_000_000i64],
        nanoseconds in 0..1_000_000_000u32,
    ) {
        let now = moment(seconds, nanoseconds);
        let engine = Engine::new(Arc::new(MemoryStore::new()), move || now);
        let caller = caller("acme", Plan::gold());
        let model = engine.create(&caller, request("n")).unwrap();
        prop_assert_eq!(model.created_at, model.updated_at);
        prop_assert_eq!(model.created_at.unix_seconds(), seconds);
        let wire = serde_json::to_value(&model).unwrap();
        prop_assert_eq!(&wire["created_at"], &calendar(seconds));
        prop_assert_eq!(&wire["updated_at"], &calendar(seconds));
    }

    #[test]
    fn model_4_a_moment_is_read_as_it_is_written(seconds in FIRST..=LAST, mut tape in tape()) {
        let moment = Timestamp::from_unix_seconds(seconds).unwrap();
        let text = moment.to_string();
        prop_assert_eq!(&text, &calendar(seconds));
        prop_assert_eq!(text.parse(), Ok(moment));
        let json = serde_json::to_string(&moment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
        // With any other character the text is another time or none, never the same one.
        let mut other: Vec<char> = text.chars().collect();
        let at = tape.below(other.len());
        other[at] = tape.character();
        let other: String = other.into_iter().collect();
        if let Ok(read) = other.parse::<Timestamp>() {
            prop_assert_eq!(read.to_string(), other);
        }
    }

    #[test]
    fn model_5_the_answer_has_the_ten_fields_in_their_order(mut tape in tape()) {
        let json = serde_json::to_string(&created(&mut tape)).unwrap();
        prop_assert_eq!(
            keys(&json),
            [
                "id", "model_key", "name", "description", "language", "base_model",
                "training_status", "status_message", "created_at", "updated_at",
            ]
        );
    }
}

#[test]
fn model_4_a_clock_out_of_range_gives_the_nearest_moment_that_can_be_shown() {
    assert_eq!(calendar(FIRST), "0000-01-01T00:00:00Z");
    assert_eq!(calendar(LAST), "9999-12-31T23:59:59Z");
    for (seconds, shown) in [(FIRST - 1, FIRST), (FIRST, FIRST), (LAST, LAST), (LAST + 1, LAST)] {
        assert_eq!(Timestamp::from(moment(seconds, 0)).to_string(), calendar(shown));
        assert_eq!(Timestamp::from_unix_seconds(seconds).is_ok(), seconds == shown);
    }
    assert_eq!(Timestamp::MIN.unix_seconds(), FIRST);
    assert_eq!(Timestamp::MAX.unix_seconds(), LAST);
}

#[test]
fn model_4_the_end_of_every_february_is_shown_as_the_calendar_has_it() {
    const DAY: i64 = 86_400;
    for year in 0..=9999 {
        let march: Timestamp = format!("{year:04}-03-01T00:00:00Z").parse().unwrap();
        for seconds in [2, 1, 0].map(|days| march.unix_seconds() - days * DAY) {
            let shown = Timestamp::from_unix_seconds(seconds).unwrap().to_string();
            assert_eq!(shown, calendar(seconds));
        }
    }
}

#[test]
fn a_time_is_rounded_down_and_shown_as_the_nearest_moment() {
    let before = |nanoseconds| UnixMillis::from(UNIX_EPOCH - Duration::from_nanos(nanoseconds));
    for (nanoseconds, millis) in [(0, 0), (1, -1), (1_000_000, -1), (1_000_001, -2)] {
        assert_eq!(before(nanoseconds), UnixMillis::from_unix_millis(millis), "{nanoseconds}");
    }
    for (nanoseconds, seconds) in [(0, 0), (1, -1), (1_000_000_000, -1), (1_000_000_001, -2)] {
        let moment = Timestamp::from(UNIX_EPOCH - Duration::from_nanos(nanoseconds));
        assert_eq!(moment.unix_seconds(), seconds, "{nanoseconds}");
    }
    for (millis, seconds) in [(i64::MIN, FIRST), (-1, -1), (0, 0), (1999, 1), (i64::MAX, LAST)] {
        let moment = UnixMillis::from_unix_millis(millis);
        assert_eq!(Timestamp::from(moment).unix_seconds(), seconds);
        if millis.unsigned_abs() < 9999 {
            assert_eq!(UnixMillis::from(SystemTime::from(moment)), moment);
        }
    }
}

#[test]
fn model_4_texts_that_are_not_of_the_form_are_refused() {
    for text in [
        "2025-01-15T10:00:00",
        "2025-01-15 10:00:00Z",
        "2025-01-15T10:00:00z",
        "2025-01-15T10:00:00+00:00",
        "2025-01-15T10:00:00.0Z",
        "2025-1-15T10:00:00Z",
        "+2025-01-15T10:00:00Z",
        "+025-01-15T10:00:00Z",
        "2025-01-15T10:00:+1Z",
        "2025-01-15T10:00:00ZZ",
        "2025-01-15T10:00:0\u{e9}Z",
        "2025-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2025-00-15T10:00:00Z",
        "2025-13-15T10:00:00Z",
        "2025-01-00T10:00:00Z",
        "2025-04-31T10:00:00Z",
        "0000-00-00T00:00:00Z",
        "2025-01-15T10:60:00Z",
        "2025-01-15T24:00:00Z",
        "2025-01-15T10:00:60Z",
        " 2025-01-15T10:00:00Z",
        "10000-01-01T00:00:00Z",
        "",
    ] {
        assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text:?}");
    }
}

#[test]
fn model_4_the_clock_is_asked_at_every_create() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let ticks = AtomicU64::new(0);
    let engine = Engine::new(Arc::new(MemoryStore::new()), move || {
        UNIX_EPOCH + Duration::from_secs(ticks.fetch_add(1, Ordering::Relaxed))
    });
    let caller = caller("acme", Plan::gold());
    for second in 0..5 {
        let model = engine.create(&caller, request("n")).unwrap();
        assert_eq!(model.created_at.unix_seconds(), second);
    }
}

#[test]
fn model_5_a_description_that_is_not_there_is_null() {
    let model = crate::support::stored(7, "n");
    assert_eq!(
        serde_json::to_string(&model).unwrap(),
        concat!(
            r#"{"id":7,"model_key":"custom_model_7","name":"n","description":null,"language":"en","#,
            r#""base_model":"general","training_status":1,"#,
            r#""status_message":"Model created. Upload training data to begin.","#,
            r#""created_at":"2025-01-15T10:00:00Z","updated_at":"2025-01-15T10:00:00Z"}"#
        )
    );
    assert_eq!(model.id, id(7));
}
