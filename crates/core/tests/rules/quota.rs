//! QUOTA-1 to QUOTA-7.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use custom_models_core::store::{Change, Outcome};
use custom_models_core::{CreateModel, Engine, MemoryStore, ModelId, Plan, Refusal};
use proptest::prelude::*;

use crate::support::{Call, Recorder, Scripted, caller, config, engine, kinds, request, tape};

/// Returns the number of models of an organisation.
fn held(engine: &Engine, organisation: &str) -> u64 {
    let caller = caller(organisation, Plan::enterprise());
    engine.list(&caller, &Default::default()).unwrap().total_results
}

/// Returns the details of a refusal for the quota.
fn details(refusal: Refusal) -> (u64, u64, String) {
    match refusal {
        Refusal::QuotaExceeded { current_models, plan_limit, plan } => {
            (current_models, plan_limit, plan.into_owned())
        }
        other => panic!("{other:?} is not about the quota"),
    }
}

#[test]
fn quota_1_gold_holds_5_models_and_enterprise_any_number() {
    assert_eq!((Plan::gold().name(), Plan::gold().model_limit()), ("Gold", Some(5)));
    assert_eq!((Plan::enterprise().name(), Plan::enterprise().model_limit()), ("Enterprise", None));
    let engine = engine(MemoryStore::new());
    let (gold, enterprise) = (caller("gold", Plan::gold()), caller("all", Plan::enterprise()));
    for number in 0..50 {
        assert_eq!(engine.create(&gold, request("n")).is_ok(), number < 5);
        assert!(engine.create(&enterprise, request("n")).is_ok());
    }
    assert_eq!((held(&engine, "gold"), held(&engine, "all")), (5, 50));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn quota_1_a_host_has_plans_of_its_own(
        limit in 0..12u64,
        more in 1..4u64,
        name in "[a-z]{0,9}",
    ) {
        let plan = Plan::new(name.clone(), Some(limit));
        prop_assert_eq!((plan.name(), plan.model_limit()), (&*name, Some(limit)));
        let engine = engine(MemoryStore::new());
        let caller = caller("acme", plan);
        for number in 0..limit + more {
            prop_assert_eq!(engine.create(&caller, request("n")).is_ok(), number < limit);
        }
        prop_assert_eq!(held(&engine, "acme"), limit);
    }

    #[test]
    fn quota_2_and_quota_5_what_counts_is_the_models_there_are_against_the_plan_of_now(
        mut tape in tape(),
    ) {
        let engine = engine(MemoryStore::new());
        let names = ["one", "two"];
        let mut living = [const { BTreeSet::<ModelId>::new() }; 2];
        let mut plans = [Plan::gold(), Plan::gold()];
        for _ in 0..tape.below(32) {
            let which = tape.below(2);
            let caller = caller(names[which], plans[which].clone());
            let count = living[which].len() as u64;
            let chosen = living[which].iter().copied().nth(tape.below(4));
            match (tape.below(6), chosen) {
                (0, Some(id)) => {
                    engine.delete(&caller, id).unwrap();
                    living[which].remove(&id);
                }
                // Lowered, raised, or lifted; existing models stay (QUOTA-5).
                (1, _) => {
                    let limit = tape.below(8) as u64;
                    plans[which] = Plan::new("Other", (limit < 7).then_some(limit));
                }
                _ => match (engine.create(&caller, request("n")), caller.plan().model_limit()) {
                    (Ok(model), limit) => {
                        prop_assert!(limit.is_none_or(|limit| count < limit));
                        living[which].insert(model.id);
                    }
                    (Err(refusal), Some(limit)) => {
                        prop_assert!(count >= limit);
                        let expected = (count, limit, caller.plan().name().to_owned());
                        prop_assert_eq!(details(refusal), expected);
                    }
                    (Err(refusal), None) => prop_assert!(false, "{:?}", refusal),
                },
            }
            prop_assert_eq!(held(&engine, names[which]), living[which].len() as u64);
        }
    }

    #[test]
    fn quota_3_a_create_at_the_limit_leaves_no_trace(
        limit in 0..6u64,
        refused in 1..5,
        asynchronous in any::<bool>(),
    ) {
        let engine = engine(MemoryStore::new());
        let caller = caller("acme", Plan::new("Small", Some(limit)));
        for _ in 0..limit {
            engine.create(&caller, request("n")).unwrap();
        }
        let before = engine.list(&caller, &Default::default()).unwrap();
        for _ in 0..refused {
            if asynchronous {
                drop(engine.create_async(&caller, request("refused")));
            } else {
                let refusal = engine.create(&caller, request("refused")).unwrap_err();
                prop_assert_eq!(refusal.status(), 402);
            }
        }
        prop_assert_eq!(&engine.list(&caller, &Default::default()).unwrap(), &before);
        // No counter changed: after one delete there is room for exactly one model.
        if let Some(model) = before.result.first() {
            engine.delete(&caller, model.id).unwrap();
            prop_assert!(engine.create(&caller, request("n")).is_ok());
            prop_assert!(engine.create(&caller, request("n")).is_err());
        }
    }

    #[test]
    fn quota_4_a_create_is_one_conditional_write_and_no_read(
        limit in proptest::option::of(0..4u64),
        creates in 1..6,
        asynchronous in any::<bool>(),
    ) {
        let store = Recorder::default();
        let engine = engine(store.clone());
        let caller = caller("acme", Plan::new("Some", limit));
        for _ in 0..creates {
            if asynchronous {
                drop(engine.create_async(&caller, request("n")));
            } else {
                let _ = engine.create(&caller, request("n"));
            }
            match &store.calls()[..] {
                [Call::Submit(write)] => {
                    prop_assert_eq!(&write.organisation, caller.organisation());
                    match &write.change {
                        Change::Create { limit: asked, .. } => prop_assert_eq!(*asked, limit),
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn quota_6_the_refusal_says_count_limit_and_plan(
        current in any::<u64>(),
        limit in any::<u64>(),
        name in "\\PC{0,12}",
    ) {
        let store = Scripted::new(move |_, done| done(Ok(Outcome::LimitReached { current })));
        let caller = caller("acme", Plan::new(name.clone(), Some(limit)));
        let refusal = engine(store).create(&caller, request("n")).unwrap_err();
        prop_assert_eq!(refusal.status(), 402);
        let wire: serde_json::Value = serde_json::from_str(&refusal.to_json()).unwrap();
        let expected = serde_json::json!({
            "current_models": current, "plan_limit": limit, "plan": name
        });
        prop_assert_eq!(&wire["details"], &expected);
        prop_assert_eq!(details(refusal), (current, limit, name));
    }

    #[test]
    fn quota_7_an_invalid_body_at_the_limit_is_a_validation_error(
        mut tape in tape(),
        limit in 0..3u64,
    ) {
        let store = Recorder::default();
        let engine = engine(store.clone());
        let caller = caller("acme", Plan::new("Small", Some(limit)));
        for _ in 0..limit {
            engine.create(&caller, request("n")).unwrap();
        }
        store.calls();
        let members = crate::support::Json::request(&mut tape);
        let body = crate::support::render(&members, &mut tape);
        let violated = crate::support::expected(&members);
        // As a host handles a body: an engine accepts only a valid request.
        let answer = CreateModel::from_json(body.as_bytes())
            .map_err(Refusal::from)
            .and_then(|request| engine.create(&caller, request));
        match answer.unwrap_err() {
            Refusal::Invalid(violations) => {
                prop_assert_eq!(kinds(&violations), violated);
                prop_assert_eq!(Refusal::Invalid(violations).status(), 400);
                prop_assert_eq!(store.calls(), []);
            }
            refusal => {
                prop_assert_eq!(violated, []);
                prop_assert_eq!(details(refusal), (limit, limit, "Small".to_owned()));
            }
        }
    }
}

#[test]
fn quota_4_threads_that_race_for_the_last_places_never_pass_the_limit() {
    const THREADS: usize = 8;
    for round in 0..200 {
        let engine = engine(MemoryStore::new());
        let caller = caller("acme", Plan::gold());
        for _ in 0..round % 5 {
            engine.create(&caller, request("before")).unwrap();
        }
        let start = Barrier::new(THREADS);
        let made: u64 = thread::scope(|scope| {
            let race = || {
                start.wait();
                u64::from(engine.create(&caller, request("n")).is_ok())
            };
            let racing: Vec<_> = (0..THREADS).map(|_| scope.spawn(race)).collect();
            racing.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(made, 5 - round % 5);
        assert_eq!(held(&engine, "acme"), 5);
    }
}

#[test]
fn quota_2_a_delete_frees_its_place_at_once() {
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    let mut ids: Vec<_> =
        (0..5).map(|_| engine.create(&caller, request("n")).unwrap().id).collect();
    for _ in 0..20 {
        assert_eq!(engine.create(&caller, request("n")).unwrap_err().status(), 402);
        engine.delete(&caller, ids.remove(0)).unwrap();
        ids.push(engine.create(&caller, request("n")).unwrap().id);
    }
}

#[test]
fn quota_5_a_lowered_plan_keeps_models_and_refuses_until_there_is_room() {
    let engine = engine(MemoryStore::new());
    let gold = caller("acme", Plan::gold());
    let ids: Vec<_> = (0..5).map(|_| engine.create(&gold, request("n")).unwrap().id).collect();
    let lowered = caller("acme", Plan::new("Bronze", Some(2)));
    for (deleted, id) in ids.into_iter().enumerate() {
        let count = 5 - deleted as u64;
        if count >= 2 {
            let refusal = engine.create(&lowered, request("n")).unwrap_err();
            assert_eq!(details(refusal), (count, 2, "Bronze".to_owned()));
        }
        assert_eq!(held(&engine, "acme"), count);
        assert!(engine.get(&lowered, id).is_ok());
        engine.delete(&lowered, id).unwrap();
    }
    assert!(engine.create(&lowered, request("n")).is_ok());
}
