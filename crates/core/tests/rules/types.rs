//! Rules that the types enforce: LANG-4 and BASE-4, since no change can name a language or a base model of an
//! existing model. No conversion bypasses a rule either.

use std::collections::BTreeMap;

use custom_models_core::field::{Description, Name};
use custom_models_core::model::TrainingStatus;
use custom_models_core::store::Change;
use custom_models_core::{BaseModel, CreateModel, Language, ModelId, Plan};
use proptest::prelude::*;

use crate::support::{Call, Recorder, Tape, caller, config, engine, tape};

/// Returns true if a change could give an existing model another language or base model.
///
/// There is no wildcard: a new change does not compile until it is handled here.
fn touches_language_or_base_model(change: &Change) -> bool {
    match change {
        Change::Create { .. } | Change::Edit { .. } => false,
    }
}

type Fixed = BTreeMap<ModelId, (Language, BaseModel)>;

/// Runs some operations, and returns the fixed fields of every existing model, as created and as they are
/// now.
fn fixed_and_found(tape: &mut Tape) -> (Fixed, Fixed) {
    let store = Recorder::default();
    let engine = engine(store.clone());
    let caller = caller("acme", Plan::enterprise());
    let mut fixed = Fixed::new();
    for _ in 0..tape.below(12) {
        let chosen = fixed.keys().copied().nth(tape.below(4));
        match (tape.below(4), chosen) {
            (0, Some(id)) => {
                engine.delete(&caller, id).unwrap();
                fixed.remove(&id);
            }
            (1, Some(id)) => drop(engine.get(&caller, id).unwrap()),
            _ => {
                let (language, base_model) = (tape.of(Language::ALL), tape.of(&BaseModel::ALL));
                let request = CreateModel::builder()
                    .name("n")
                    .language(language.as_str())
                    .base_model(base_model.as_str());
                let model = engine.create(&caller, request.build().unwrap()).unwrap();
                assert_eq!((model.language, model.base_model), (language, base_model));
                fixed.insert(model.id, (language, base_model));
            }
        }
    }
    let found = engine.list(&caller, &Default::default()).unwrap().result;
    for call in store.calls() {
        if let Call::Submit(write) = call {
            assert!(!touches_language_or_base_model(&write.change));
        }
    }
    let found = found.into_iter().map(|model| (model.id, (model.language, model.base_model)));
    (fixed, found.collect())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lang_4_no_operation_changes_the_language(mut tape in tape()) {
        let (fixed, found) = fixed_and_found(&mut tape);
        prop_assert_eq!(fixed.len(), found.len());
        for (id, (language, _)) in fixed {
            prop_assert_eq!(found[&id].0, language);
        }
    }

    #[test]
    fn base_4_no_operation_changes_the_base_model(mut tape in tape()) {
        let (fixed, found) = fixed_and_found(&mut tape);
        prop_assert_eq!(fixed.len(), found.len());
        for (id, (_, base_model)) in fixed {
            prop_assert_eq!(found[&id].1, base_model);
        }
    }

    #[test]
    fn name_3_and_name_4_hold_on_every_conversion(mut tape in tape()) {
        let text = tape.text();
        let json = serde_json::to_string(&text).unwrap();
        let made = [
            Name::new(&*text).map_err(|violation| violation.to_string()),
            Name::try_from(&*text).map_err(|violation| violation.to_string()),
            Name::try_from(text.clone()).map_err(|violation| violation.to_string()),
            text.parse::<Name<'_>>().map_err(|violation| violation.to_string()),
            serde_json::from_value(text.clone().into()).map_err(|error| error.to_string()),
        ];
        for other in &made {
            prop_assert_eq!(other, &made[0]);
        }
        if let Ok(name) = &made[0] {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert_eq!(name.as_ref(), &text);
            prop_assert_eq!(name.to_string(), text.clone());
            prop_assert_eq!(serde_json::to_string(name).unwrap(), json);
            prop_assert_eq!(String::from(name.clone()), text);
        }
    }

    #[test]
    fn desc_3_holds_on_every_conversion(mut tape in tape()) {
        let text = tape.text();
        let json = serde_json::to_string(&text).unwrap();
        let made = [
            Description::new(&*text).map_err(|violation| violation.to_string()),
            Description::try_from(&*text).map_err(|violation| violation.to_string()),
            Description::try_from(text.clone()).map_err(|violation| violation.to_string()),
            text.parse::<Description<'_>>().map_err(|violation| violation.to_string()),
            serde_json::from_value(text.clone().into()).map_err(|error| error.to_string()),
        ];
        for other in &made {
            prop_assert_eq!(other, &made[0]);
        }
        if let Ok(description) = &made[0] {
            prop_assert_eq!(description.as_str(), &text);
            prop_assert_eq!(description.to_string(), text.clone());
            prop_assert_eq!(serde_json::to_string(description).unwrap(), json);
            prop_assert_eq!(String::from(description.clone()), text);
        }
    }

    #[test]
    fn lang_3_and_base_3_hold_on_every_conversion(mut tape in tape()) {
        let text = tape.text();
        let value = serde_json::Value::from(text.clone());
        let languages = [
            Language::from_code(&text),
            text.parse().ok(),
            Language::try_from(&*text).ok(),
            serde_json::from_value(value.clone()).ok(),
        ];
        prop_assert_eq!(languages, [languages[0]; 4]);
        let base_models = [
            BaseModel::from_name(&text),
            text.parse().ok(),
            BaseModel::try_from(&*text).ok(),
            serde_json::from_value(value).ok(),
        ];
        prop_assert_eq!(base_models, [base_models[0]; 4]);
    }
}

#[test]
fn lang_3_and_base_3_every_value_is_written_and_read_as_itself() {
    for &language in Language::ALL {
        let code = language.as_str();
        assert_eq!(code.parse(), Ok(language));
        assert_eq!((language.to_string(), language.as_ref()), (code.to_owned(), code));
        assert_eq!(serde_json::to_string(&language).unwrap(), format!("{code:?}"));
        assert_eq!(serde_json::from_str::<Language>(&format!("{code:?}")).unwrap(), language);
    }
    for base_model in BaseModel::ALL {
        let name = base_model.as_str();
        assert_eq!(name.parse(), Ok(base_model));
        assert_eq!((base_model.to_string(), base_model.as_ref()), (name.to_owned(), name));
        assert_eq!(serde_json::to_string(&base_model).unwrap(), format!("{name:?}"));
        assert_eq!(serde_json::from_str::<BaseModel>(&format!("{name:?}")).unwrap(), base_model);
    }
}

#[test]
fn model_3_a_training_status_is_its_number() {
    for number in 0..=u8::MAX {
        let status = TrainingStatus::from_number(number);
        assert_eq!(status.is_some(), (1..=5).contains(&number), "{number}");
        if let Some(status) = status {
            assert_eq!(status.number(), number);
            assert_eq!(serde_json::to_string(&status).unwrap(), number.to_string());
            assert!(!status.message().is_empty());
        }
    }
}
