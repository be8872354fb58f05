//! Target `body`: the bytes of a request body.

use custom_models_core::request::CreateModelBuilder;
use custom_models_core::{CreateModel, Refusal, Violations};
use serde_json::Value;

use crate::judge::{Body, Request, Violated, judge};

/// Parses a body, and compares the result with the judge's; then checks the other ways to the same request.
pub fn check(body: &[u8]) {
    let read = Body::read(body);
    let expected = judge(&read);
    let found = CreateModel::from_json(body);
    assert_eq!(told(&found), expected, "the bytes against the judge");
    match &found {
        Ok(request) => check_written(request),
        Err(violations) => check_refusal(violations, expected.as_ref().err().unwrap()),
    }
    check_serde(body, &found);
    if let Some(builder) = builder(&read) {
        assert_eq!(builder.build(), found, "the builder against the bytes");
    }
    crate::update::check(body, &read);
}

type Found<'a> = Result<CreateModel<'a>, Violations>;

/// Returns the engine's result in the judge's types.
fn told(found: &Found<'_>) -> Result<Request, Vec<Violated>> {
    let violations = match found {
        Ok(CreateModel { name, language, base_model, description }) => {
            return Ok(Request {
                name: name.to_string(),
                language: language.to_string(),
                base_model: base_model.to_string(),
                description: description.as_ref().map(ToString::to_string),
            });
        }
        Err(violations) => violations,
    };
    assert_eq!(violations.len(), violations.iter().count());
    assert!(!violations.is_empty(), "a refusal without a reason");
    let told = |violation: custom_models_core::field::Violation<'_>| {
        (violation.field().as_str(), violation.kind().as_str(), violation.to_string())
    };
    Err(violations.iter().map(told).collect())
}

/// Checks that a valid request, written as JSON, is parsed as the same request.
fn check_written(request: &CreateModel<'_>) {
    let written = serde_json::to_vec(request).unwrap();
    assert_eq!(CreateModel::from_json(&written).as_ref(), Ok(request), "written and read");
    assert_eq!(&request.clone().into_owned(), request);
}

/// Checks a refusal's JSON to the byte, and that it shows little of the sent text.
fn check_refusal(violations: &Violations, expected: &[Violated]) {
    // Forty characters, each at most `\u{10ffff}`, and the longest text around them.
    const LONGEST: usize =
        40 * 10 + "Base model '' is not one of general, medical, legal, technical".len();
    let mut details = Vec::new();
    for (field, _, message) in expected {
        assert!(message.chars().count() <= LONGEST, "{message}");
        details.push(format!("\"{field}\":{}", Value::from(message.as_str())));
    }
    let refusal = Refusal::from(violations.clone());
    assert_eq!(refusal.status(), 400);
    assert_eq!(
        refusal.to_json(),
        format!(
            r#"{{"error":"Validation Error","message":"Invalid field values","details":{{{}}}}}"#,
            details.join(",")
        )
    );
    serde_json::from_str::<Value>(&refusal.to_json()).unwrap();
}

/// Checks that serde gives the same result wherever `serde_json` parses the whole body. Elsewhere it may
/// accept more, since it does not check ignored values.
fn check_serde(body: &[u8], found: &Found<'_>) {
    let through_serde = serde_json::from_slice::<CreateModel<'_>>(body);
    match serde_json::from_slice::<Value>(body) {
        Err(_) => {}
        Ok(Value::Object(_)) => {
            let told = through_serde.map_err(|error| error.to_string());
            let expected = found.clone().map_err(|violations| violations.to_string());
            assert_eq!(told, expected, "serde against the bytes");
        }
        Ok(_) => assert!(through_serde.is_err_and(|error| error.is_data())),
    }
}

/// Returns the same request as a builder, if a builder can express it: texts alone, none of them repeated.
fn builder(body: &Body) -> Option<CreateModelBuilder<'_>> {
    let Body::Object(members) = body else {
        return None;
    };
    let mut builder = CreateModel::builder();
    let mut seen = Vec::new();
    for (key, value) in members {
        if !matches!(key.as_str(), "name" | "language" | "base_model" | "description") {
            continue;
        }
        let text = value.as_str().filter(|_| !seen.contains(&key))?;
        seen.push(key);
        builder = match key.as_str() {
            "name" => builder.name(text),
            "language" => builder.language(text),
            "base_model" => builder.base_model(text),
            _ => builder.description(text),
        };
    }
    Some(builder)
}
