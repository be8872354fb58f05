//! From fields or bytes to a verdict.

use std::hint::black_box;

use custom_models_core::{CreateModel, Refusal, Violations};
use garde::Validate as _;
use jsonschema::Validator;
use validator::Validate as _;

use crate::OURS;
use crate::cases::{self, Case};
use crate::peers;
use crate::variant::Variant;

fn build(case: &Case) -> Result<CreateModel<'_>, Violations> {
    let mut builder =
        CreateModel::builder().name(case.name.as_str()).language(case.language.as_str());
    if let Some(base_model) = &case.base_model {
        builder = builder.base_model(base_model.as_str());
    }
    if let Some(description) = &case.description {
        builder = builder.description(description.as_str());
    }
    builder.build()
}

fn violated(violations: &Violations) -> Vec<String> {
    violations.iter().map(|violation| violation.field().to_string()).collect()
}

/// Stops unless the verdict is the right one.
fn check<T>(case: &Case, verdict: Result<T, Vec<String>>) {
    let mut found = verdict.err().unwrap_or_default();
    let mut expected: Vec<_> = case.violated.iter().map(ToString::to_string).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "the verdict on `{}`", case.class);
}

/// Fields that are texts already → a verdict.
pub fn typed(case: &Case) -> Vec<Variant<'_>> {
    let garde = peers::garde::Request::from(case);
    let validator = peers::validator::Request::from(case);
    check(case, build(case).map_err(|found| violated(&found)));
    check(case, garde.validate().map_err(|r| peers::garde::violated(&r)));
    check(case, validator.validate().map_err(|e| peers::validator::violated(&e)));
    check(case, peers::nutype::request(case.into()).map_err(|e| peers::nutype::violated(&e)));
    vec![
        Variant::new(OURS, move || build(black_box(case))),
        Variant::new("garde", move || black_box(&garde).validate()),
        Variant::new("validator", move || black_box(&validator).validate()),
        Variant::consuming("nutype", || case.into(), peers::nutype::request),
    ]
}

/// The same, up to the body of the answer; for requests that are not valid.
pub fn typed_answered(case: &Case) -> Vec<Variant<'_>> {
    let garde = peers::garde::Request::from(case);
    let validator = peers::validator::Request::from(case);
    vec![
        Variant::new(OURS, move || {
            build(black_box(case)).map_err(|found| Refusal::from(found).to_json())
        }),
        Variant::new("garde", move || {
            let verdict = black_box(&garde).validate();
            verdict.map_err(|report| peers::garde::answer(&report))
        }),
        Variant::new("validator", move || {
            let verdict = black_box(&validator).validate();
            verdict.map_err(|errors| peers::validator::answer(&errors))
        }),
    ]
}

/// A body → a typed request or its violations.
pub fn bytes<'a>(case: &'a Case, schema: &'a Validator) -> Vec<Variant<'a>> {
    let body = case.body.as_slice();
    let ours = CreateModel::from_json(body);
    check(case, ours.map_err(|found| violated(&found)));
    let garde = peers::garde::from_json(body);
    check(case, garde.map_err(|r| peers::garde::violated(&r)));
    let validator = peers::validator::from_json(body);
    check(case, validator.map_err(|e| peers::validator::violated(&e)));
    check(case, peers::jsonschema::from_json(schema, body));
    over(vec![body], schema)
}

/// The valid mix, one body after the other.
pub fn bytes_mix<'a>(mix: &'a [Case], schema: &'a Validator) -> Vec<Variant<'a>> {
    over(mix.iter().map(|case| case.body.as_slice()).collect(), schema)
}

fn over<'a>(bodies: Vec<&'a [u8]>, schema: &'a Validator) -> Vec<Variant<'a>> {
    let next = move || {
        let bodies = bodies.clone();
        let mut place = 0;
        move || {
            place = if place + 1 < bodies.len() { place + 1 } else { 0 };
            black_box(bodies[place])
        }
    };
    let mut ours = next();
    let mut garde = next();
    let mut validator = next();
    let mut jsonschema = next();
    vec![
        Variant::new(OURS, move || CreateModel::from_json(ours())),
        Variant::new("serde_json + garde", move || peers::garde::from_json(garde())),
        Variant::new("serde_json + validator", move || peers::validator::from_json(validator())),
        Variant::new("jsonschema", move || peers::jsonschema::from_json(schema, jsonschema())),
    ]
}

/// A body that is not valid → the body of the answer.
pub fn bytes_answered(case: &Case) -> Vec<Variant<'_>> {
    let body = case.body.as_slice();
    assert!(!case.violated.is_empty());
    vec![
        Variant::new(OURS, move || {
            let verdict = CreateModel::from_json(black_box(body));
            verdict.map_err(|found| Refusal::from(found).to_json())
        }),
        Variant::new("serde_json + garde", move || {
            let verdict = peers::garde::from_json(black_box(body));
            verdict.map_err(|report| peers::garde::answer(&report))
        }),
        Variant::new("serde_json + validator", move || {
            let verdict = peers::validator::from_json(black_box(body));
            verdict.map_err(|errors| peers::validator::answer(&errors))
        }),
    ]
}

/// The classes of [`cases::cases`] that make a difference to fields: an escape is one of bytes only.
pub fn typed_cases() -> Vec<Case> {
    let mut cases = cases::cases();
    cases.retain(|case| case.class != "escapes");
    cases
}
