//! BODY-2 to BODY-4: the members that count, and the report of every violated field.

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::{CreateModel, Violations};
use proptest::prelude::*;

use crate::support::{
    Json, NAMED, config, expected, key, message, render, tape, violated, with_required,
};

fn is_named(key: &str) -> bool {
    NAMED.iter().any(|&(name, _)| name == key)
}

/// Returns values for a named field: a valid one first, then others with their violations.
fn choices(field: Field) -> Vec<(&'static str, Option<ViolationKind>)> {
    use ViolationKind::{Blank, Missing, Repeated, Unsupported, WrongType};
    match field {
        Field::Name => vec![
            (r#""name":"n""#, None),
            ("", Some(Missing)),
            (r#""name":null"#, Some(Missing)),
            (r#""name":7"#, Some(WrongType)),
            (r#""name":"""#, Some(Blank)),
            (r#""name":"n","name":"n""#, Some(Repeated)),
        ],
        Field::Language => vec![
            (r#""language":"en""#, None),
            ("", Some(Missing)),
            (r#""language":null"#, Some(Missing)),
            (r#""language":["en"]"#, Some(WrongType)),
            (r#""language":"xx""#, Some(Unsupported)),
            (r#""language":null,"language":"en""#, Some(Repeated)),
        ],
        Field::BaseModel => vec![
            (r#""base_model":"legal""#, None),
            ("", None),
            (r#""base_model":null"#, Some(WrongType)),
            (r#""base_model":{}"#, Some(WrongType)),
            (r#""base_model":"Legal""#, Some(Unsupported)),
            (r#""base_model":1,"base_model":"legal""#, Some(Repeated)),
        ],
        _ => vec![
            (r#""description":"d""#, None),
            ("", None),
            (r#""description":null"#, None),
            (r#""description":false"#, Some(WrongType)),
            (r#""description":null,"description":null"#, Some(Repeated)),
        ],
    }
}

#[test]
fn body_4_every_combination_of_violations_is_reported_in_one_answer() {
    let [name, language, base_model, description] = NAMED.map(|(_, field)| choices(field));
    for n in &name {
        for l in &language {
            for b in &base_model {
                for d in &description {
                    let chosen = [n, l, b, d];
                    let expected: Vec<_> = NAMED
                        .iter()
                        .zip(chosen)
                        .filter_map(|(&(_, field), (_, kind))| kind.map(|kind| (field, kind)))
                        .collect();
                    // In the order of the details and in reverse.
                    for reversed in [false, true] {
                        let mut members: Vec<_> = chosen.map(|(member, _)| *member).into();
                        members.retain(|member| !member.is_empty());
                        if reversed {
                            members.reverse();
                        }
                        let body = format!("{{{}}}", members.join(","));
                        assert_eq!(violated(&body), expected, "{body}");
                    }
                }
            }
        }
    }
}

/// Returns the keys of an object in the order in which they are written.
fn keys(violations: &Violations) -> Vec<String> {
    let json = serde_json::to_string(violations).unwrap();
    crate::support::keys(&json)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn body_4_every_violated_field_is_reported_and_no_other(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let body = render(&members, &mut tape);
        let expected = expected(&members);
        prop_assert_eq!(violated(&body), expected.clone(), "{}", body);
        if let Err(violations) = CreateModel::from_json(body.as_bytes()) {
            prop_assert_eq!(violations.len(), expected.len());
            let fields: Vec<_> = expected.iter().map(|(field, _)| field.as_str()).collect();
            prop_assert_eq!(keys(&violations), fields);
        }
    }

    #[test]
    fn body_4_a_wrong_type_is_a_violation_of_its_field(mut tape in tape(), place in 0usize..4) {
        let (name, field) = NAMED[place];
        let mut members: Vec<_> = NAMED
            .into_iter()
            .zip(["n", "en", "legal", ""])
            .map(|((name, _), text)| (name.to_owned(), Json::Text(text.into())))
            .collect();
        let wrong = Json::wrong_type(&mut tape);
        members[place] = (name.into(), wrong);
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(field, ViolationKind::WrongType)]);
    }

    #[test]
    fn body_2_fields_that_the_rules_do_not_name_are_ignored(mut tape in tape()) {
        let named = [
            ("name".to_owned(), Json::Text("n".into())),
            ("language".to_owned(), Json::Text("nl".into())),
            ("base_model".to_owned(), Json::Text("legal".into())),
            ("description".to_owned(), Json::Text("d".into())),
        ];
        let plain = render(&named, &mut tape);
        let mut members = named.to_vec();
        for _ in 0..=tape.below(4) {
            let key = key(&mut tape);
            if !is_named(&key) {
                let at = tape.below(members.len() + 1);
                members.insert(at, (key, Json::value(&mut tape, 4)));
            }
        }
        let body = render(&members, &mut tape);
        let expected = CreateModel::from_json(plain.as_bytes());
        prop_assert!(expected.is_ok());
        prop_assert_eq!(CreateModel::from_json(body.as_bytes()), expected);
    }

    #[test]
    fn body_3_a_named_field_given_again_is_a_violation_before_every_other(
        mut tape in tape(),
        place in 0usize..4,
    ) {
        let (name, field) = NAMED[place];
        let mut members: Vec<_> = [("name", "n"), ("language", "en")]
            .into_iter()
            .filter(|&(required, _)| required != name)
            .map(|(name, text)| (name.to_owned(), Json::Text(text.into())))
            .collect();
        for _ in 0..2 + tape.below(3) {
            let at = tape.below(members.len() + 1);
            let value = Json::value(&mut tape, 2);
            members.insert(at, (name.into(), value));
        }
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(field, ViolationKind::Repeated)], "{}", body);
    }
}

#[test]
fn body_2_a_named_field_counts_only_in_the_outermost_object() {
    let inner = r#""x":{"name":1,"language":"xx"},"y":[{"name":2,"name":3}]"#;
    assert_eq!(violated(&with_required(inner)), []);
    let outer = r#"{"x":{"name":"n","language":"en"}}"#;
    assert_eq!(
        violated(outer),
        [(Field::Name, ViolationKind::Missing), (Field::Language, ViolationKind::Missing)]
    );
}

#[test]
fn body_2_an_unknown_field_may_be_given_twice() {
    assert_eq!(violated(&with_required(r#""x":1,"x":2,"Name":"a","Name":"b""#)), []);
}

#[test]
fn body_2_an_unknown_field_must_still_be_well_formed() {
    for value in ["01", "tru", "[1,]", "\"\\x\"", "\"\\ud800\"", "{1:2}", "+1", "NaN", ""] {
        let body = with_required(&format!(r#""x":{value}"#));
        assert_eq!(violated(&body), [(Field::Body, ViolationKind::NotJson)], "{body}");
    }
}

#[test]
fn body_3_escapes_in_a_key_are_resolved() {
    for (again, label, field) in [
        (r"\u006eame", "Name", Field::Name),
        (r"l\u0061nguag\u0065", "Language", Field::Language),
        (r"base\u005Fmodel", "Base model", Field::BaseModel),
        (r"descriptio\u006E", "Description", Field::Description),
    ] {
        let once = format!(r#"{{"{again}":"general"}}"#);
        assert_ne!(message(&once, field), Some(format!("{label} is required")), "{once}");
        let name = field.as_str();
        let twice = with_required(&format!(r#""{name}":null,"{again}":null"#));
        assert_eq!(message(&twice, field), Some(format!("{label} is given more than once")));
    }
}
