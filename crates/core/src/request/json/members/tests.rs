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
