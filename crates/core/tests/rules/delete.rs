//! EDIT-5 at the level of the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::{
    Caller, Change, CustomModel, Edit, Edited, Expected, MemoryStore, ModelId, Outcome, Plan,
    Refusal, Revision, TrainingStatus,
};
use proptest::prelude::*;

use crate::support::{
    Call, Recorder, Scripted, block_on, caller, config, course, engine, id, request, stored, tape,
};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn edit_5_a_delete_takes_one_model_of_the_callers_and_no_other(mut tape in tape()) {
        let engine = engine(MemoryStore::new());
        let callers = ["acme", "other"].map(|name| caller(name, Plan::enterprise()));
        let mut living: Vec<(usize, CustomModel)> = Vec::new();
        for _ in 0..tape.below(24) {
            let which = tape.below(2);
            if tape.below(2) == 0 {
                living.push((which, engine.create(&callers[which], request("n")).unwrap()));
                continue;
            }
            // Its own, another's, one that was deleted, or one that never was.
            let asked = id(1 + tape.below(16) as u64);
            let is_asked = |(owner, model): &(usize, CustomModel)| (*owner, model.id) == (which, asked);
            let place = living.iter().position(is_asked);
            match (engine.delete(&callers[which], asked), place) {
                (Ok(()), Some(place)) => drop(living.remove(place)),
                (Err(refusal), None) => prop_assert_eq!(refusal.status(), 404),
                (answer, place) => prop_assert!(false, "{:?} {:?}", answer, place),
            }
            prop_assert_eq!(engine.delete(&callers[which], asked).unwrap_err().status(), 404);
        }
        for (which, caller) in callers.iter().enumerate() {
            let expected: Vec<_> = living
                .iter()
                .filter(|(owner, _)| *owner == which)
                .map(|(_, model)| model.clone())
                .collect();
            prop_assert_eq!(engine.list(caller, &Default::default()).unwrap().result, expected);
        }
    }

    #[test]
    fn edit_5_a_delete_names_the_revision_that_it_was_decided_on(
        number in 1..100u64,
        revision in 1..100u64,
    ) {
        let revision = Revision::new(revision).unwrap();
        let expected = Change::Delete { id: id(number), stamp: revision.into() };
        let model = CustomModel { stamp: revision.into(), ..stored(number, "n") };
        let store = Scripted::new(move |write, done| {
            let is_right = write.change == expected && write.organisation.as_str() == "acme";
            done(Ok(if is_right { Outcome::Deleted } else { Outcome::NotFound }));
        });
        let engine = engine(store.reading(move || Ok(Some(model.clone()))));
        prop_assert!(engine.delete(&caller("acme", Plan::gold()), id(number)).is_ok());
    }
}

/// An engine over a store where others change the model so often between read and write; and a
/// count of the writes.
fn contended(times: u64) -> (custom_models_core::Engine, Arc<AtomicU64>) {
    let writes = Arc::new(AtomicU64::new(0));
    let (written, read) = (Arc::clone(&writes), Arc::clone(&writes));
    let revision = |changes: u64| Revision::new(changes + 1).unwrap();
    let store = Scripted::new(move |write, done| {
        let before = written.fetch_add(1, Ordering::SeqCst);
        let expected = Change::Delete { id: id(1), stamp: revision(before).into() };
        assert_eq!(write.change, expected, "decided afresh on what was read");
        done(Ok(if before < times { Outcome::Stale } else { Outcome::Deleted }));
    });
    let store = store.reading(move || {
        let revision = revision(read.load(Ordering::SeqCst));
        Ok(Some(CustomModel { stamp: revision.into(), ..stored(1, "n") }))
    });
    (engine(store), writes)
}

#[test]
fn edit_5_a_delete_is_decided_afresh_when_the_model_was_changed_in_between() {
    let caller = caller("acme", Plan::gold());
    for times in 0..8 {
        let (engine, writes) = contended(times);
        assert!(engine.delete(&caller, id(1)).is_ok());
        assert_eq!(writes.load(Ordering::SeqCst), times + 1);
    }
    let (engine, writes) = contended(u64::MAX);
    let refusal = engine.delete(&caller, id(1)).unwrap_err();
    assert!(matches!(refusal, Refusal::Contended));
    assert_eq!(writes.load(Ordering::SeqCst), 8);
}

