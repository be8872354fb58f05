//! MODEL-1 and MODEL-2: ids and keys; and PLACE-2: the id of a store in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use custom_models_core::model::InvalidModelId;
use custom_models_core::store::{ArchiveStore, StoreIdentity};
use custom_models_core::{Engine, MemoryStore, ModelId, ModelKey, Plan};
use proptest::prelude::*;

use crate::support::{caller, clock, config, id, request, tape};

const MAX: u64 = 9_007_199_254_740_991;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn model_1_ids_grow_and_are_never_given_twice(mut tape in tape()) {
        let mut store = MemoryStore::new();
        let mut engine = Engine::new(Arc::new(store.clone()), clock);
        let callers = ["one", "two", "three"].map(|name| caller(name, Plan::new("Small", Some(3))));
        let mut last = 0;
        let mut living = [const { BTreeSet::new() }; 3];
        for _ in 0..tape.below(24) {
            let which = tape.below(3);
            let newest = living[which].last().copied();
            match (tape.below(4), newest) {
                // The id of the newest model is the one that a careless store assigns again.
                (0, Some(id)) => {
                    engine.delete(&callers[which], id).unwrap();
                    living[which].remove(&id);
                }
                (1, _) => {
                    store = store.reopen();
                    engine = Engine::new(Arc::new(store.clone()), clock);
                }
                _ => {
                    if let Ok(model) = engine.create(&callers[which], request("n")) {
                        prop_assert!(model.id.get() > last, "{} after {}", model.id, last);
                        prop_assert!(model.id.get() <= MAX);
                        last = model.id.get();
                        living[which].insert(model.id);
                    }
                }
            }
        }
    }

    #[test]
    fn model_1_an_id_is_a_number_from_1_to_2_to_the_53rd_less_1(
        number in prop_oneof![0..4u64, MAX - 3..MAX + 4, any::<u64>()],
    ) {
        let is_id = (1..=MAX).contains(&number);
        prop_assert_eq!(ModelId::new(number).is_ok(), is_id);
        prop_assert_eq!(ModelId::try_from(number).is_ok(), is_id);
        prop_assert_eq!(ModelId::try_from(number.cast_signed()).is_ok(), is_id);
        prop_assert_eq!(number.to_string().parse::<ModelId>().is_ok(), is_id);
        prop_assert_eq!(serde_json::from_str::<ModelId>(&number.to_string()).is_ok(), is_id);
        if let Ok(id) = ModelId::new(number) {
            prop_assert_eq!(id.get(), number);
            prop_assert_eq!(u64::from(id), number);
            prop_assert_eq!(i64::from(id).cast_unsigned(), number);
            prop_assert_eq!(id.to_string(), number.to_string());
            prop_assert_eq!(serde_json::to_string(&id).unwrap(), number.to_string());
        }
    }

    #[test]
    fn model_2_the_key_is_custom_model_and_the_id(number in 1..=MAX) {
        let key = id(number).key();
        let text = format!("custom_model_{number}");
        prop_assert_eq!(key.to_string(), text.clone());
        prop_assert_eq!(key.id(), id(number));
        prop_assert_eq!(ModelKey::from(id(number)), key);
        prop_assert_eq!(text.parse(), Ok(key));
        prop_assert_eq!(serde_json::to_string(&key).unwrap(), format!("{text:?}"));
        prop_assert_eq!(serde_json::from_str::<ModelKey>(&format!("{text:?}")).unwrap(), key);
    }

    #[test]
    fn model_2_every_created_model_has_the_key_of_its_id(before in 0..20usize) {
        let engine = Engine::new(Arc::new(MemoryStore::new()), clock);
        let caller = caller("acme", Plan::enterprise());
        for _ in 0..before {
            engine.create(&caller, request("n")).unwrap();
        }
        let model = engine.create(&caller, request("n")).unwrap();
        let wire = serde_json::to_value(&model).unwrap();
        prop_assert_eq!(&wire["model_key"], &format!("custom_model_{}", wire["id"]));
        prop_assert_eq!(model.model_key(), model.id.key());
    }
}

#[test]
fn model_1_and_model_2_texts_that_are_no_id_and_no_key() {
    for text in
        ["", "0", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "1e3", "１", "9007199254740992", "x"]
    {
        assert_eq!(text.parse::<ModelId>(), Err(InvalidModelId), "{text:?}");
        assert_eq!(format!("custom_model_{text}").parse::<ModelKey>(), Err(InvalidModelId));
    }
    for text in
        ["1", "custom_model1", "Custom_model_1", " custom_model_1", "custom_model_custom_model_1"]
    {
        assert_eq!(text.parse::<ModelKey>(), Err(InvalidModelId), "{text:?}");
    }
    for number in [-1, i64::MIN, 0] {
        assert_eq!(ModelId::try_from(number), Err(InvalidModelId));
    }
    assert!(serde_json::from_str::<ModelId>("\"1\"").is_err());
    assert!(serde_json::from_str::<ModelKey>("\"custom_model_0\"").is_err());
}

#[test]
fn model_1_ids_go_on_above_the_one_that_a_store_in_memory_is_raised_to() {
    let store = MemoryStore::new();
    let engine = Engine::new(Arc::new(store.clone()), clock);
    let acme = caller("acme", Plan::gold());
    for (raised, next) in [(41, 42), (7, 43)] {
        store.raise_last_id(id(raised));
        assert_eq!(engine.create(&acme, request("n")).unwrap().id, id(next));
    }
}

#[test]
fn place_2_a_store_in_memory_has_the_identity_that_it_is_given() {
    let identity = StoreIdentity::from_bytes([7; 16]);
    assert_eq!(MemoryStore::with_identity(identity).summary().unwrap().identity, identity);
}
