//! The three ways to a request, bytes, builder and serde, give one result and the same violations.
//!
//! Serde is checked on well-formed bodies only: `serde_json` does not check ignored values, and cannot parse
//! a number that no `f64` holds. Numbers are truncated before the comparison.

use custom_models_core::request::UpdateModelBuilder;
use custom_models_core::{BaseModel, CreateModel, Language, UpdateModel};
use proptest::prelude::*;
use serde::de::value::{self, MapDeserializer};
use serde::de::{IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::support::{
    Json, Shape, config, mutate, render, shape, shorten_numbers, tape, with_required,
};

/// Returns the result of bytes and builder in the form of serde's.
fn told<'a>(
    verdict: Result<CreateModel<'a>, custom_models_core::Violations>,
) -> Result<CreateModel<'a>, String> {
    verdict.map_err(|violations| violations.to_string())
}

/// Returns the result of serde on bytes, without the position that `serde_json` appends to its errors.
fn by_serde(body: &[u8]) -> Result<CreateModel<'static>, String> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let end = text.rfind(" at line ").unwrap_or(text.len());
        text[..end].to_owned()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn body_4_texts_get_one_verdict_on_all_three_ways(
        mut tape in tape(),
        often_valid in any::<bool>(),
    ) {
        let texts: Vec<(&str, String)> = ["name", "language", "base_model", "description"]
            .into_iter()
            .filter_map(|field| {
                let text = match tape.below(4) {
                    0 => tape.of(&["en", "vi", "general", "legal"]).to_owned(),
                    1 if often_valid => match field {
                        "language" => "en".to_owned(),
                        "base_model" => "technical".to_owned(),
                        _ => "n".to_owned(),
                    },
                    _ => tape.text(),
                };
                (tape.below(8) > 0).then_some((field, text))
            })
            .collect();
        let mut builder = CreateModel::builder();
        for (field, text) in &texts {
            builder = match *field {
                "name" => builder.name(&**text),
                "language" => builder.language(&**text),
                "base_model" => builder.base_model(&**text),
                _ => builder.description(&**text),
            };
        }
        let built = builder.build();
        let members: Vec<_> = texts
            .iter()
            .map(|(field, text)| ((*field).to_owned(), Json::Text(text.clone())))
            .collect();
        let body = render(&members, &mut tape);
        let read = CreateModel::from_json(body.as_bytes());
        prop_assert_eq!(&read, &built);
        prop_assert_eq!(by_serde(body.as_bytes()), told(read));
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        let of_value: Result<CreateModel<'_>, _> = serde_json::from_value(value);
        let of_value = of_value.map_err(|error| error.to_string());
        prop_assert_eq!(of_value, told(built));
    }

    #[test]
    fn body_4_bytes_and_serde_agree_on_every_object(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let rendered = render(&members, &mut tape);
        let mut body = shorten_numbers(&rendered).into_bytes();
        prop_assert_eq!(by_serde(&body), told(CreateModel::from_json(&body)));
        mutate(&mut body, &mut tape);
        let body = match std::str::from_utf8(&body) {
            Ok(text) => shorten_numbers(text).into_bytes(),
            Err(_) => body,
        };
        match shape(&body) {
            Shape::Object => prop_assert_eq!(by_serde(&body), told(CreateModel::from_json(&body))),
            Shape::NotAnObject => prop_assert!(by_serde(&body).is_err()),
            Shape::NotJson => prop_assert!(CreateModel::from_json(&body).is_err()),
        }
    }

    #[test]
    fn body_4_a_request_written_by_serde_is_read_again(mut tape in tape()) {
        let name = format!("n{}", tape.text().chars().take(199).collect::<String>());
        let description: String = tape.text().chars().take(1000).collect();
        let mut builder = CreateModel::builder()
            .name(&*name)
            .language(tape.of(Language::ALL).as_str())
            .base_model(tape.of(&BaseModel::ALL).as_str());
        if tape.below(2) == 0 {
            builder = builder.description(&*description);
        }
        let request = builder.build().unwrap();
        let json = serde_json::to_vec(&request).unwrap();
        prop_assert_eq!(CreateModel::from_json(&json), Ok(request.clone()));
        prop_assert_eq!(by_serde(&json), Ok(request.clone()));
        prop_assert_eq!(request.clone().into_owned(), request);
    }
}

