//! EDIT-5 at the level of the engine.

use custom_models_core::engine::Edited;
use custom_models_core::model::{Edit, Expected, Revision, TrainingStatus};
use custom_models_core::store::{ArchiveChange, ArchiveStore, Change, ModelLine, Record, Write};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{Caller, CustomModel, MemoryStore, Plan, Refusal};
use proptest::prelude::*;

use crate::support::{
    Call, NOW, Recorder, block_on, caller, config, engine, id, request, stored, tape, training,
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
            // Its own, another's, a deleted one, or one that never existed.
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
}

/// The time of the clocks in these tests.
fn now() -> UnixMillis {
    let seconds = NOW.parse::<Timestamp>().unwrap().unix_seconds();
    UnixMillis::from_unix_millis(seconds * 1000)
}

/// Returns a store with a model in any state.
fn with_model(model: &CustomModel) -> MemoryStore {
    let store = MemoryStore::new();
    let organisation = caller("acme", Plan::gold()).organisation().clone();
    let last = Record::Organisation {
        organisation: organisation.clone(),
        models: 1,
        last_event: 0,
        first_event: 1,
    };
    let line = Record::Model(ModelLine { organisation, model: model.clone() });
    store.archive(ArchiveChange::Import(vec![last, line])).unwrap();
    store
}

#[test]
fn edit_5_a_model_is_not_deleted_while_it_is_trained_and_in_every_other_status_it_is() {
    let acme = caller("acme", Plan::gold());
    for training_status in TrainingStatus::ALL {
        let model = CustomModel { training: training(training_status), ..stored(1, "n") };
        let engine = engine(with_model(&model));
        let answer = engine.delete(&acme, id(1));
        if training_status == TrainingStatus::Running {
            assert!(matches!(answer, Err(Refusal::TrainingInProgress)));
            assert_eq!(engine.get(&acme, id(1)).unwrap(), model);
        } else {
            answer.unwrap();
            assert_eq!(engine.get(&acme, id(1)).unwrap_err().status(), 404);
        }
    }
}

#[test]
fn edit_5_a_delete_is_judged_by_the_store_on_the_model_as_it_is_there() {
    let store = Recorder::default();
    let engine = engine(store.clone());
    let acme = caller("acme", Plan::gold());
    assert!(matches!(engine.delete(&acme, id(9)), Err(Refusal::ModelNotFound)));
    let change =
        Change::Edit { id: id(9), edit: Box::new(Edit::Delete), expected: Expected::Anything };
    let write = Write::new(acme.organisation().clone(), acme.actor().clone(), now(), change);
    assert_eq!(store.calls(), [Call::Submit(Box::new(write))], "nothing is read before");
}

#[test]
fn edit_5_an_asynchronous_delete_takes_what_its_caller_has() {
    let engine = engine(MemoryStore::new());
    let (acme, other) = (caller("acme", Plan::gold()), caller("other", Plan::gold()));
    let model = engine.create(&acme, request("n")).unwrap();
    let delete = |caller: &Caller, revision| {
        let expected = Expected::OneOf(vec![Revision::new(revision).unwrap()]);
        block_on(engine.edit_async(caller, model.id, Edit::Delete, &expected))
    };
    assert_eq!(delete(&other, 1).unwrap_err().status(), 404);
    assert!(matches!(delete(&acme, 2), Err(Refusal::PreconditionFailed)));
    assert_eq!(delete(&acme, 1).unwrap(), Edited::Deleted);
    assert_eq!(delete(&acme, 1).unwrap_err().status(), 404);
}
