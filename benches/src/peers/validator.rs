//! `validator`: rules as attributes, a map from field to errors.

use std::collections::BTreeMap;

use serde::Deserialize;
use validator::{Validate, ValidationError, ValidationErrors};

use super::{Answer, is_base_model, is_blank, is_supported_language};
use crate::cases::Case;

/// A request with its rules.
#[derive(Clone, Debug, Deserialize, Validate)]
pub struct Request {
    #[validate(
        custom(function = "not_blank", message = "Name cannot be empty"),
        length(max = 200, message = "Name cannot exceed 200 characters")
    )]
    name: String,
    #[validate(custom(function = "supported"))]
    language: String,
    #[validate(custom(function = "known"))]
    base_model: Option<String>,
    #[validate(length(max = 1000, message = "Description cannot exceed 1000 characters"))]
    description: Option<String>,
}

fn not_blank(name: &str) -> Result<(), ValidationError> {
    if is_blank(name) {
        return Err(ValidationError::new("blank"));
    }
    Ok(())
}

fn supported(code: &str) -> Result<(), ValidationError> {
    if !is_supported_language(code) {
        let message = format!("Language '{code}' is not supported");
        return Err(ValidationError::new("unsupported").with_message(message.into()));
    }
    Ok(())
}

fn known(name: &str) -> Result<(), ValidationError> {
    if !is_base_model(name) {
        let message =
            format!("Base model '{name}' is not one of general, medical, legal, technical");
        return Err(ValidationError::new("unsupported").with_message(message.into()));
    }
    Ok(())
}

impl From<&Case> for Request {
    fn from(case: &Case) -> Self {
        Request {
            name: case.name.clone(),
            language: case.language.clone(),
            base_model: case.base_model.clone(),
            description: case.description.clone(),
        }
    }
}

/// Judges a body: a request, or what is wrong with it.
pub fn from_json(body: &[u8]) -> Result<Request, ValidationErrors> {
    let request: Request = serde_json::from_slice(body).map_err(|error| {
        let mut errors = ValidationErrors::new();
        let message = error.to_string();
        errors.add("body", ValidationError::new("json").with_message(message.into()));
        errors
    })?;
    request.validate()?;
    Ok(request)
}

/// The names of the violated fields.
pub fn violated(errors: &ValidationErrors) -> Vec<String> {
    errors.errors().keys().map(ToString::to_string).collect()
}

/// The body of the answer.
pub fn answer(errors: &ValidationErrors) -> String {
    let found = errors.field_errors();
    let details: BTreeMap<_, _> = found
        .iter()
        .filter_map(|(field, errors)| {
            let message = errors.first()?.message.as_deref()?;
            Some((field.as_ref(), message))
        })
        .collect();
    Answer::render(details)
}
