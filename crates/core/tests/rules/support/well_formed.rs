//! `serde_json` as an independent JSON parser.

use serde_json::Value;

/// The shape of a body, before any field is examined (BODY-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    NotJson,
    NotAnObject,
    Object,
}

/// Returns the shape according to `serde_json`, which parses a complete [`Value`]: it refuses the 128th
/// level, lone surrogates and everything outside the grammar.
pub(crate) fn shape(body: &[u8]) -> Shape {
    let Ok(text) = std::str::from_utf8(body) else {
        return Shape::NotJson;
    };
    match serde_json::from_str(&shorten_numbers(text)) {
        Err(_) => Shape::NotJson,
        Ok(Value::Object(_)) => Shape::Object,
        Ok(_) => Shape::NotAnObject,
    }
}

/// Truncates the digits of numbers, since `serde_json` refuses a number that no `f64` holds, and BODY-1 does
/// not: at most 17 digits in a row, one in an exponent.
///
/// The text stays well-formed or malformed: a run of digits becomes a shorter one with the same beginning.
/// Strings are not changed.
pub(crate) fn shorten_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let (mut run, mut longest) = (0, 17);
    let mut before = [' '; 2];
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            out.push(character);
        } else if character.is_ascii_digit() {
            if run == 0 {
                let exponent = matches!(before, [_, 'e' | 'E'] | ['e' | 'E', '+' | '-']);
                longest = if exponent { 1 } else { 17 };
            }
            run += 1;
            if run <= longest {
                out.push(character);
            }
        } else {
            run = 0;
            in_string = character == '"';
            out.push(character);
        }
        before = [before[1], character];
    }
    out
}
