//! BODY-1: the bodies that are JSON objects, compared with `serde_json`.

use custom_models_core::CreateModel;
use custom_models_core::field::{Field, ViolationKind};
use proptest::prelude::*;

use crate::support::{Json, Shape, config, message, mutate, quoted, render, shape, tape};

/// Returns the shape of a body according to the core.
fn taken_for(body: &[u8]) -> Shape {
    let Err(violations) = CreateModel::from_json(body) else {
        return Shape::Object;
    };
    let shape = match violations.get(Field::Body).map(|violation| violation.kind()) {
        None => return Shape::Object,
        Some(ViolationKind::NotJson) => Shape::NotJson,
        Some(ViolationKind::NotAnObject) => Shape::NotAnObject,
        Some(other) => panic!("{other} is nothing that a body can be"),
    };
    assert_eq!(violations.len(), 1, "`body` is the one key of `details`");
    shape
}

/// Panics if the core and `serde_json` disagree about the shape of a body.
fn assert_agreed(body: &[u8]) {
    assert_eq!(taken_for(body), shape(body), "{}", String::from_utf8_lossy(body));
}

const NOT_JSON: &str = "Request body is not valid JSON";
const NOT_AN_OBJECT: &str = "Request body must be a JSON object";

proptest! {
    #![proptest_config(config())]

    #[test]
    fn body_1_agrees_with_serde_json_on_spoiled_bodies(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let mut body = render(&members, &mut tape).into_bytes();
        prop_assert_eq!(taken_for(&body), Shape::Object);
        mutate(&mut body, &mut tape);
        assert_agreed(&body);
    }

    #[test]
    fn body_1_agrees_with_serde_json_on_any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        assert_agreed(&bytes);
        let mut body = b"{\"name\":\"".to_vec();
        body.extend(&bytes);
        body.extend(b"\"}");
        assert_agreed(&body);
    }

    #[test]
    fn body_1_a_body_that_breaks_off_is_not_json(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let body = render(&members, &mut tape);
        let end = tape.below(body.len());
        prop_assert_eq!(taken_for(&body.as_bytes()[..end]), Shape::NotJson);
    }

    #[test]
    fn body_1_a_value_that_is_no_object_is_refused(mut tape in tape()) {
        let value = match Json::value(&mut tape, 3) {
            Json::Object(_) => Json::Null,
            other => other,
        };
        let in_array = render(&[("x".into(), value)], &mut tape);
        let start = in_array.find(':').unwrap() + 1;
        let body = &in_array[start..in_array.len() - 1];
        prop_assert_eq!(taken_for(body.as_bytes()), Shape::NotAnObject);
        prop_assert_eq!(message(body, Field::Body).unwrap(), NOT_AN_OBJECT);
    }

    #[test]
    fn body_1_two_escapes_are_a_character_or_a_fault(
        first in any::<u16>(),
        second in any::<u16>(),
        pair in any::<bool>(),
    ) {
        let [first, second] = if pair {
            [0xD800 | first & 0x3FF, 0xDC00 | second & 0x3FF]
        } else {
            [first, second]
        };
        let body = format!(r#"{{"name":"x\u{first:04x}\u{second:04X}","language":"en"}}"#);
        let units = [u16::from(b'x'), first, second];
        let name: Result<String, _> = char::decode_utf16(units).collect();
        match (CreateModel::from_json(body.as_bytes()), name) {
            (Ok(request), Ok(name)) => prop_assert_eq!(request.name.as_str(), name),
            (Err(_), Err(_)) => prop_assert_eq!(message(&body, Field::Body).unwrap(), NOT_JSON),
            (taken, name) => prop_assert!(false, "{:?} {:?}", taken, name),
        }
    }

    #[test]
    fn body_1_text_after_the_object_is_a_fault(mut tape in tape()) {
        let after = tape.character();
        let body = format!("{}{after}", r#"{"name":"n","language":"en"}"#);
        let is_space = matches!(after, ' ' | '\t' | '\n' | '\r');
        let shape = if is_space { Shape::Object } else { Shape::NotJson };
        prop_assert_eq!(taken_for(body.as_bytes()), shape);
        let body = format!("{}{}", body.trim_end_matches(after), quoted("x", &mut tape));
        prop_assert_eq!(taken_for(body.as_bytes()), Shape::NotJson);
    }
}

/// Positions in a body, as the text before and after.
const PLACES: [(&str, &str); 8] = [
    ("", ""),
    ("\"", "\""),
    ("{\"name\":\"", "\"}"),
    ("{\"x\":\"", "\"}"),
    ("{\"name\":", "}"),
    ("{\"x\":[", "]}"),
    ("{\"name\":\"n\"", "}"),
    ("[1", "2]"),
];

#[test]
fn body_1_every_byte_and_every_two_bytes_are_judged_as_by_serde_json() {
    for (before, after) in PLACES {
        assert_agreed(format!("{before}{after}").as_bytes());
        for first in 0..=u8::MAX {
            assert_agreed(&[before.as_bytes(), &[first], after.as_bytes()].concat());
            for second in 0..=u8::MAX {
                assert_agreed(&[before.as_bytes(), &[first, second], after.as_bytes()].concat());
            }
        }
    }
}

#[test]
fn body_1_every_short_row_of_tokens_is_judged_as_by_serde_json() {
    const TOKENS: [&str; 8] = ["[", "]", "{", "}", ",", "\"a\"", "\"a\":", "1"];
    let mut rows = vec![String::new()];
    for _ in 0..6 {
        let longer = |row: &String| TOKENS.map(|token| format!("{row}{token}"));
        rows = rows.iter().flat_map(longer).collect();
        rows.iter().for_each(|row| assert_agreed(row.as_bytes()));
    }
}

#[test]
fn body_1_every_byte_at_every_place_of_a_string_is_judged_as_by_serde_json() {
    for field in ["name", "unknown"] {
        for place in 0..80 {
            for byte in 0..=u8::MAX {
                let mut body = format!(r#"{{"{field}":"{}"}}"#, "x".repeat(80)).into_bytes();
                body[field.len() + 5 + place] = byte;
                assert_agreed(&body);
            }
        }
    }
}

#[test]
fn body_1_bytes_that_are_no_utf_8_are_not_json() {
    let wrong: [&[u8]; 12] = [
        b"\x80",
        b"\xBF",
        b"\xC0\x80",
        b"\xC1\xBF",
        b"\xC3",
        b"\xE0\x80\x80",
        b"\xE0\x9F\xBF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF0\x80\x80\x80",
        b"\xF4\x90\x80\x80",
        b"\xFE\xFF",
    ];
    for (before, after) in PLACES {
        for bytes in wrong {
            let body = [before.as_bytes(), bytes, after.as_bytes()].concat();
            assert_eq!(taken_for(&body), Shape::NotJson, "{body:x?}");
        }
    }
}

#[test]
fn body_1_every_escape_is_judged_as_by_serde_json() {
    for code in 0..=u16::MAX {
        assert_agreed(format!(r#"{{"name":"\u{code:04x}"}}"#).as_bytes());
        let is_surrogate = (0xD800..0xE000).contains(&code);
        let body = format!(r#"{{"x":["\u{code:04X}a"]}}"#);
        let shape = if is_surrogate { Shape::NotJson } else { Shape::Object };
        assert_eq!(taken_for(body.as_bytes()), shape, "{body}");
    }
    for letter in 0..=u8::MAX {
        for rest in ["", "0", "00", "000", "0000", "00g0", "+000", "D800", "d83d\\uDE00", "D83D\\n"]
        {
            let mut body = b"{\"name\":\"\\".to_vec();
            body.push(letter);
            body.extend(rest.bytes());
            body.extend(b"\"}");
            assert_agreed(&body);
        }
    }
}

#[test]
fn body_1_is_127_levels_deep_at_most() {
    let kinds = [["[", "]"], ["{\"x\":", "}"], ["[ {\"name\" : ", "} ]"]];
    for [open, close] in kinds {
        let levels = 1 + open.matches('{').count() * open.matches('[').count();
        for (before, after) in
            [("", ""), ("{\"x\":", "}"), ("{\"name\":", "}"), ("{\"x\":[1,", "]}")]
        {
            let outer = before.matches(['{', '[']).count();
            for count in 60..=130 {
                for inner in ["1", "\"\"", "[]", "{}"] {
                    let depth =
                        outer + levels * count + usize::from(inner.len() == 2 && inner != "\"\"");
                    let body =
                        [before, &open.repeat(count), inner, &close.repeat(count), after].concat();
                    let taken = taken_for(body.as_bytes());
                    assert_eq!(taken == Shape::NotJson, depth > 127, "{depth} levels: {body}");
                    assert_eq!(taken, shape(body.as_bytes()), "{depth} levels: {body}");
                }
            }
        }
    }
}

#[test]
fn body_1_many_values_side_by_side_are_not_deep() {
    let pairs = "[{\"x\":[]},{}],".repeat(1000);
    let body = format!("{{\"x\":[{pairs}1],\"y\":[{pairs}1]}}");
    assert_eq!(taken_for(body.as_bytes()), Shape::Object);
}

#[test]
fn body_1_a_byte_order_mark_is_refused() {
    let body = r#"{"name":"n","language":"en"}"#;
    assert_eq!(taken_for(body.as_bytes()), Shape::Object);
    assert_eq!(message(&format!("\u{FEFF}{body}"), Field::Body).unwrap(), NOT_JSON);
    assert_eq!(message(&format!("{body}\u{FEFF}"), Field::Body).unwrap(), NOT_JSON);
    let utf_16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(taken_for(&utf_16), Shape::NotJson);
}

#[test]
fn body_1_numbers_are_not_range_checked() {
    let long = "9".repeat(5000);
    for number in
        ["1e999", "-1e999", "1E+99999999999999999999", "0e-999", &long, &format!("0.{long}e{long}")]
    {
        for field in ["x", "name"] {
            let body = format!(r#"{{"{field}":{number},"name":"n"}}"#);
            assert_eq!(taken_for(body.as_bytes()), Shape::Object, "{body}");
        }
    }
}

#[test]
fn body_1_says_what_is_wrong() {
    for body in
        ["", " ", "{", "{]", "nul", "{\"name\"}", "{'name':1}", "{}{}", "{\"a\":1,}", "[1,]"]
    {
        assert_eq!(message(body, Field::Body).unwrap(), NOT_JSON, "{body}");
    }
    for body in ["null", "true", "1", "\"{}\"", "[]", " [{\"name\":\"n\"}] "] {
        assert_eq!(message(body, Field::Body).unwrap(), NOT_AN_OBJECT, "{body}");
    }
}
