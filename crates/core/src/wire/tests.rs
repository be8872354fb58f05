use super::*;

pub(super) const TEXTS: [&str; 10] =
    ["", "a", "\"", "\\", "a\"b\\c", "\u{0}", "\u{1f}", "\u{7f}", "é語😀", "</x>"];

pub(super) fn assert_same(error: &ErrorBody<'_>) {
    assert_eq!(error.to_json(), serde_json::to_string(error).unwrap());
}

#[test]
fn serde_makes_the_same_of_an_error_whatever_a_host_says_in_it() {
    for text in TEXTS {
        let error = ErrorBody::new(400, text, text).with_header("X", text);
        assert_same(&error);
        assert_same(&error.with_code(text));
    }
    for character in ('\0'..='\u{a0}').chain(['\u{2028}', '\u{2029}', '\u{feff}', char::MAX]) {
        let mut text = String::new();
        push_text(&mut text, &format!("a{character}b"));
        assert_eq!(text, serde_json::to_string(&format!("a{character}b")).unwrap());
    }
}