#[test]
fn edit_5_a_model_that_goes_while_it_is_being_deleted_is_not_found() {
    let store =
        Scripted::new(|_, done| done(Ok(Outcome::NotFound))).reading(|| Ok(Some(stored(1, "n"))));
    let refusal = engine(store).delete(&caller("acme", Plan::gold()), id(1)).unwrap_err();
    assert!(matches!(refusal, Refusal::ModelNotFound));
}

#[test]
fn edit_5_a_model_is_not_deleted_while_it_is_trained_and_in_every_other_status_it_is() {
    for training_status in TrainingStatus::ALL {
        let model = CustomModel { course: course(training_status), ..stored(1, "n") };
        let writes = Arc::new(AtomicU64::new(0));
        let written = Arc::clone(&writes);
        let store = Scripted::new(move |_, done| {
            written.fetch_add(1, Ordering::SeqCst);
            done(Ok(Outcome::Deleted));
        });
        let engine = engine(store.reading(move || Ok(Some(model.clone()))));
        let answer = engine.delete(&caller("acme", Plan::gold()), id(1));
        if training_status == TrainingStatus::Running {
            assert!(matches!(answer, Err(Refusal::TrainingInProgress)));
            assert_eq!(writes.load(Ordering::SeqCst), 0);
        } else {
            assert!(answer.is_ok());
            assert_eq!(writes.load(Ordering::SeqCst), 1);
        }
    }
}

#[test]
fn edit_5_a_model_that_is_not_there_is_not_written_about() {
    let store = Recorder::default();
    let engine = engine(store.clone());
    let caller = caller("acme", Plan::gold());
    let absent: ModelId = id(9);
    assert!(matches!(engine.delete(&caller, absent), Err(Refusal::ModelNotFound)));
    assert_eq!(store.calls(), [Call::Get(caller.organisation().clone(), absent)]);
}

#[test]
fn edit_5_the_reference_store_judges_the_revision_itself() {
    use custom_models_core::{ModelStore, Write};
    let store = MemoryStore::new();
    let caller = caller("acme", Plan::gold());
    engine(store.clone()).create(&caller, request("n")).unwrap();
    let delete = |revision| {
        let change = Change::Delete { id: id(1), stamp: Revision::new(revision).unwrap().into() };
        let (sender, answer) = std::sync::mpsc::channel();
        let write = Write::new(caller.organisation().clone(), change);
        store.submit(write, Box::new(move |outcome| sender.send(outcome).unwrap()));
        answer.recv().unwrap().unwrap()
    };
    assert_eq!(delete(2), Outcome::Stale);
    assert_eq!(delete(1), Outcome::Deleted);
    assert_eq!(delete(1), Outcome::NotFound);
}

#[test]
fn edit_5_a_host_that_reads_by_itself_deletes_what_it_read_and_nothing_newer() {
    let engine = engine(MemoryStore::new());
    let (acme, other) = (caller("acme", Plan::gold()), caller("other", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let stale = CustomModel { stamp: Revision::new(2).unwrap().into(), ..model.clone() };
    let delete = |caller: &Caller, model: &CustomModel| {
        let edit = (&Edit::Delete, &Expected::Anything);
        block_on(engine.edit_unchanged_async(caller, model, edit.0, edit.1, None))
    };
    assert_eq!(delete(&acme, &stale).unwrap(), None);
    let running = CustomModel { course: course(TrainingStatus::Running), ..model.clone() };
    let refusal = delete(&acme, &running).unwrap_err();
    assert_eq!(refusal.status(), 409);
    assert_eq!(delete(&other, &model).unwrap_err().status(), 404);
    assert_eq!(delete(&acme, &model).unwrap(), Some(Edited::Deleted));
    assert_eq!(delete(&acme, &model).unwrap_err().status(), 404);
}
