//! BASE-1 to BASE-3; BASE-4 is in `types.rs`.

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::{BaseModel, CreateModel};
use proptest::prelude::*;

use crate::support::{Json, config, message, quoted, render, tape, violated, with_required};

const KNOWN: [&str; 4] = ["general", "medical", "legal", "technical"];

fn based_on(base_model: &str) -> String {
    with_required(&format!(r#""base_model":{base_model}"#))
}

/// Panics unless every way to a request accepts `name` as a base model exactly if it is one of the four.
fn assert_judged(name: &str) {
    let is_known = KNOWN.contains(&name);
    assert_eq!(BaseModel::from_name(name).is_some(), is_known, "{name:?}");
    assert_eq!(name.parse::<BaseModel>().is_ok(), is_known, "{name:?}");
    match CreateModel::builder().name("n").language("en").base_model(name).build() {
        Ok(request) => assert_eq!(request.base_model.as_str(), name),
        Err(violations) => {
            assert!(!is_known, "{name:?}");
            let violation = violations.get(Field::BaseModel).unwrap();
            assert_eq!(violation.kind(), ViolationKind::Unsupported);
            assert_eq!(violations.len(), 1);
        }
    }
}

#[test]
fn base_1_without_a_base_model_it_is_general() {
    for body in [with_required(""), with_required(r#""Base_model":"legal""#)] {
        let request = CreateModel::from_json(body.as_bytes()).unwrap();
        assert_eq!(request.base_model, BaseModel::General);
    }
    let built = CreateModel::builder().name("n").language("en").build();
    assert_eq!(built.unwrap().base_model, BaseModel::General);
}

#[test]
fn base_2_null_is_no_base_model() {
    let body = based_on("null");
    assert_eq!(violated(&body), [(Field::BaseModel, ViolationKind::WrongType)]);
    assert_eq!(message(&body, Field::BaseModel).unwrap(), "Base model must be a string");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn base_1_whatever_else_there_is_an_absent_base_model_is_general(mut tape in tape()) {
        let mut members = Json::request(&mut tape);
        members.retain(|(key, _)| key != "base_model");
        let body = render(&members, &mut tape);
        match CreateModel::from_json(body.as_bytes()) {
            Ok(request) => prop_assert_eq!(request.base_model, BaseModel::General),
            Err(violations) => prop_assert!(violations.get(Field::BaseModel).is_none()),
        }
    }

    #[test]
    fn base_2_a_base_model_is_a_string(mut tape in tape()) {
        let members = [
            ("name".into(), Json::Text("n".into())),
            ("language".into(), Json::Text("en".into())),
            ("base_model".into(), Json::wrong_type(&mut tape)),
        ];
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(Field::BaseModel, ViolationKind::WrongType)]);
        prop_assert_eq!(message(&body, Field::BaseModel).unwrap(), "Base model must be a string");
    }

    #[test]
    fn base_3_any_text_is_a_base_model_only_if_it_is_one_of_the_four(mut tape in tape()) {
        let mut name: Vec<char> = match tape.below(4) {
            0 => tape.text().chars().collect(),
            _ => tape.of(&KNOWN).chars().collect(),
        };
        match tape.below(4) {
            0 => name.push(tape.character()),
            1 if !name.is_empty() => {
                let at = tape.below(name.len());
                name[at] = name[at].to_ascii_uppercase();
            }
            2 if !name.is_empty() => drop(name.remove(tape.below(name.len()))),
            _ => {}
        }
        let name: String = name.into_iter().collect();
        assert_judged(&name);
        let body = based_on(&quoted(&name, &mut tape));
        prop_assert_eq!(violated(&body).is_empty(), KNOWN.contains(&name.as_str()));
    }
}

#[test]
fn base_3_neighbours_of_the_four_are_refused() {
    for known in KNOWN {
        assert_judged(known);
        assert_judged(&known.to_uppercase());
        for end in 0..known.len() {
            assert_judged(&known[..end]);
            assert_judged(&known[end..]);
            let capital = known[end..=end].to_uppercase();
            assert_judged(&format!("{}{capital}{}", &known[..end], &known[end + 1..]));
        }
        for character in (0..=u8::MAX).map(char::from) {
            assert_judged(&format!("{character}{known}"));
            assert_judged(&format!("{known}{character}"));
        }
    }
    assert_judged("healthcare");
}

#[test]
fn base_3_the_message_lists_the_four() {
    for sent in ["Medical", "healthcare", "", "GENERAL"] {
        assert_eq!(
            message(&based_on(&format!("{sent:?}")), Field::BaseModel).unwrap(),
            format!("Base model '{sent}' is not one of general, medical, legal, technical")
        );
    }
}
