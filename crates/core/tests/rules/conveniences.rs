//! Common uses of the crate: errors with `?`, builders, comparisons, times.

use std::borrow::Cow;
use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::field::{Description, Field, Name, ViolationKind};
use custom_models_core::request::OptionalText;
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{BaseModel, CreateModel, Language, Refusal, UpdateModel};
use proptest::prelude::*;

use crate::support::{config, kinds};

/// Returns the error of a body that is dropped on the way.
fn refused(body: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    CreateModel::from_json(body.as_bytes())?;
    Name::new(&*body)?;
    UpdateModel::from_json(body.as_bytes())?;
    Ok(())
}

#[test]
fn body_5_an_error_outlives_its_body_and_keeps_no_more_of_it_than_it_shows() {
    for text in ["x", "語", "\u{202E}"] {
        let [short, long] = [40, 60_000].map(|length| {
            let body = format!(r#"{{"name":"n","language":"{}"}}"#, text.repeat(length));
            refused(body).unwrap_err()
        });
        assert_eq!(format!("{short} {short:?}"), format!("{long} {long:?}"));
    }
}

#[test]
fn body_4_violations_are_iterated_by_reference() {
    let violations = CreateModel::from_json(br#"{"name":"","language":"xx"}"#).unwrap_err();
    let mut found = Vec::new();
    for violation in &violations {
        found.push((violation.field(), violation.kind()));
    }
    let expected =
        [(Field::Name, ViolationKind::Blank), (Field::Language, ViolationKind::Unsupported)];
    assert_eq!(found, expected);
    assert_eq!(kinds(&violations), expected);
}

#[test]
fn body_4_a_builder_takes_every_form_of_a_text() {
    fn built<'a>(name: impl OptionalText<'a>) -> CreateModel<'a> {
        CreateModel::builder().name(name).language(Language::Nl).build().unwrap()
    }
    let owned = String::from("n");
    let expected = built("n");
    for other in [
        built(&owned),
        built(owned.clone()),
        built(Some("n")),
        built(Some(owned.clone())),
        built(Some(&owned)),
        built(Cow::Borrowed("n")),
        built(Name::new("n").unwrap()),
    ] {
        assert_eq!(other, expected);
    }
    let described = |description| {
        let request = CreateModel::builder().name("n").language(Language::Nl);
        request.base_model(BaseModel::General).description(description).build().unwrap()
    };
    assert_eq!(described(None), expected);
    let description = Description::new("d").unwrap();
    assert_eq!(described(Some(description.clone())).description, Some(description));
    let missing = CreateModel::builder().name("n").name(None::<&str>).language("nl").build();
    assert_eq!(kinds(&missing.unwrap_err()), [(Field::Name, ViolationKind::Missing)]);
}

#[test]
fn edit_1_an_update_leaves_what_is_none() {
    let update =
        UpdateModel::builder().name(None::<String>).description(Some("d")).build().unwrap();
    assert_eq!((update.name, update.description), (None, Some(Description::new("d").ok())));
    let nothing = UpdateModel::builder().name(None::<&str>).description(None::<&str>).build();
    assert_eq!(kinds(&nothing.unwrap_err()), [(Field::Body, ViolationKind::NothingToChange)]);
}

#[test]
fn refusals_are_compared_and_faults_of_a_store_by_their_kind() {
    let fault = |kind, cause: &str| Refusal::from(StoreError::new(kind, cause));
    assert_eq!(fault(StoreErrorKind::Full, "a"), fault(StoreErrorKind::Full, "b"));
    assert_ne!(fault(StoreErrorKind::Full, "a"), fault(StoreErrorKind::Failed, "a"));
    assert_eq!(Refusal::ModelNotFound, Refusal::ModelNotFound);
    let exceeded = |current_models| Refusal::QuotaExceeded {
        current_models,
        plan_limit: 5,
        plan: "Gold".into(),
    };
    assert_ne!(exceeded(5), exceeded(6));
    let invalid = |name: &str| {
        Refusal::from(CreateModel::builder().name(name).language("en").build().unwrap_err())
    };
    assert_eq!(invalid(""), invalid(" "));
    assert_ne!(invalid(""), invalid(&"x".repeat(201)));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn model_4_a_time_is_the_clock_s_again(
        seconds in Timestamp::MIN.unix_seconds()..=Timestamp::MAX.unix_seconds(),
        millis in any::<i64>(),
    ) {
        let moment = Timestamp::from_unix_seconds(seconds).unwrap();
        prop_assert_eq!(Timestamp::from(SystemTime::from(moment)), moment);
        let moment = UnixMillis::from_unix_millis(millis);
        prop_assert_eq!(UnixMillis::from(SystemTime::from(moment)), moment);
    }
}

#[test]
fn model_4_times_on_both_sides_of_1970() {
    let second = Duration::from_secs(1);
    for (moment, expected) in [
        ("1969-12-31T23:59:59Z", UNIX_EPOCH - second),
        ("1970-01-01T00:00:00Z", UNIX_EPOCH),
        ("1970-01-01T00:00:01Z", UNIX_EPOCH + second),
    ] {
        assert_eq!(SystemTime::from(moment.parse::<Timestamp>().unwrap()), expected);
    }
}
