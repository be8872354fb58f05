//! The request's JSON Schema as an independent implementation: on every body it must find the same fields
//! violated as the core.
//!
//! A schema does not detect repeated fields (BODY-3), so such a field is left out of the comparison on both
//! sides.

use std::collections::BTreeSet;

use custom_models_core::CreateModel;
use custom_models_core::field::ViolationKind;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use crate::support::{Json, Tape, config, mutate, render, shorten_numbers, tape};

const SCHEMA: &str = include_str!("../../schema/create-custom-model.schema.json");

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Returns the fields that the schema finds violated; `body` if the body is not a JSON object.
fn by_schema(validator: &Validator, body: &[u8]) -> BTreeSet<String> {
    let text = std::str::from_utf8(body).map(shorten_numbers);
    let Some(value) = text.ok().and_then(|text| serde_json::from_str(&text).ok()) else {
        return BTreeSet::from(["body".into()]);
    };
    let value: Value = value;
    let field = |error: jsonschema::ValidationError<'_>| match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str().unwrap().into(),
        _ => match error.instance_path().as_str() {
            "" => "body".into(),
            path => path.trim_start_matches('/').into(),
        },
    };
    validator.iter_errors(&value).map(field).collect()
}

/// Panics unless the schema and the core find the same fields violated.
fn compare(validator: &Validator, body: &[u8]) {
    let mut schema = by_schema(validator, body);
    let mut core = BTreeSet::new();
    if let Err(violations) = CreateModel::from_json(body) {
        for violation in violations.iter() {
            if violation.kind() == ViolationKind::Repeated {
                schema.remove(violation.field().as_str());
            } else {
                core.insert(violation.field().as_str().to_owned());
            }
        }
    }
    assert_eq!(core, schema, "{}", String::from_utf8_lossy(body));
}

/// Generates the body of a request, damaged or not.
fn body(tape: &mut Tape) -> Vec<u8> {
    let members = Json::request(tape);
    let mut body = render(&members, tape).into_bytes();
    mutate(&mut body, tape);
    body
}

#[test]
fn body_4_the_schema_finds_the_same_fields_violated() {
    let validator = validator();
    let mut runner = proptest::test_runner::TestRunner::new(config());
    runner
        .run(&tape(), |mut tape| {
            compare(&validator, &body(&mut tape));
            Ok(())
        })
        .unwrap();
}

#[test]
fn name_3_the_schema_knows_the_same_white_space() {
    let validator = validator();
    for character in '\0'..='\u{FFFF}' {
        let name = serde_json::to_string(&character).unwrap();
        compare(&validator, format!(r#"{{"name":{name},"language":"en"}}"#).as_bytes());
    }
}
