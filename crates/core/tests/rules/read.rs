//! READ-1 to READ-3 in the engine.

use std::num::NonZeroU64;
use std::sync::Arc;

use custom_models_core::model::TrainingStatus;
use custom_models_core::request::{PerPage, Start};
use custom_models_core::store::{Change, Filter, ModelStore, Write};
use custom_models_core::time::UnixMillis;
use custom_models_core::{
    BaseModel, CreateModel, CustomModel, Engine, Language, ListModels, MemoryStore, Plan,
};
use proptest::prelude::*;

use crate::support::{
    Call, NOW, Recorder, Tape, caller, clock, config, engine, id, keys, request, stored, tape,
    training,
};

const LANGUAGES: [Language; 3] = [Language::En, Language::Nl, Language::Zh];
const BASE_MODELS: [BaseModel; 2] = [BaseModel::General, BaseModel::Legal];

/// Returns a store with models of two organisations, and those of `acme` in ascending order of their ids.
fn filled(tape: &mut Tape) -> (MemoryStore, Vec<CustomModel>) {
    let store = MemoryStore::new();
    let engine = engine(store.clone());
    let mut ours = Vec::new();
    for _ in 0..tape.below(20) {
        let organisation = tape.of(&["acme", "acme", "other"]);
        let caller = caller(organisation, Plan::enterprise());
        let request = CreateModel::builder()
            .name("n")
            .language(tape.of(&LANGUAGES).as_str())
            .base_model(tape.of(&BASE_MODELS).as_str())
            .build()
            .unwrap();
        let model = engine.create(&caller, request).unwrap();
        if organisation == "acme" {
            ours.push(model);
        }
    }
    if !ours.is_empty() && tape.below(2) == 0 {
        let deleted = ours.remove(tape.below(ours.len()));
        engine.delete(&caller("acme", Plan::gold()), deleted.id).unwrap();
    }
    (store, ours)
}

fn filter(tape: &mut Tape) -> Filter {
    Filter {
        status: (tape.below(4) == 0).then(|| tape.of(&TrainingStatus::ALL)),
        language: (tape.below(3) == 0).then(|| tape.of(&LANGUAGES)),
        base_model: (tape.below(3) == 0).then(|| tape.of(&BASE_MODELS)),
    }
}

