//! `garde`: rules as attributes, a report of paths and messages.

use std::collections::BTreeMap;

use garde::{Report, Validate};
use serde::Deserialize;

use super::{Answer, is_base_model, is_blank, is_supported_language};
use crate::cases::Case;

/// A request with its rules.
#[derive(Clone, Debug, Deserialize, Validate)]
pub struct Request {
    #[garde(custom(not_blank), length(chars, max = 200))]
    name: String,
    #[garde(custom(supported))]
    language: String,
    #[garde(inner(custom(known)))]
    base_model: Option<String>,
    #[garde(length(chars, max = 1000))]
    description: Option<String>,
}

fn not_blank(name: &str, _: &()) -> garde::Result {
    if is_blank(name) {
        return Err(garde::Error::new("Name cannot be empty"));
    }
    Ok(())
}

fn supported(code: &str, _: &()) -> garde::Result {
    if !is_supported_language(code) {
        let message = format!("Language '{code}' is not supported");
        return Err(garde::Error::new(message));
    }
    Ok(())
}

fn known(name: &str, _: &()) -> garde::Result {
    if !is_base_model(name) {
        let message =
            format!("Base model '{name}' is not one of general, medical, legal, technical");
        return Err(garde::Error::new(message));
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

/// Judges a body: a request, or the report of what is wrong with it.
pub fn from_json(body: &[u8]) -> Result<Request, Report> {
    let request: Request = serde_json::from_slice(body).map_err(|error| {
        let mut report = Report::new();
        report.append(garde::Path::new("body"), garde::Error::new(error.to_string()));
        report
    })?;
    request.validate()?;
    Ok(request)
}

/// The names of the violated fields.
pub fn violated(report: &Report) -> Vec<String> {
    report.iter().map(|(path, _)| path.to_string()).collect()
}

/// The body of the answer.
pub fn answer(report: &Report) -> String {
    let paths: Vec<String> = violated(report);
    let messages = report.iter().map(|(_, error)| error.message());
    let details: BTreeMap<_, _> = paths.iter().map(String::as_str).zip(messages).collect();
    Answer::render(details)
}
