//! Target `body`, second half: the same bytes as a request to change a model.

use custom_models_core::{Refusal, UpdateModel, Violations};
use serde_json::Value;

use crate::judge::{Body, Violated, description, judge_field, members_of, name};

/// The changes of a valid request.
#[derive(Debug, PartialEq)]
struct Changes {
    name: Option<String>,
    description: Option<Option<String>>,
}

/// Parses a body as an update, and compares the result with the judge's.
pub(crate) fn check(body: &[u8], read: &Body) {
    let expected = judge(read);
    let found = UpdateModel::from_json(body);
    assert_eq!(told(&found), expected, "an update's bytes against the judge");
    match &found {
        Ok(request) => {
            assert_eq!(&request.clone().into_owned(), request);
            check_builder(request);
        }
        Err(violations) => {
            let refusal = Refusal::from(violations.clone());
            assert_eq!(refusal.status(), 400);
            serde_json::from_str::<Value>(&refusal.to_json()).unwrap();
        }
    }
    check_serde(body, &found);
}

type Found<'a> = Result<UpdateModel<'a>, Violations>;

/// Returns the engine's result in the judge's types.
fn told(found: &Found<'_>) -> Result<Changes, Vec<Violated>> {
    match found {
        Ok(request) => Ok(Changes {
            name: request.name.as_ref().map(ToString::to_string),
            description: request
                .description
                .as_ref()
                .map(|description| description.as_ref().map(ToString::to_string)),
        }),
        Err(violations) => {
            assert_eq!(violations.len(), violations.iter().count());
            let told = |violation: custom_models_core::field::Violation<'_>| {
                (violation.field().as_str(), violation.kind().as_str(), violation.to_string())
            };
            Err(violations.iter().map(told).collect())
        }
    }
}

/// A second implementation of the rules of an update (EDIT-1, EDIT-2).
fn judge(body: &Body) -> Result<Changes, Vec<Violated>> {
    let members = members_of(body)?;
    let is_there = |field| members.iter().any(|(key, _)| key == field);
    let nothing = (!is_there("name") && !is_there("description")).then(|| {
        ("body", "nothing_to_change", "Request body must have a name or a description".into())
    });
    let name = judge_field(members, "name", "Name", |value| match value {
        None => Ok(None),
        Some(Value::Null) => Err(("wrong_type", "Name must be a string".into())),
        value => name(value).map(Some),
    });
    let fixed = |field, label: &'static str| {
        judge_field(members, field, label, |value| match value {
            None => Ok(()),
            Some(_) => Err(("fixed", format!("{label} cannot be changed after creation"))),
        })
    };
    let language = fixed("language", "Language");
    let base_model = fixed("base_model", "Base model");
    let description = judge_field(members, "description", "Description", |value| match value {
        None => Ok(None),
        value => description(value).map(Some),
    });
    match (nothing, name, language, base_model, description) {
        (None, Ok(name), Ok(()), Ok(()), Ok(description)) => Ok(Changes { name, description }),
        (nothing, name, language, base_model, description) => {
            let found = [nothing, name.err(), language.err(), base_model.err(), description.err()];
            Err(found.into_iter().flatten().collect())
        }
    }
}

/// Checks that the builder gives the same request.
fn check_builder(request: &UpdateModel<'_>) {
    let mut builder = UpdateModel::builder();
    if let Some(name) = &request.name {
        builder = builder.name(name.as_str());
    }
    match &request.description {
        None => {}
        Some(None) => builder = builder.no_description(),
        Some(Some(description)) => builder = builder.description(description.as_str()),
    }
    assert_eq!(builder.build().as_ref(), Ok(request), "the builder against the bytes");
}

/// Checks that serde gives the same result wherever `serde_json` parses the whole body.
fn check_serde(body: &[u8], found: &Found<'_>) {
    if let Ok(Value::Object(_)) = serde_json::from_slice(body) {
        let told = serde_json::from_slice::<UpdateModel<'_>>(body);
        let told = told.map_err(|error| error.to_string());
        let expected = found.clone().map_err(|violations| violations.to_string());
        assert_eq!(told, expected, "an update through serde against the bytes");
    }
}
