use super::*;

fn assert_same(error: &ErrorBody<'_>) {
    assert_eq!(error.to_json(), serde_json::to_string(error).unwrap());
}

#[test]
fn serde_makes_the_same_of_an_error_whatever_a_host_says_in_it() {
    for text in ["", "a", "\"", "\\", "a\"b\\c", "\u{0}", "\u{1f}", "\u{7f}", "é語😀", "</x>"] {
        let error = ErrorBody::new(400, text, text).with_header("X", text);
        assert_same(&error);
        let error = error.with_code(text).with_detail(text, text).with_detail("b", 1);
        assert_same(&error.with_detail("a", vec![text]));
    }
    let nothing = Some(Details::Members(Vec::new()));
    assert_same(&ErrorBody { details: nothing, ..ErrorBody::internal() });
}
