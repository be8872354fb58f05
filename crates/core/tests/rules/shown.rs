//! Values as a programmer or a log sees them: by `Display`, by `Debug`, and in the errors of serde.

use std::fmt::{Debug, Display};

use custom_models_core::field::{MetricFault, ViolationKind};
use custom_models_core::model::{
    ContentDigest, DataId, DataType, Fence, Figure, MetricName, Revision, TrainingMetrics,
    TrainingStatus,
};
use custom_models_core::request::CreateParameters;
use custom_models_core::store::StoreIdentity;
use custom_models_core::time::UnixMillis;
use custom_models_core::{CreateModel, Plan};
use serde::de::DeserializeOwned;

#[test]
fn values_are_displayed_as_the_api_names_them() {
    let millis = UnixMillis::from_unix_millis;
    let all: [(&dyn Display, &str); 13] = [
        (&ViolationKind::NotJson, "not_json"),
        (&ViolationKind::Metric(MetricFault::TooMany), "too_many_metrics"),
        (&DataType::Train, "train"),
        (&DataType::Test, "test"),
        (&DataId::new(7).unwrap(), "7"),
        (&Fence::new(8), "8"),
        (&Revision::FIRST.next(), "2"),
        (&TrainingStatus::Success, "4"),
        (&MetricName::new("f1").unwrap(), "f1"),
        (&Plan::gold(), "Gold"),
        (&millis(-1_500), "-1.500"),
        (&millis(0), "0.000"),
        (&millis(61_007), "61.007"),
    ];
    for (value, right) in all {
        assert_eq!(value.to_string(), right);
    }
}

#[test]
fn values_are_made_again_of_what_a_store_keeps() {
    assert_eq!(DataType::ALL.map(|it| DataType::from_name(it.as_str())), DataType::ALL.map(Some));
    assert_eq!(DataType::from_name("Test"), None);
    assert_eq!(ContentDigest::from_bytes([7; 32]).as_bytes(), &[7; 32]);
}

#[test]
fn debug_shows_what_a_value_holds() {
    let metrics: TrainingMetrics = serde_json::from_str(r#"{"f1":0.5}"#).unwrap();
    let violations = CreateModel::from_json(br#"{"name":"","language":"en"}"#).unwrap_err();
    let unknown = CreateParameters::from_pairs([("x", "1")]).unwrap_err();
    let all: [(&dyn Debug, String); 7] = [
        (&ContentDigest::from_bytes([7; 32]), format!("ContentDigest({})", "07".repeat(32))),
        (&StoreIdentity::from_bytes([10; 16]), format!("StoreIdentity({})", "0a".repeat(16))),
        (&Figure::new(0.5).unwrap(), "0.5".to_owned()),
        (&MetricName::new("f1").unwrap(), "\"f1\"".to_owned()),
        (&metrics, "{\"f1\": 0.5}".to_owned()),
        (&violations, format!("{:?}", violations.iter().collect::<Vec<_>>())),
        (&unknown, "[\"x\"]".to_owned()),
    ];
    for (value, right) in all {
        assert_eq!(format!("{value:?}"), right);
    }
}

#[test]
fn an_error_of_serde_says_what_was_expected() {
    fn error<T: DeserializeOwned>() -> String {
        serde_json::from_str::<T>("7").err().unwrap().to_string()
    }
    for (error, expected) in [
        (error::<MetricName>(), "the name of a metric"),
        (error::<TrainingMetrics>(), "an object of metrics"),
        (error::<CreateModel<'static>>(), "an object with the fields of a custom model"),
    ] {
        let right = format!("invalid type: integer `7`, expected {expected} at ");
        assert!(error.starts_with(&right), "{error}");
    }
}
