//! The constants of the specification as literals: a change to any of them fails here.

use std::sync::Arc;

use custom_models_core::access::AccessRefusal;
use custom_models_core::field::{Description, Name};
use custom_models_core::model::TrainingStatus;
use custom_models_core::request::PerPage;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{
    BaseModel, CreateModel, CustomModel, Engine, Language, ListModels, MemoryStore, ModelId, Plan,
    Refusal,
};

#[test]
fn the_languages() {
    let codes: Vec<_> = Language::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(
        codes,
        [
            "en", "nl", "fr", "de", "es", "it", "pt", "pl", "cs", "da", "fi", "el", "hu", "no",
            "ro", "sk", "sv", "ar", "he", "tr", "fa", "zh", "ja", "ko", "hi", "th", "id", "vi",
            "ru", "uk", "ms", "ta", "te",
        ]
    );
    assert_eq!(codes.len(), 33);
}

#[test]
fn the_base_models() {
    let names = BaseModel::ALL.map(BaseModel::as_str);
    assert_eq!(names, ["general", "medical", "legal", "technical"]);
    assert_eq!(BaseModel::default().as_str(), "general");
}

#[test]
fn the_lengths() {
    assert_eq!(Name::MAX_CHARACTERS, 200);
    assert_eq!(Description::MAX_CHARACTERS, 1000);
}

#[test]
fn the_plans() {
    assert_eq!((Plan::gold().name(), Plan::gold().model_limit()), ("Gold", Some(5)));
    assert_eq!((Plan::enterprise().name(), Plan::enterprise().model_limit()), ("Enterprise", None));
}

#[test]
fn the_ids_and_the_pages() {
    assert_eq!(ModelId::MAX, 9_007_199_254_740_991);
    assert_eq!(PerPage::MAX, 100);
    assert_eq!(ListModels::default().per_page.get(), 25);
}

#[test]
fn the_training_statuses() {
    assert_eq!(TrainingStatus::ALL.map(TrainingStatus::number), [1, 2, 3, 4, 5]);
    assert_eq!(
        TrainingStatus::NotRunning.message(),
        "Model created. Upload training data to begin."
    );
}

/// The request in the specification, as printed there.
const REQUEST: &str = r#"{
"name": "Medical Cardiology EN",
"language": "en",
"base_model": "medical",
"description": "Custom model for cardiology consultations and reports"
}"#;

/// The response in the specification, without line breaks and spaces between tokens.
const ANSWER: &str = concat!(
    r#"{"id":123,"model_key":"custom_model_123","name":"Medical Cardiology EN","#,
    r#""description":"Custom model for cardiology consultations and reports","#,
    r#""language":"en","base_model":"medical","training_status":1,"#,
    r#""status_message":"Model created. Upload training data to begin.","#,
    r#""created_at":"2025-01-15T10:00:00Z","updated_at":"2025-01-15T10:00:00Z"}"#
);

#[test]
fn model_5_the_example_is_answered_to_the_byte() {
    let request = CreateModel::from_json(REQUEST.as_bytes()).unwrap();
    let now = "2025-01-15T10:00:00Z".parse().unwrap();
    let model: CustomModel = request.into_new_model(now).with_id(ModelId::new(123).unwrap());
    assert_eq!(serde_json::to_string(&model).unwrap(), ANSWER);
}

#[test]
fn the_example_of_a_validation_error() {
    let violations = CreateModel::from_json(br#"{"name":"","language":"xx"}"#).unwrap_err();
    assert_eq!(
        Refusal::from(violations).to_json(),
        concat!(
            r#"{"error":"Validation Error","message":"Invalid field values","#,
            r#""details":{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}}"#
        )
    );
}

#[test]
fn the_example_of_a_missing_key() {
    assert_eq!(
        ErrorBody::from(&AccessRefusal::Unauthorized).to_json(),
        r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#
    );
}

#[test]
fn the_example_of_a_quota_that_is_exceeded() {
    let engine = Engine::new(Arc::new(MemoryStore::new()), || std::time::UNIX_EPOCH);
    let caller = custom_models_core::Caller::new("acme".parse().unwrap(), Plan::gold());
    let request = || CreateModel::from_json(REQUEST.as_bytes()).unwrap();
    for _ in 0..5 {
        engine.create(&caller, request()).unwrap();
    }
    assert_eq!(
        engine.create(&caller, request()).unwrap_err().to_json(),
        concat!(
            r#"{"error":"Quota Exceeded","message":"Custom model limit reached for your plan","#,
            r#""error_code":"MODEL_LIMIT_EXCEEDED","#,
            r#""details":{"current_models":5,"plan_limit":5,"plan":"Gold"}}"#
        )
    );
}

#[test]
fn the_examples_of_names_languages_base_models_and_descriptions() {
    for name in ["Medical Cardiology EN", "Legal-NL-v2", "Tech Support Model 2025"] {
        assert!(Name::new(name).is_ok());
    }
    for name in ["", " "] {
        assert_eq!(Name::new(name).unwrap_err().to_string(), "Name cannot be empty");
    }
    for language in ["en", "nl", "de"] {
        assert!(language.parse::<Language>().is_ok());
    }
    for language in ["EN", "eng", "xx"] {
        assert!(language.parse::<Language>().is_err());
    }
    for base_model in ["Medical", "healthcare"] {
        assert!(base_model.parse::<BaseModel>().is_err());
    }
    for description in ["Cardiology model trained on 50+ hours", ""] {
        assert!(Description::new(description).is_ok());
    }
}
