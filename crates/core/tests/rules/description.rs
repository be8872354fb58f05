//! DESC-1 to DESC-4.

use custom_models_core::field::{Description, Field, ViolationKind};
use custom_models_core::{CreateModel, MemoryStore, Plan};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{
    Json, caller, config, engine, message, quoted, render, tape, violated, with_required,
};

fn described(description: &str) -> String {
    with_required(&format!(r#""description":{description}"#))
}

/// Returns the `description` in the response to a create with this body.
fn answered(body: &str) -> Value {
    let request = CreateModel::from_json(body.as_bytes()).unwrap();
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    let created = engine.create(&caller, request).unwrap();
    let read = engine.get(&caller, created.id).unwrap();
    assert_eq!(created, read);
    serde_json::to_value(&read).unwrap()["description"].take()
}

#[test]
fn desc_1_absent_and_null_are_no_description_and_shown_as_null() {
    for body in [with_required(""), described("null")] {
        let request = CreateModel::from_json(body.as_bytes()).unwrap();
        assert_eq!(request.description, None);
        assert_eq!(answered(&body), Value::Null);
    }
    let built = CreateModel::builder().name("n").language("en").build();
    assert_eq!(built.unwrap().description, None);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn desc_1_whatever_else_there_is_no_description_is_no_violation(
        mut tape in tape(),
        null in any::<bool>(),
    ) {
        let mut members = Json::request(&mut tape);
        members.retain(|(key, _)| key != "description");
        if null {
            let at = tape.below(members.len() + 1);
            members.insert(at, ("description".into(), Json::Null));
        }
        let body = render(&members, &mut tape);
        match CreateModel::from_json(body.as_bytes()) {
            Ok(request) => prop_assert_eq!(request.description, None),
            Err(violations) => prop_assert!(violations.get(Field::Description).is_none()),
        }
    }

    #[test]
    fn desc_2_a_description_is_a_string_or_null(mut tape in tape()) {
        let members = [
            ("description".into(), Json::wrong_type(&mut tape)),
            ("name".into(), Json::Text("n".into())),
            ("language".into(), Json::Text("en".into())),
        ];
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(Field::Description, ViolationKind::WrongType)]);
        prop_assert_eq!(
            message(&body, Field::Description).unwrap(),
            "Description must be a string or null"
        );
    }

    #[test]
    fn desc_3_more_than_1000_characters_are_too_many(mut tape in tape(), length in 940usize..1060) {
        let wide = tape.of(&['é', '語', '😀', 'x', ' ']);
        let text: String = (0..length)
            .map(|place| if place < 60 { tape.character() } else { wide })
            .collect();
        let body = described(&quoted(&text, &mut tape));
        let expected =
            (length > 1000).then(|| "Description cannot exceed 1000 characters".to_owned());
        prop_assert_eq!(message(&body, Field::Description), expected);
    }

    #[test]
    fn desc_4_a_description_is_kept_as_sent_and_stays_empty_if_it_is(mut tape in tape()) {
        let mut text = String::new();
        for _ in 0..tape.below(30) {
            text.push(tape.character());
        }
        let body = described(&quoted(&text, &mut tape));
        let request = CreateModel::from_json(body.as_bytes()).unwrap();
        prop_assert_eq!(request.description.as_ref().map(Description::as_str), Some(&*text));
        prop_assert_eq!(answered(&body), Value::from(text));
    }
}

#[test]
fn desc_4_the_empty_description_is_one() {
    assert_eq!(answered(&described(r#""""#)), Value::from(""));
    assert_eq!(answered(&described(r#"" ""#)), Value::from(" "));
    let built = CreateModel::builder().name("n").language("en").description("").build();
    assert_eq!(built.unwrap().description.unwrap().as_str(), "");
}
