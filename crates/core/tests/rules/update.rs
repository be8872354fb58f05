//! EDIT-1 to EDIT-4: changing the name and the description of a model.

use std::thread;

use custom_models_core::field::{Field, ViolationKind};
use custom_models_core::model::{Expected, Revision};
use custom_models_core::{
    BaseModel, CustomModel, Language, MemoryStore, Plan, Refusal, UpdateModel,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{
    Call, Clock, Recorder, Tape, caller, config, engine, id, kinds, message, mutate, request, tape,
};

/// Generates a value of one field of an update; `None` omits the field.
fn value(tape: &mut Tape) -> Option<Value> {
    match tape.below(6) {
        0 => None,
        1 => Some(Value::Null),
        2 => Some(json!(tape.below(9))),
        3 => Some(json!([])),
        _ => Some(Value::from(tape.text())),
    }
}

/// Returns the violation of a given name or description, by the rules.
fn fault(value: &Value, is_name: bool) -> Option<ViolationKind> {
    let (most, is_nullable) = if is_name { (200, false) } else { (1000, true) };
    match value {
        Value::Null if is_nullable => None,
        Value::String(text) if is_name && text.chars().all(char::is_whitespace) => {
            Some(ViolationKind::Blank)
        }
        Value::String(text) if text.chars().count() > most => Some(ViolationKind::TooLong),
        Value::String(_) => None,
        _ => Some(ViolationKind::WrongType),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn edit_1_and_edit_2_every_update_is_judged_by_the_words_of_the_rules(mut tape in tape()) {
        let fields: Vec<_> = ["name", "language", "base_model", "description", "other"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), value(&mut tape)?)))
            .collect();
        let given: Map<String, Value> = fields.into_iter().collect();
        let mut expected = Vec::new();
        if !given.contains_key("name") && !given.contains_key("description") {
            expected.push((Field::Body, ViolationKind::NothingToChange));
        }
        let name = given.get("name").and_then(|name| fault(name, true));
        expected.extend(name.map(|kind| (Field::Name, kind)));
        for (key, field) in [("language", Field::Language), ("base_model", Field::BaseModel)] {
            if given.contains_key(key) {
                expected.push((field, ViolationKind::Fixed));
            }
        }
        let description = given.get("description").and_then(|it| fault(it, false));
        expected.extend(description.map(|kind| (Field::Description, kind)));

        let body = Value::Object(given.clone()).to_string();
        let found = UpdateModel::from_json(body.as_bytes());
        let by_serde = serde_json::from_str::<UpdateModel<'_>>(&body);
        match found {
            Ok(request) => {
                prop_assert_eq!(expected, []);
                prop_assert_eq!(&by_serde.unwrap(), &request);
                let name = given.get("name").map(|name| name.as_str().unwrap());
                prop_assert_eq!(request.name.as_ref().map(|name| name.as_str()), name);
                let description = given.get("description").map(Value::as_str);
                let found = request.description.as_ref().map(|it| it.as_ref().map(|it| it.as_str()));
                prop_assert_eq!(found, description);
            }
            Err(violations) => {
                prop_assert!(by_serde.is_err());
                prop_assert_eq!(kinds(&violations), expected);
            }
        }
    }

    #[test]
    fn edit_1_a_spoiled_update_is_judged_without_a_panic(mut tape in tape()) {
        let mut body = br#"{"name":"n","description":null,"language":"en"}"#.to_vec();
        mutate(&mut body, &mut tape);
        let is_json = serde_json::from_slice::<Map<String, Value>>(&body).is_ok();
        if UpdateModel::from_json(&body).is_ok() {
            prop_assert!(is_json);
        }
    }

    #[test]
    fn edit_3_an_update_touches_what_it_names_and_time_never_goes_back(mut tape in tape()) {
        let (clock, acme) = (Clock::new(), caller("acme", Plan::gold()));
        let engine = clock.engine(MemoryStore::new());
        let mut before = engine.create(&acme, request("n")).unwrap();
        for _ in 0..tape.below(8) {
            clock.go((tape.below(20_000) as i64) - 10_000);
            let (name, description) = (format!("n{}", tape.below(9)), tape.text());
            let mut update = UpdateModel::builder();
            let names = tape.below(3);
            if names != 1 {
                update = update.name(&name);
            }
            if names != 0 {
                update = update.description(&description);
            }
            let Ok(update) = update.build() else { continue };
            let after = engine.update(&acme, before.id, update, &Expected::Anything).unwrap();
            if names != 1 {
                prop_assert_eq!(after.name.as_str(), &name);
            }
            if names != 0 {
                prop_assert_eq!(after.description.as_ref().unwrap().as_str(), &description);
            }
            prop_assert_eq!(after.updated_at, before.updated_at.max(clock.now().into()));
            prop_assert_eq!(after.revision().get(), before.revision().get() + 1);
            let expected = CustomModel {
                name: if names == 1 { before.name } else { after.name.clone() },
                description: if names == 0 { before.description } else { after.description.clone() },
                updated_at: after.updated_at,
                version: after.version,
                ..before
            };
            prop_assert_eq!(&after, &expected);
            prop_assert_eq!(&engine.get(&acme, after.id).unwrap(), &after);
            before = after;
        }
    }

    #[test]
    fn edit_4_an_update_is_made_exactly_at_a_revision_that_is_expected(
        updates in 0..4u64,
        expected in proptest::collection::vec(1..6u64, 0..3),
    ) {
        let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
        let model = engine.create(&acme, request("n")).unwrap();
        let rename = |name: &str, expected: &Expected| {
            let update = UpdateModel::builder().name(name).build().unwrap();
            engine.update(&acme, model.id, update, expected)
        };
        for _ in 0..updates {
            rename("between", &Expected::Anything).unwrap();
        }
        let is_met = expected.contains(&(updates + 1));
        let revisions = expected.into_iter().map(|it| Revision::new(it).unwrap()).collect();
        match rename("after", &Expected::OneOf(revisions)) {
            Ok(after) => prop_assert!(is_met && after.name.as_str() == "after"),
            Err(refusal) => {
                prop_assert!(!is_met);
                prop_assert_eq!(refusal.status(), 412);
                let after = engine.get(&acme, model.id).unwrap();
                prop_assert_ne!(after.name.as_str(), "after");
            }
        }
    }
}

