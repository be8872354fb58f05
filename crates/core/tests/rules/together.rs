//! Writes whose futures are dropped, batches, and whole lists.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use custom_models_core::model::{Edit, Expected};
use custom_models_core::store::{Filter, ModelStore, StoreErrorKind};
use custom_models_core::{CustomModel, Engine, MemoryStore, ModelId, Plan, Refusal};
use proptest::prelude::*;

use crate::support::{block_on, caller, config, engine, id, request};

#[test]
fn model_6_a_write_whose_future_is_dropped_is_made() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    drop(engine.create_async(&acme, request("a")));
    drop(engine.create_many_async(&acme, [request("b"), request("c")]));
    drop(engine.edit_async(&acme, id(2), Edit::Delete, &Expected::Anything));
    drop(engine.delete_async(&acme, id(3)));
    let left: Vec<_> = engine.models(&acme, Filter::default()).map(Result::unwrap).collect();
    assert_eq!(left.iter().map(|model| model.id).collect::<Vec<_>>(), [id(1)]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn quota_3_a_batch_creates_as_many_as_fit_in_their_order(
        before in 0..8_u64,
        batch in 0..12_u64,
        is_async: bool,
    ) {
        let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::gold()));
        for _ in 0..before {
            let _ = engine.create(&acme, request("n"));
        }
        let before = before.min(5);
        let requests = (0..batch).map(|_| request("n"));
        let results = if is_async {
            block_on(engine.create_many_async(&acme, requests))
        } else {
            engine.create_many(&acme, requests)
        };
        let created = batch.min(5 - before);
        for (number, result) in (0..).zip(&results) {
            match result {
                Ok(model) => {
                    prop_assert!(number < created);
                    prop_assert_eq!(model.id, id(before + number + 1));
                }
                Err(Refusal::QuotaExceeded { current_models, .. }) => {
                    prop_assert!(number >= created);
                    prop_assert_eq!(*current_models, 5);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(results.len() as u64, batch);
        prop_assert_eq!(engine.models(&acme, Filter::default()).count() as u64, before + created);
    }
}

async fn all(engine: &Engine, of: &custom_models_core::Caller) -> Vec<ModelId> {
    let (mut models, mut found) = (engine.models_async(of, Filter::default()), Vec::new());
    while let Some(model) = models.next().await {
        found.push(model.unwrap().id);
    }
    found
}

/// More models than a page has. Those that were there before are in each list, and no list has one twice.
#[test]
fn read_1_whole_lists_have_each_model_once_while_others_are_created() {
    const BEFORE: u64 = 2500;
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    engine.create_many(&acme, (0..BEFORE).map(|_| request("n")));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                engine.create(&acme, request("n")).unwrap();
                engine.create(&caller("other", Plan::enterprise()), request("n")).unwrap();
            }
        });
        for _ in 0..5 {
            let iterated = engine.models(&acme, Filter::default()).map(|model| model.unwrap().id);
            for found in [iterated.collect(), block_on(all(&engine, &acme))] {
                assert!(found.is_sorted_by(|one, next| one < next));
                assert_eq!(found[..BEFORE as usize], (1..=BEFORE).map(id).collect::<Vec<_>>());
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn read_1_a_whole_list_can_be_filtered() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    engine.create_many(&acme, (0..2500).map(|_| request("n")));
    let french = custom_models_core::CreateModel::builder().name("n").language("fr").build();
    let french = engine.create(&acme, french.unwrap()).unwrap();
    let filter = Filter { language: Some(french.language), ..Filter::default() };
    let found: Vec<CustomModel> = engine.models(&acme, filter).map(Result::unwrap).collect();
    assert_eq!(found, [french]);
}

#[test]
fn log_1_a_whole_history_continues_after_a_position() {
    let (engine, acme) = (engine(MemoryStore::new()), caller("acme", Plan::enterprise()));
    engine.create_many(&acme, (0..2500).map(|_| request("n")));
    let positions: Vec<_> = engine.history(&acme, 7).map(|event| event.unwrap().position).collect();
    assert_eq!(positions, (8..=2500).collect::<Vec<_>>());
}

#[test]
fn an_error_is_the_last_item_of_a_list() {
    let (store, acme) = (MemoryStore::new(), caller("acme", Plan::enterprise()));
    let engine = engine(store.clone());
    engine.create_many(&acme, (0..1500).map(|_| request("n")));
    let (mut iterated, mut stream) =
        (engine.models(&acme, Filter::default()), engine.models_async(&acme, Filter::default()));
    for _ in 0..1000 {
        assert!(iterated.next().unwrap().is_ok());
        assert!(block_on(stream.next()).unwrap().is_ok());
    }
    store.close().unwrap();
    for last in [iterated.next(), block_on(stream.next())] {
        let refusal = last.unwrap().unwrap_err();
        assert_eq!(refusal, Refusal::Store(StoreErrorKind::Closed.into()));
    }
    assert!(iterated.next().is_none());
    assert!(block_on(stream.next()).is_none());
}