/// A simple implementation of the rule: every given condition must hold.
fn matches(filter: &Filter, model: &CustomModel) -> bool {
    let status = filter.status.is_none_or(|status| status == model.training_status());
    let language = filter.language.is_none_or(|language| language == model.language);
    let base_model = filter.base_model.is_none_or(|base_model| base_model == model.base_model);
    status && language && base_model
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn read_1_a_page_holds_the_matching_models_in_ascending_ids(
        mut tape in tape(),
        page in 1..6u64,
        per_page in 1..9u32,
    ) {
        let (store, models) = filled(&mut tape);
        let filter = filter(&mut tape);
        let matching: Vec<_> = models.into_iter().filter(|model| matches(&filter, model)).collect();
        let request = ListModels {
            filter,
            start: Start::Page(NonZeroU64::new(page).unwrap()),
            per_page: PerPage::new(per_page).unwrap(),
        };
        let found = engine(store).list(&caller("acme", Plan::gold()), &request).unwrap();
        let skipped = ((page - 1) * u64::from(per_page)) as usize;
        let shown = matching.iter().skip(skipped).take(per_page as usize);
        let expected: Vec<_> = shown.cloned().collect();
        prop_assert_eq!(found.count, expected.len() as u64);
        prop_assert_eq!(found.total_results, matching.len() as u64);
        prop_assert_eq!(found.result, expected);
    }

    #[test]
    fn read_2_a_scan_by_cursor_sees_every_model_once(mut tape in tape(), per_page in 1..9u32) {
        let (store, models) = filled(&mut tape);
        let filter = filter(&mut tape);
        let matching: Vec<_> = models.into_iter().filter(|model| matches(&filter, model)).collect();
        let engine = engine(store);
        let mut scanned = Vec::new();
        let mut request = ListModels {
            filter,
            start: Start::default(),
            per_page: PerPage::new(per_page).unwrap(),
        };
        // A cursor that does not advance would loop for ever.
        for _ in 0..=matching.len() {
            let page = engine.list(&caller("acme", Plan::gold()), &request).unwrap();
            prop_assert_eq!(page.total_results, matching.len() as u64);
            let Some(last) = page.result.last() else { break };
            request.start = Start::After(last.id);
            scanned.extend(page.result);
        }
        prop_assert_eq!(scanned, matching);
    }

    #[test]
    fn read_2_a_list_is_one_bounded_question_to_the_store(
        after in 1..1000u64,
        page in 1..1000u64,
        per_page in 1..=100u32,
        by_cursor in any::<bool>(),
    ) {
        let store = Recorder::default();
        let caller = caller("acme", Plan::gold());
        let request = ListModels {
            start: if by_cursor {
                Start::After(id(after))
            } else {
                Start::Page(NonZeroU64::new(page).unwrap())
            },
            per_page: PerPage::new(per_page).unwrap(),
            ..ListModels::default()
        };
        engine(store.clone()).list(&caller, &request).unwrap();
        match &store.calls()[..] {
            [Call::List(organisation, selection)] => {
                prop_assert_eq!(organisation, caller.organisation());
                prop_assert_eq!(selection.limit, per_page);
                prop_assert_eq!(selection.after, by_cursor.then(|| id(after)));
                let skip = if by_cursor { 0 } else { (page - 1) * u64::from(per_page) };
                prop_assert_eq!(selection.skip, skip);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn read_3_a_model_is_seen_by_its_own_organisation_and_by_no_other(
        mut tape in tape(),
        asked in 1..30u64,
    ) {
        let (store, models) = filled(&mut tape);
        let engine = engine(store);
        let own = models.iter().find(|model| model.id.get() == asked);
        let answer = engine.get(&caller("acme", Plan::gold()), id(asked));
        match (answer, own) {
            (Ok(model), Some(own)) => prop_assert_eq!(&model, own),
            (Err(refusal), None) => {
                prop_assert_eq!(refusal.status(), 404);
                prop_assert!(refusal.to_json().contains("MODEL_NOT_FOUND"));
            }
            (answer, own) => prop_assert!(false, "{:?} {:?}", answer, own),
        }
        if own.is_some() {
            prop_assert!(engine.get(&caller("other", Plan::gold()), id(asked)).is_err());
        }
    }
}

#[test]
fn read_1_a_page_has_its_three_fields_in_order() {
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    let list = || engine.list(&caller, &ListModels::default()).unwrap();
    let empty = serde_json::to_string(&list()).unwrap();
    assert_eq!(empty, r#"{"count":0,"total_results":0,"result":[]}"#);
    engine.create(&caller, request("n")).unwrap();
    let one = serde_json::to_string(&list()).unwrap();
    assert_eq!(keys(&one), ["count", "total_results", "result"]);
    let model = serde_json::to_string(&stored(1, "n")).unwrap();
    assert_eq!(one, format!(r#"{{"count":1,"total_results":1,"result":[{model}]}}"#));
}

#[test]
fn read_1_a_page_past_the_end_is_empty() {
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    engine.create(&caller, request("n")).unwrap();
    for page in [2, 3, u64::MAX] {
        let start = Start::Page(NonZeroU64::new(page).unwrap());
        let request = ListModels { start, ..ListModels::default() };
        let found = engine.list(&caller, &request).unwrap();
        assert_eq!((found.count, found.total_results, found.result), (0, 1, vec![]));
    }
}

#[test]
fn read_1_without_a_word_it_is_the_first_page_of_25() {
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::enterprise());
    for _ in 0..30 {
        engine.create(&caller, request("n")).unwrap();
    }
    let found = engine.list(&caller, &ListModels::default()).unwrap();
    assert_eq!((found.count, found.total_results), (25, 30));
    assert_eq!(found.result[0].id, id(1));
    assert_eq!(found.result[24].id, id(25));
}

#[test]
fn read_1_every_status_can_be_filtered_by() {
    let model = |status| CustomModel { training: training(status), ..stored(1, "n") };
    for asked in TrainingStatus::ALL {
        let filter = Filter { status: Some(asked), ..Filter::default() };
        assert!(!filter.is_empty());
        for status in TrainingStatus::ALL {
            assert_eq!(filter.matches(&model(status)), status == asked);
            assert!(Filter::default().matches(&model(status)));
        }
    }
    assert!(Filter::default().is_empty());
}

#[test]
fn read_3_a_deleted_model_and_one_that_never_was_are_answered_alike() {
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    let model = engine.create(&caller, request("n")).unwrap();
    assert_eq!(engine.get(&caller, model.id).unwrap(), model);
    engine.delete(&caller, model.id).unwrap();
    let deleted = engine.get(&caller, model.id).unwrap_err();
    let never = engine.get(&caller, id(77)).unwrap_err();
    assert_eq!(deleted.to_json(), never.to_json());
    assert_eq!((deleted.status(), never.status()), (404, 404));
}

#[test]
fn read_3_a_store_shared_by_clones_and_by_reference_counts_is_one_store() {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::new(store.clone(), clock);
    let caller = caller("acme", Plan::gold());
    let change =
        Change::Create { model: request("n").into_new_model(NOW.parse().unwrap()), limit: None };
    let (organisation, actor) = (caller.organisation().clone(), caller.actor().clone());
    store.submit(
        Write::new(organisation, actor, UnixMillis::from_unix_millis(0), change),
        Box::new(|_| ()),
    );
    assert_eq!(engine.get(&caller, id(1)).unwrap(), stored(1, "n"));
    assert_eq!(engine.clone().list(&caller, &ListModels::default()).unwrap().count, 1);
    engine.clone().close().unwrap();
    assert!(engine.get(&caller, id(1)).is_err());
    assert!(store.list(caller.organisation(), &Default::default()).is_err());
}