#[test]
fn edit_1_and_edit_2_say_what_is_wrong() {
    let told = |body: &str| {
        let violations = UpdateModel::from_json(body.as_bytes()).unwrap_err();
        serde_json::to_string(&violations).unwrap()
    };
    for (body, details) in [
        ("{", r#"{"body":"Request body is not valid JSON"}"#),
        ("[]", r#"{"body":"Request body must be a JSON object"}"#),
        ("{}", r#"{"body":"Request body must have a name or a description"}"#),
        (r#"{"name":null}"#, r#"{"name":"Name must be a string"}"#),
        (r#"{"name":" "}"#, r#"{"name":"Name cannot be empty"}"#),
        (r#"{"name":"a","name":"a"}"#, r#"{"name":"Name is given more than once"}"#),
        (
            r#"{"name":"a","language":"en","base_model":null}"#,
            r#"{"language":"Language cannot be changed after creation","base_model":"Base model cannot be changed after creation"}"#,
        ),
        (
            r#"{"language":1,"language":2}"#,
            r#"{"body":"Request body must have a name or a description","language":"Language is given more than once"}"#,
        ),
        (r#"{"description":1}"#, r#"{"description":"Description must be a string or null"}"#),
    ] {
        assert_eq!(told(body), details, "{body}");
    }
    // In a create a `null` name is missing.
    assert_eq!(message(r#"{"name":null}"#, Field::Name).unwrap(), "Name is required");
}

#[test]
fn edit_1_a_description_is_cleared_by_null_and_kept_when_absent() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let update = |body: &str| {
        let request = UpdateModel::from_json(body.as_bytes()).unwrap();
        engine.update(&acme, model.id, request, &Expected::Anything).unwrap().description
    };
    assert_eq!(update(r#"{"description":"d"}"#).unwrap().as_str(), "d");
    assert_eq!(update(r#"{"name":"m"}"#).unwrap().as_str(), "d");
    assert_eq!(update(r#"{"description":""}"#).unwrap().as_str(), "");
    assert_eq!(update(r#"{"description":null}"#), None);
}

#[test]
fn lang_4_and_base_4_no_update_changes_what_was_fixed_at_creation() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    for body in [r#"{"name":"m","language":"nl"}"#, r#"{"name":"m","base_model":"legal"}"#] {
        assert!(UpdateModel::from_json(body.as_bytes()).is_err());
    }
    let update = UpdateModel::builder().name("m").no_description().build().unwrap();
    let after = engine.update(&acme, model.id, update, &Expected::Anything).unwrap();
    assert_eq!((after.language, after.base_model), (Language::En, BaseModel::General));
}

#[test]
fn edit_4_concurrent_updates_of_different_fields_both_survive() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let rounds = 200;
    let update = |body: String| {
        let request = UpdateModel::from_json(body.as_bytes()).unwrap().into_owned();
        engine.update(&acme, model.id, request, &Expected::Anything).unwrap();
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..rounds).for_each(|it| update(format!(r#"{{"name":"{it}"}}"#))));
        scope.spawn(|| (0..rounds).for_each(|it| update(format!(r#"{{"description":"{it}"}}"#))));
    });
    let after = engine.get(&acme, model.id).unwrap();
    let last = (rounds - 1).to_string();
    assert_eq!((after.name.as_str(), after.description.unwrap().as_str()), (&*last, &*last));
    assert_eq!(after.version.revision.get(), 1 + 2 * rounds);
}

#[test]
fn edit_4_an_update_is_decided_by_the_store_and_not_on_a_read_before() {
    let store = Recorder::default();
    let (engine, acme) = (engine(store.clone()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    store.calls();
    let update = UpdateModel::builder().name("m").build().unwrap();
    engine.update(&acme, model.id, update, &Expected::Anything).unwrap();
    assert!(matches!(store.calls().as_slice(), [Call::Submit(_)]));
}

#[test]
fn edit_4_of_32_renames_at_once_all_are_made() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    thread::scope(|scope| {
        for number in 0..32 {
            let (engine, acme) = (&engine, &acme);
            scope.spawn(move || {
                let name = format!("name {number}");
                let update = UpdateModel::builder().name(name).build().unwrap();
                engine.update(acme, model.id, update, &Expected::Anything).unwrap();
            });
        }
    });
    assert_eq!(engine.get(&acme, model.id).unwrap().revision().get(), 33);
}

#[test]
fn edit_1_another_organisations_model_is_not_found() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let update = || UpdateModel::builder().name("m").build().unwrap();
    let other = caller("other", Plan::gold());
    for (caller, id) in [(&other, model.id), (&acme, id(model.id.get() + 1))] {
        let refusal = engine.update(caller, id, update(), &Expected::Anything).unwrap_err();
        assert!(matches!(refusal, Refusal::ModelNotFound));
    }
    assert_eq!(engine.get(&acme, model.id).unwrap(), model);
}
