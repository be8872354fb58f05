//! Members of a body with their values as written, for infrequent requests.

use std::borrow::Cow;

use super::{Scanner, scan};
use crate::request::raw::{BodyFault, RawFields};

/// Scans a body, and calls `note` with each member of its object: the key with its escapes resolved, the
/// value as written.
pub(crate) fn members<'a>(
    body: &'a [u8],
    mut note: impl FnMut(&str, &'a str),
) -> Result<(), BodyFault> {
    scan(body, &mut RawFields::default())?;
    let text = str::from_utf8(body).map_err(|_| BodyFault::NotJson)?;
    let scanner = Scanner { text };
    let mut at = scanner.space(scanner.space(0) + 1);
    while scanner.byte(at) == Some(b'"') {
        let (key, end) = scanner.string(at)?;
        let value = scanner.colon(end)?;
        let end = scanner.value(value, 1)?;
        note(&key, scanner.slice(value, end)?);
        // After the member there is a comma, or the end of the object and nothing more.
        at = scanner.space(scanner.space(end) + 1);
    }
    Ok(())
}

/// Returns the text of a value that is a string.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    Scanner { text: value }.string(0).ok().map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<(String, &str)>, BodyFault> {
        let mut found = Vec::new();
        members(body.as_bytes(), |key, value| found.push((key.to_owned(), value)))?;
        Ok(found)
    }

    #[test]
    fn every_member_is_found_with_its_value_as_it_is_written() {
        assert_eq!(read(" { } "), Ok(vec![]));
        let body = "{\"a\" : 1e999 ,\n\"\\u0062\":{\"c\":[\"}\",{}]} , \"a\":\"x\\n\",\"\":null}\n";
        let found = [("a", "1e999"), ("b", "{\"c\":[\"}\",{}]}"), ("a", "\"x\\n\""), ("", "null")];
        assert_eq!(read(body), Ok(found.map(|(key, value)| (key.to_owned(), value)).into()));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        assert_eq!(read("[{}]"), Err(BodyFault::NotAnObject));
        for body in ["", "{", "{\"a\":1", "{\"a\":1,}", "{} {}", "{\"a\":\"\\ud800\"}"] {
            assert_eq!(read(body), Err(BodyFault::NotJson), "{body}");
        }
    }

    #[test]
    fn the_text_of_a_string_has_its_escapes_resolved() {
        assert_eq!(text(r#""a\u0062\n""#).as_deref(), Some("ab\n"));
        assert_eq!(text("1"), None);
    }
}
