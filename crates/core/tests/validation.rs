//! Validation as a host without the engine has it: this file builds without any feature of the crate.

use custom_models_core::field::Field;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{BaseModel, CreateModel, CustomModel, Language, ListModels, UpdateModel};

#[test]
fn wire_400_violations_alone_make_the_body_that_the_api_returns() {
    let violations = CreateModel::from_json(br#"{"name":"","language":"xx"}"#).unwrap_err();
    let error = ErrorBody::from(&violations);
    assert_eq!(error.status, 400);
    let expected = concat!(
        r#"{"error":"Validation Error","message":"Invalid field values","details":"#,
        r#"{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}}"#
    );
    assert_eq!(error.to_json(), expected);
    assert_eq!(serde_json::to_string(&error).unwrap(), expected);
}

#[test]
fn requests_are_read_and_built() {
    let body = br#"{"name":"Cardiology","language":"en","base_model":"medical"}"#;
    let request = CreateModel::from_json(body).unwrap();
    assert_eq!((request.language, request.base_model), (Language::En, BaseModel::Medical));
    let built = CreateModel::builder().name("Cardiology").language("en").base_model("medical");
    assert_eq!(built.build().unwrap(), request);

    assert_eq!(
        UpdateModel::from_json(br#"{"name":"Cardio"}"#).unwrap().name.unwrap().as_str(),
        "Cardio"
    );
    let violations = ListModels::from_pairs([("page", "0")]).unwrap_err();
    assert!(violations.get(Field::Page).is_some());
    assert_eq!(
        ListModels::from_pairs([("language", "fi")]).unwrap().filter.language,
        "fi".parse().ok()
    );
}

#[test]
fn models_are_read_and_written() {
    let json = concat!(
        r#"{"id":7,"model_key":"custom_model_7","name":"n","description":null,"language":"en","#,
        r#""base_model":"general","training_status":1,"#,
        r#""status_message":"Model created. Upload training data to begin.","#,
        r#""created_at":"2025-01-15T10:00:00Z","updated_at":"2025-01-15T10:00:00Z"}"#
    );
    let model: CustomModel = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&model).unwrap(), json);
}