#[test]
fn body_4_every_type_of_value_is_taken_alike_by_bytes_and_serde() {
    const VALUES: [&str; 14] = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "18446744073709551615",
        "1.5",
        "1e3",
        "\"\"",
        "\"en\"",
        "[]",
        "[null,[1]]",
        "{}",
        "{\"name\":{\"name\":1}}",
    ];
    for first in VALUES {
        for second in VALUES {
            for (field, other) in [("name", "language"), ("base_model", "description")] {
                let body = with_required(&format!(r#""{field}":{first},"{other}":{second}"#));
                let bare = format!(r#"{{"{field}":{first},"{other}":{second}}}"#);
                for body in [body, bare] {
                    let bytes = told(CreateModel::from_json(body.as_bytes()));
                    assert_eq!(by_serde(body.as_bytes()), bytes, "{body}");
                }
            }
        }
    }
}

/// A value of a format that has types which JSON has not.
#[derive(Clone, Copy)]
enum Foreign {
    I128,
    U128,
    Bytes,
    None,
    Some(&'static str),
    Newtype,
}

impl<'de> Deserializer<'de> for Foreign {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self {
            Foreign::I128 => visitor.visit_i128(-1),
            Foreign::U128 => visitor.visit_u128(1),
            Foreign::Bytes => visitor.visit_bytes(b"n"),
            Foreign::None => visitor.visit_none(),
            Foreign::Some(text) => visitor.visit_some(text.into_deserializer()),
            Foreign::Newtype => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for Foreign {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[test]
fn body_4_values_of_other_formats_are_taken_as_those_of_json() {
    let update = |field: &'static str, value: Foreign| {
        let members = [(field, value)].into_iter();
        UpdateModel::deserialize(MapDeserializer::new(members)).map_err(|error| error.to_string())
    };
    let built = |builder: UpdateModelBuilder<'static>| Ok(builder.build().unwrap());
    assert_eq!(update("name", Foreign::Some("n")), built(UpdateModel::builder().name("n")));
    let removed = UpdateModel::builder().no_description();
    assert_eq!(update("description", Foreign::None), built(removed));
    for value in [Foreign::I128, Foreign::U128, Foreign::Bytes] {
        assert_eq!(update("name", value).unwrap_err(), "name: Name must be a string");
    }
    let error = update("name", Foreign::Newtype).unwrap_err();
    assert_eq!(error, "invalid type: newtype struct, expected any value");
}

#[test]
fn body_4_what_serde_json_cannot_read_or_does_not_look_into_is_where_they_differ() {
    let out_of_range = with_required(r#""description":1e999"#);
    let told_by_bytes = CreateModel::from_json(out_of_range.as_bytes()).unwrap_err();
    assert_eq!(told_by_bytes.to_string(), "description: Description must be a string or null");
    assert_eq!(by_serde(out_of_range.as_bytes()).unwrap_err(), "number out of range");

    let lone_surrogate = with_required(r#""x":"\ud800""#);
    assert!(CreateModel::from_json(lone_surrogate.as_bytes()).is_err());
    assert!(by_serde(lone_surrogate.as_bytes()).is_ok());
}

#[test]
fn body_4_a_builder_keeps_the_later_value_of_a_field() {
    let built = CreateModel::builder()
        .name("")
        .language("xx")
        .base_model("x")
        .description("first")
        .name("n")
        .language(Language::Zh.as_str())
        .base_model(BaseModel::Legal.as_str())
        .description("second")
        .build()
        .unwrap();
    assert_eq!(built.name.as_str(), "n");
    assert_eq!((built.language, built.base_model), (Language::Zh, BaseModel::Legal));
    assert_eq!(built.description.unwrap().as_str(), "second");
}
