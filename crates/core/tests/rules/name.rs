//! NAME-1 to NAME-5.

use custom_models_core::field::{Description, Field, Name, ViolationKind};
use custom_models_core::{CreateModel, Plan};
use proptest::prelude::*;

use crate::support::{
    Json, WHITE_SPACE, caller, config, engine, message, quoted, render, tape, violated,
};

/// Returns a valid body with a name as written.
fn named(name: &str) -> String {
    format!(r#"{{"language":"en","name":{name}}}"#)
}

#[test]
fn name_1_a_name_is_required_and_null_is_none() {
    for body in [r#"{"language":"en"}"#, &named("null"), r#"{"language":"en","Name":"n"}"#] {
        assert_eq!(violated(body), [(Field::Name, ViolationKind::Missing)]);
        assert_eq!(message(body, Field::Name).unwrap(), "Name is required");
    }
    let violations = CreateModel::builder().language("en").build().unwrap_err();
    assert_eq!(violations.to_string(), "name: Name is required");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn name_1_whatever_else_there_is_a_missing_name_is_reported(
        mut tape in tape(),
        null in any::<bool>(),
    ) {
        let mut members = Json::request(&mut tape);
        members.retain(|(key, _)| key != "name");
        if null {
            let at = tape.below(members.len() + 1);
            members.insert(at, ("name".into(), Json::Null));
        }
        let body = render(&members, &mut tape);
        prop_assert_eq!(message(&body, Field::Name).unwrap(), "Name is required");
    }

    #[test]
    fn name_2_a_name_is_a_string(mut tape in tape()) {
        let members = [
            ("name".into(), Json::wrong_type(&mut tape)),
            ("language".into(), Json::Text("en".into())),
        ];
        let body = render(&members, &mut tape);
        prop_assert_eq!(violated(&body), [(Field::Name, ViolationKind::WrongType)]);
        prop_assert_eq!(message(&body, Field::Name).unwrap(), "Name must be a string");
    }

    #[test]
    fn name_3_a_name_of_white_space_alone_is_empty(mut tape in tape(), length in 0usize..300) {
        let mut name: String = (0..length.min(40)).map(|_| tape.of(&WHITE_SPACE)).collect();
        name.extend(std::iter::repeat_n(tape.of(&WHITE_SPACE), length.saturating_sub(40)));
        let body = named(&quoted(&name, &mut tape));
        prop_assert_eq!(violated(&body), [(Field::Name, ViolationKind::Blank)]);
        prop_assert_eq!(message(&body, Field::Name).unwrap(), "Name cannot be empty");
    }

    #[test]
    fn name_3_one_character_that_is_no_white_space_is_enough(mut tape in tape()) {
        let mut name: Vec<char> = (0..tape.below(100)).map(|_| tape.of(&WHITE_SPACE)).collect();
        let other = tape.character();
        let at = tape.below(name.len() + 1);
        name.insert(at, other);
        let name: String = name.into_iter().collect();
        let body = named(&quoted(&name, &mut tape));
        prop_assert_eq!(violated(&body).is_empty(), !WHITE_SPACE.contains(&other));
    }

    #[test]
    fn name_4_more_than_200_characters_are_too_many(mut tape in tape(), length in 150usize..260) {
        let wide = tape.of(&['é', '語', '😀', 'x', ' ']);
        let mut name = String::from("n");
        name.extend((1..length).map(|place| if place < 60 { tape.character() } else { wide }));
        let body = named(&quoted(&name, &mut tape));
        let expected = (length > 200).then(|| "Name cannot exceed 200 characters".to_owned());
        prop_assert_eq!(message(&body, Field::Name), expected);
    }

    #[test]
    fn name_5_a_name_is_kept_exactly_as_sent(mut tape in tape()) {
        let mut name = String::from(tape.of(&["n", " n", "\u{FEFF}n", "e\u{301}", "\0n", "n\r\n"]));
        for _ in 0..tape.below(60) {
            name.push(tape.character());
        }
        name.push_str(tape.of(&["", " ", "\n", "\u{301}", "\u{0}", "\u{3000}", "👩‍👩‍👧", "שלום"]));
        let body = named(&quoted(&name, &mut tape));
        let request = CreateModel::from_json(body.as_bytes()).unwrap();
        prop_assert_eq!(request.name.as_str(), &name);
        prop_assert_eq!(request.name.to_string(), name.clone());

        let engine = engine(custom_models_core::MemoryStore::new());
        let caller = caller("acme", Plan::gold());
        let created = engine.create(&caller, request).unwrap();
        let read = engine.get(&caller, created.id).unwrap();
        let listed = engine.list(&caller, &Default::default()).unwrap().result.remove(0);
        for model in [created, read, listed] {
            prop_assert_eq!(model.name.as_str(), &name);
            let wire: serde_json::Value =
                serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
            prop_assert_eq!(wire["name"].as_str(), Some(&*name));
        }
    }
}

#[test]
fn name_3_white_space_is_judged_character_by_character() {
    for character in '\0'..=char::MAX {
        let is_blank = Name::new(character.to_string()).is_err();
        assert_eq!(is_blank, WHITE_SPACE.contains(&character), "{character:?}");
    }
}

#[test]
fn name_3_comes_before_name_4() {
    for space in WHITE_SPACE {
        let spaces = space.to_string().repeat(201);
        let violation = Name::new(&*spaces).unwrap_err();
        assert_eq!(violation.kind(), ViolationKind::Blank);
        // A description has no such rule: it may be blank, and has another limit.
        assert!(Description::new(spaces).is_ok());
    }
}

#[test]
fn name_5_names_that_look_alike_stay_two_names() {
    let composed = Name::new("caf\u{e9}").unwrap();
    let combining = Name::new("cafe\u{301}").unwrap();
    assert_ne!(composed, combining);
    assert_ne!(Name::new("n ").unwrap(), Name::new("n").unwrap());
}
