//! The same rules in the hands of others, each written as its documentation advises.
//!
//! What they do not do: tell `"base_model": null` from an absent field, see a field that is given
//! twice, or report a wrong type beside other violations.

pub mod garde;
pub mod jsonschema;
pub mod nutype;
pub mod validator;

use std::collections::BTreeMap;

use serde::Serialize;

/// The body of a 400, for those who do not bring their own.
#[derive(Serialize)]
struct Answer<'a> {
    error: &'static str,
    message: &'static str,
    details: BTreeMap<&'a str, &'a str>,
}

impl<'a> Answer<'a> {
    fn render(details: BTreeMap<&'a str, &'a str>) -> String {
        let answer = Answer { error: "Validation Error", message: "Invalid field values", details };
        serde_json::to_string(&answer).expect("a map of texts is JSON")
    }
}

fn is_supported_language(code: &str) -> bool {
    matches!(
        code,
        "en" | "nl"
            | "fr"
            | "de"
            | "es"
            | "it"
            | "pt"
            | "pl"
            | "cs"
            | "da"
            | "fi"
            | "el"
            | "hu"
            | "no"
            | "ro"
            | "sk"
            | "sv"
            | "ar"
            | "he"
            | "tr"
            | "fa"
            | "zh"
            | "ja"
            | "ko"
            | "hi"
            | "th"
            | "id"
            | "vi"
            | "ru"
            | "uk"
            | "ms"
            | "ta"
            | "te"
    )
}

fn is_base_model(name: &str) -> bool {
    matches!(name, "general" | "medical" | "legal" | "technical")
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
