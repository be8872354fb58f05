//! A second, simple implementation of the rules of a create request, over `serde_json::Value`.
//!
//! It is not fast, and uses nothing of the code that it checks: names and messages are spelled out.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};

const LANGUAGES: [&str; 33] = [
    "en", "nl", "fr", "de", "es", "it", "pt", "pl", "cs", "da", "fi", "el", "hu", "no", "ro", "sk",
    "sv", "ar", "he", "tr", "fa", "zh", "ja", "ko", "hi", "th", "id", "vi", "ru", "uk", "ms", "ta",
    "te",
];

const BASE_MODELS: [&str; 4] = ["general", "medical", "legal", "technical"];

/// A body, as far as the rules examine it.
pub(crate) enum Body {
    NotJson,
    NotAnObject,
    /// The members in the order of the body, repeated keys included.
    Object(Vec<(String, Value)>),
}

impl Body {
    pub(crate) fn read(body: &[u8]) -> Body {
        match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) if is_out_of_range(&error) => read_shortened(body),
            Err(_) => Body::NotJson,
        }
    }
}

/// Returns true for an error about `1e999`, which is well-formed (BODY-1). `serde_json` refuses no other
/// well-formed body.
fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

fn read_shortened(body: &[u8]) -> Body {
    serde_json::from_slice(&with_short_numbers(body)).unwrap_or_else(|error| {
        assert!(!is_out_of_range(&error), "a shortened number is out of range");
        Body::NotJson
    })
}

/// Truncates every run of digits outside strings to two digits, which keeps numbers well-formed or malformed:
/// the grammar depends on whether a run is empty, and whether a digit follows a leading zero.
fn with_short_numbers(body: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(body.len());
    let (mut in_string, mut is_escaped, mut digits) = (false, false, 0);
    for &byte in body {
        digits = if !in_string && byte.is_ascii_digit() { digits + 1 } else { 0 };
        if digits <= 2 {
            short.push(byte);
        }
        match byte {
            b'"' if !is_escaped => in_string = !in_string,
            b'\\' if in_string && !is_escaped => {
                is_escaped = true;
                continue;
            }
            _ => {}
        }
        is_escaped = false;
    }
    short
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Body::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Body, A::Error> {
        while seq.next_element::<Value>()?.is_some() {}
        Ok(Body::NotAnObject)
    }

    fn visit_unit<E>(self) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }

    fn visit_str<E>(self, _: &str) -> Result<Body, E> {
        Ok(Body::NotAnObject)
    }
}

/// The fields of a valid request.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) base_model: String,
    pub(crate) description: Option<String>,
}

/// A violated field: its name, the kind of the violation, and the message.
pub(crate) type Violated = (&'static str, &'static str, String);

/// Validates a body.
pub(crate) fn judge(body: &Body) -> Result<Request, Vec<Violated>> {
    let members = members_of(body)?;
    let name = judge_field(members, "name", "Name", name);
    let language = judge_field(members, "language", "Language", language);
    let base_model = judge_field(members, "base_model", "Base model", base_model);
    let description = judge_field(members, "description", "Description", description);
    match (name, language, base_model, description) {
        (Ok(name), Ok(language), Ok(base_model), Ok(description)) => {
            Ok(Request { name, language, base_model, description })
        }
        (name, language, base_model, description) => {
            let found = [name.err(), language.err(), base_model.err(), description.err()];
            Err(found.into_iter().flatten().collect())
        }
    }
}

/// Returns the members of a body that is an object.
pub(crate) fn members_of(body: &Body) -> Result<&[(String, Value)], Vec<Violated>> {
    match body {
        Body::NotJson => Err(vec![("body", "not_json", "Request body is not valid JSON".into())]),
        Body::NotAnObject => {
            Err(vec![("body", "not_an_object", "Request body must be a JSON object".into())])
        }
        Body::Object(members) => Ok(members),
    }
}

type Wrong = (&'static str, String);

pub(crate) fn judge_field<T>(
    members: &[(String, Value)],
    field: &'static str,
    label: &str,
    rule: impl FnOnce(Option<&Value>) -> Result<T, Wrong>,
) -> Result<T, Violated> {
    let values: Vec<&Value> =
        members.iter().filter(|(key, _)| key == field).map(|(_, value)| value).collect();
    if values.len() > 1 {
        return Err((field, "repeated", format!("{label} is given more than once")));
    }
    rule(values.first().copied()).map_err(|(kind, message)| (field, kind, message))
}

pub(crate) fn name(value: Option<&Value>) -> Result<String, Wrong> {
    match value {
        None | Some(Value::Null) => Err(("missing", "Name is required".into())),
        Some(Value::String(text)) if is_blank(text) => {
            Err(("blank", "Name cannot be empty".into()))
        }
        Some(Value::String(text)) if text.chars().count() > 200 => {
            Err(("too_long", "Name cannot exceed 200 characters".into()))
        }
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(("wrong_type", "Name must be a string".into())),
    }
}

fn language(value: Option<&Value>) -> Result<String, Wrong> {
    match value {
        None | Some(Value::Null) => Err(("missing", "Language is required".into())),
        Some(Value::String(text)) if is_language(text) => Ok(text.clone()),
        Some(Value::String(text)) => {
            Err(("unsupported", format!("Language '{}' is not supported", echo(text))))
        }
        Some(_) => Err(("wrong_type", "Language must be a string".into())),
    }
}

fn base_model(value: Option<&Value>) -> Result<String, Wrong> {
    match value {
        None => Ok("general".into()),
        Some(Value::String(text)) if is_base_model(text) => Ok(text.clone()),
        Some(Value::String(text)) => Err((
            "unsupported",
            format!("Base model '{}' is not one of general, medical, legal, technical", echo(text)),
        )),
        Some(_) => Err(("wrong_type", "Base model must be a string".into())),
    }
}

pub(crate) fn description(value: Option<&Value>) -> Result<Option<String>, Wrong> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > 1000 => {
            Err(("too_long", "Description cannot exceed 1000 characters".into()))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(("wrong_type", "Description must be a string or null".into())),
    }
}

pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

pub(crate) fn is_language(text: &str) -> bool {
    LANGUAGES.contains(&text)
}

pub(crate) fn is_base_model(text: &str) -> bool {
    BASE_MODELS.contains(&text)
}

/// Returns the excerpt of a sent text in a message (BODY-5).
pub(crate) fn echo(sent: &str) -> String {
    let mut shown = String::new();
    for character in sent.chars().take(40) {
        match get_general_category(character) {
            GeneralCategory::Control | GeneralCategory::Format => {
                shown += &format!("\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown
}
