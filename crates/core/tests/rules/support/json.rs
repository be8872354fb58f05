//! JSON values that keep what a parser discards: the order of members, repeated keys, and the many ways to
//! write one text.

use std::fmt::Write;

use custom_models_core::field::{Field, ViolationKind};

use super::{NAMED, Tape, WHITE_SPACE, is_language};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    /// A literal or a number, as written.
    Word(&'static str),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

const WORDS: [&str; 12] = [
    "true",
    "false",
    "0",
    "-0",
    "1",
    "12.5",
    "1e999",
    "-1E-999",
    "0.0e+0",
    "9007199254740993",
    "123456789012345678901234567890",
    "3e5",
];

impl Json {
    /// Generates any value.
    pub(crate) fn value(tape: &mut Tape, depth: usize) -> Json {
        match tape.below(if depth == 0 { 4 } else { 6 }) {
            0 => Json::Null,
            1 => Json::Word(tape.of(&WORDS)),
            2 | 3 => Json::Text(tape.text()),
            4 => Json::Array((0..tape.below(4)).map(|_| Json::value(tape, depth - 1)).collect()),
            _ => Json::Object(
                (0..tape.below(4)).map(|_| (key(tape), Json::value(tape, depth - 1))).collect(),
            ),
        }
    }

    /// Generates any value but a string and `null`.
    pub(crate) fn wrong_type(tape: &mut Tape) -> Json {
        match Json::value(tape, 2) {
            Json::Null | Json::Text(_) => Json::Word(tape.of(&WORDS)),
            other => other,
        }
    }

    /// Generates the members of a request: mostly named fields, often with valid values, in any order.
    pub(crate) fn request(tape: &mut Tape) -> Vec<(String, Json)> {
        let mut members = Vec::new();
        if tape.below(4) > 0 {
            members.push(("name".into(), Json::Text("Medical Cardiology EN".into())));
            members.push(("language".into(), Json::Text("en".into())));
        }
        for _ in 0..tape.below(6) {
            let key = key(tape);
            let value = match tape.below(4) {
                0 => Json::value(tape, 3),
                1 => Json::Text(tape.of(&["general", "en", "legal", "xx", "Medical", "zh"]).into()),
                _ => Json::Text(tape.text()),
            };
            let at = tape.below(members.len() + 1);
            members.insert(at, (key, value));
        }
        members
    }
}

/// Generates a key: the name of a field, a similar name, or any text.
pub(crate) fn key(tape: &mut Tape) -> String {
    const KEYS: [&str; 14] = [
        "name",
        "language",
        "base_model",
        "description",
        "description",
        "base_model",
        "Name",
        "names",
        "nam",
        " name",
        "name\u{0}",
        "baseModel",
        "",
        "LANGUAGE",
    ];
    match tape.below(16) {
        0 => tape.text(),
        choice => KEYS[choice % KEYS.len()].into(),
    }
}

/// Returns the violations in the members of a body, by a simple implementation of the rules. Empty if it is
/// valid.
pub(crate) fn expected(members: &[(String, Json)]) -> Vec<(Field, ViolationKind)> {
    let judge = |&(key, field): &(&str, Field)| {
        let mut values = members.iter().filter(|(name, _)| name == key).map(|(_, value)| value);
        let kind = match (values.next(), values.next()) {
            (Some(_), Some(_)) => Some(ViolationKind::Repeated),
            (value, _) => expected_of(field, value),
        };
        kind.map(|kind| (field, kind))
    };
    NAMED.iter().filter_map(judge).collect()
}

fn expected_of(field: Field, value: Option<&Json>) -> Option<ViolationKind> {
    let is_long = |text: &str, max| text.chars().count() > max;
    match (field, value) {
        (Field::Name | Field::Language, None | Some(Json::Null)) => Some(ViolationKind::Missing),
        (Field::Name, Some(Json::Text(text))) => {
            if text.chars().all(|character| WHITE_SPACE.contains(&character)) {
                Some(ViolationKind::Blank)
            } else {
                is_long(text, 200).then_some(ViolationKind::TooLong)
            }
        }
        (Field::Language, Some(Json::Text(text))) => {
            (!is_language(text)).then_some(ViolationKind::Unsupported)
        }
        (Field::BaseModel, Some(Json::Text(text))) => {
            let known = ["general", "medical", "legal", "technical"];
            (!known.contains(&text.as_str())).then_some(ViolationKind::Unsupported)
        }
        (Field::Description, Some(Json::Text(text))) => {
            is_long(text, 1000).then_some(ViolationKind::TooLong)
        }
        (Field::BaseModel, None) | (Field::Description, None | Some(Json::Null)) => None,
        (_, Some(_)) => Some(ViolationKind::WrongType),
        (field, None) => panic!("{field} is not a field of a body"),
    }
}

/// Writes an object with random white space and random escapes.
pub(crate) fn render(members: &[(String, Json)], tape: &mut Tape) -> String {
    let mut out = String::new();
    write_object(members, tape, &mut out);
    out
}

/// Writes a text as a JSON string with random escapes.
pub(crate) fn quoted(text: &str, tape: &mut Tape) -> String {
    let mut out = String::new();
    write_text(text, tape, &mut out);
    out
}

fn space(tape: &mut Tape, out: &mut String) {
    out.push_str(tape.of(&["", "", "", " ", "\n", "\r\n", "\t", "  "]));
}

fn write_value(value: &Json, tape: &mut Tape, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Word(word) => out.push_str(word),
        Json::Text(text) => write_text(text, tape, out),
        Json::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                space(tape, out);
                write_value(value, tape, out);
            }
            space(tape, out);
            out.push(']');
        }
        Json::Object(members) => write_object(members, tape, out),
    }
}

fn write_object(members: &[(String, Json)], tape: &mut Tape, out: &mut String) {
    out.push('{');
    for (place, (key, value)) in members.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { "," });
        space(tape, out);
        write_text(key, tape, out);
        space(tape, out);
        out.push(':');
        space(tape, out);
        write_value(value, tape, out);
    }
    space(tape, out);
    out.push('}');
}

/// Writes a text with one style of escaping, so that long texts do not use up the tape.
fn write_text(text: &str, tape: &mut Tape, out: &mut String) {
    let manner = tape.below(8);
    out.push('"');
    for (place, character) in text.chars().enumerate() {
        let short = match character {
            '"' | '\\' | '/' => Some(character),
            '\u{8}' => Some('b'),
            '\u{C}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            _ => None,
        };
        let must = matches!(character, '"' | '\\' | '\0'..='\u{1F}');
        match (manner, short) {
            (0..=3, _) if !must => out.push(character),
            (4, _) if !must && place % 3 > 0 => out.push(character),
            (0..=5, Some(letter)) => out.extend(['\\', letter]),
            (6, _) => hex(character, true, out),
            _ => hex(character, false, out),
        }
    }
    out.push('"');
}

fn hex(character: char, upper: bool, out: &mut String) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        let written =
            if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
        written.unwrap();
    }
}

/// Returns the keys of an object in the order in which they are written.
pub(crate) fn keys(object: &str) -> Vec<String> {
    struct Keys(Vec<String>);

    impl<'de> serde::Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Visitor).map(Keys)
        }
    }

    struct Visitor;

    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }

    let Keys(keys) = serde_json::from_str(object).unwrap();
    keys
}
