//! BODY-5: the parts of a caller's text that a message may show.

use custom_models_core::field::Field;
use custom_models_core::{CreateModel, Refusal, Violations};
use proptest::prelude::*;
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::support::{Json, config, message, mutate, quoted, render, tape, with_required};

/// A simple implementation of the rule.
fn shown(sent: &str) -> String {
    let escape = |character: char| match get_general_category(character) {
        GeneralCategory::Control | GeneralCategory::Format => {
            format!("\\u{{{:x}}}", u32::from(character))
        }
        _ => character.to_string(),
    };
    sent.chars().take(40).map(escape).collect()
}

/// Panics if a message has a character that moves the cursor or changes the direction of the text.
fn assert_harmless(violations: &Violations) {
    for violation in violations.iter() {
        for character in violation.to_string().chars() {
            let category = get_general_category(character);
            assert!(
                !matches!(category, GeneralCategory::Control | GeneralCategory::Format),
                "{violation:?} shows {character:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn body_5_a_message_shows_40_characters_and_no_control_or_format_character(mut tape in tape()) {
        let mut sent = tape.text();
        for _ in 0..tape.below(48) {
            sent.push(tape.character());
        }
        let sent = format!("{sent}!");
        let quoted = quoted(&sent, &mut tape);
        let body = format!(r#"{{"name":"n","language":{quoted},"base_model":{quoted}}}"#);
        let shown = shown(&sent);
        prop_assert_eq!(
            message(&body, Field::Language).unwrap(),
            format!("Language '{shown}' is not supported")
        );
        prop_assert_eq!(
            message(&body, Field::BaseModel).unwrap(),
            format!("Base model '{shown}' is not one of general, medical, legal, technical")
        );
    }

    #[test]
    fn body_5_no_body_gets_a_control_or_format_character_back(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let mut body = render(&members, &mut tape).into_bytes();
        mutate(&mut body, &mut tape);
        if let Err(violations) = CreateModel::from_json(&body) {
            assert_harmless(&violations);
            // The longest message has its own words and 40 escaped characters of ten bytes each.
            for violation in violations.iter() {
                prop_assert!(violation.to_string().chars().count() <= 40 * 10 + 64);
            }
            assert_harmless(&violations);
        }
    }
}

#[test]
fn body_5_the_wire_shows_escapes_as_text() {
    let body = with_required(r#""base_model":"\u202eevil\u0000\n""#);
    let refusal = Refusal::from(CreateModel::from_json(body.as_bytes()).unwrap_err());
    assert!(refusal.to_json().contains(
        r"Base model '\\u{202e}evil\\u{0}\\u{a}' is not one of general, medical, legal, technical"
    ));
}

#[test]
fn body_5_forty_characters_of_every_width_are_shown_and_the_41st_is_not() {
    for character in ["x", "é", "語", "😀"] {
        for count in [39, 40, 41, 1000] {
            let body = with_required(&format!(r#""base_model":"{}""#, character.repeat(count)));
            let shown = character.repeat(count.min(40));
            assert_eq!(
                message(&body, Field::BaseModel).unwrap(),
                format!("Base model '{shown}' is not one of general, medical, legal, technical")
            );
        }
    }
}
