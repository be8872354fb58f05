//! LANG-1 to LANG-3; LANG-4 is in `types.rs`.

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::{CreateModel, Language};
use proptest::prelude::*;

use crate::support::{
    Json, LANGUAGES, config, is_language, message, quoted, render, tape, violated,
};

fn spoken(language: &str) -> String {
    format!(r#"{{"name":"n","language":{language}}}"#)
}

/// Panics unless every way to a request accepts `code` as a language exactly if it is one of the 33.
fn assert_judged(code: &str) {
    let is_known = is_language(code);
    assert_eq!(Language::from_code(code).is_some(), is_known, "{code:?}");
    assert_eq!(code.parse::<Language>().is_ok(), is_known, "{code:?}");
    let built = CreateModel::builder().name("n").language(code).build();
    match built {
        Ok(request) => assert_eq!(request.language.as_str(), code),
        Err(violations) => {
            assert!(!is_known, "{code:?}");
            let violation = violations.get(Field::Language).unwrap();
            assert_eq!(violation.kind(), ViolationKind::Unsupported);
            assert_eq!(violations.len(), 1);
        }
    }
}

#[test]
fn lang_1_a_language_is_required_and_null_is_none() {
    for body in [r#"{"name":"n"}"#, &spoken("null"), r#"{"name":"n","Language":"en"}"#] {
        assert_eq!(violated(body), [(Field::Language, ViolationKind::Missing)]);
        assert_eq!(message(body, Field::Language).unwrap(), "Language is required");
    }
    let violations = CreateModel::builder().name("n").build().unwrap_err();
    assert_eq!(violations.to_string(), "language: Language is required");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lang_1_whatever_else_there_is_a_missing_language_is_reported(
        mut tape in tape(),
        null in any::<bool>(),
    ) {
        let mut members = Json::request(&mut tape);
        members.retain(|(key, _)| key != "language");
        if null {
            let at = tape.below(members.len() + 1);
            members.insert(at, ("language".into(), Json::Null));
        }
        let body = render(&members, &mut tape);
        prop_assert_eq!(message(&body, Field::Language).unwrap(), "Language is required");
    }

    #[test]
    fn lang_2_a_language_is_a_string(mut tape in tape()) {
        let members = [
            ("name".into(), Json::Text("n".into())),
            ("language".into(), Json::wrong_type(&mut tape)),
        ];
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(Field::Language, ViolationKind::WrongType)]);
        prop_assert_eq!(message(&body, Field::Language).unwrap(), "Language must be a string");
    }

    #[test]
    fn lang_3_any_text_is_a_language_only_if_it_is_one_of_the_33(mut tape in tape()) {
        let code = match tape.below(3) {
            0 => tape.text(),
            1 => [tape.character(), tape.character()].iter().collect(),
            _ => {
                let codes: Vec<_> = LANGUAGES.split(' ').collect();
                format!("{}{}", tape.of(&codes), tape.of(&["", "", " ", "\0", "-NL", "\u{301}"]))
            }
        };
        assert_judged(&code);
        let body = spoken(&quoted(&code, &mut tape));
        let shown = (!is_language(&code)).then_some(ViolationKind::Unsupported);
        let expected: Vec<_> = shown.map(|kind| (Field::Language, kind)).into_iter().collect();
        prop_assert_eq!(violated(&body), expected);
    }
}

#[test]
fn lang_3_of_all_pairs_of_ascii_characters_33_are_languages() {
    let mut languages = 0;
    for first in '\0'..='\x7F' {
        for second in '\0'..='\x7F' {
            let code = String::from_iter([first, second]);
            assert_judged(&code);
            languages += usize::from(Language::from_code(&code).is_some());
        }
    }
    assert_eq!(languages, 33);
}

#[test]
fn lang_3_no_shorter_and_no_longer_text_is_a_language() {
    assert_judged("");
    for letter in '\0'..='\u{FFFF}' {
        let code = letter.to_string();
        assert!(Language::from_code(&code).is_none(), "{code:?}");
    }
    for code in LANGUAGES.split(' ') {
        let upper = code.to_uppercase();
        assert_judged(code);
        assert_judged(&upper);
        assert_judged(&format!("{}{}", &upper[..1], &code[1..]));
        assert_judged(&format!("{}{}", &code[..1], &upper[1..]));
        for letter in (0..=u8::MAX).map(char::from) {
            assert_judged(&format!("{letter}{code}"));
            assert_judged(&format!("{code}{letter}"));
            assert_judged(&format!("{}{letter}{}", &code[..1], &code[1..]));
        }
    }
}

#[test]
fn lang_3_the_message_shows_what_was_sent() {
    for (sent, shown) in [("xx", "xx"), ("EN", "EN"), (" en", " en"), ("eng", "eng"), ("", "")] {
        assert_eq!(
            message(&spoken(&format!("{sent:?}")), Field::Language).unwrap(),
            format!("Language '{shown}' is not supported")
        );
    }
}
