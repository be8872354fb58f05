//! Order: a write submitted after a completion is made after the change that was completed, on any thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use custom_models_core::CustomModel;
use custom_models_core::store::Outcome;

use crate::Builder;
use crate::client::{Client, create, delete, delete_at, fresh};
use crate::sample::{model, models, organisation, revision};
use crate::threads::joined;
use crate::verdict::{Checked, Stop, ensure_eq};

pub(crate) fn a_write_after_an_answer_is_made_after_it(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    for number in 0..20 {
        // With room for one, a write that overtook the previous one would be refused.
        let Outcome::Created(model) = store.try_create(&acme, &model(number)?, Some(1))? else {
            return Err(Stop::failed("a place that was free was refused"));
        };
        store.delete(&acme, &model)?;
    }
    store.expect(&acme, &[])
}

pub(crate) fn a_write_of_another_thread_after_an_answer_is_made_after_it(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (created, to_delete) = channel();
    let (freed, may_create) = channel();
    thread::scope(|scope| {
        // A thread that fails drops its channels, which ends the other one.
        let deleting = scope.spawn(|| delete_in_turn(&store, to_delete, freed));
        let creating = create_in_turn(&store, created, may_create);
        joined(deleting)?;
        creating
    })?;
    store.expect(&organisation("acme")?, &[])
}

fn create_in_turn(
    store: &Client,
    created: Sender<CustomModel>,
    may_create: Receiver<()>,
) -> Checked {
    let acme = organisation("acme")?;
    for number in 0..20 {
        let Outcome::Created(model) = store.try_create(&acme, &model(number)?, Some(1))? else {
            return Err(Stop::failed("a place that was free was refused"));
        };
        if created.send(model).is_err() || may_create.recv().is_err() {
            break;
        }
    }
    Ok(())
}

fn delete_in_turn(store: &Client, to_delete: Receiver<CustomModel>, freed: Sender<()>) -> Checked {
    let acme = organisation("acme")?;
    for model in to_delete {
        let found = store.get(&acme, model.id)?;
        ensure_eq!(found.as_ref(), Some(&model), "what another thread created");
        store.delete(&acme, &model)?;
        if freed.send(()).is_err() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn a_read_after_an_answer_sees_its_change(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut now = Vec::new();
    for number in 0..12 {
        now.push(store.create(&acme, &model(number)?)?);
        store.expect(&acme, &now)?;
        if number % 3 == 2 {
            store.delete(&acme, &now.remove(0))?;
            store.expect(&acme, &now)?;
        }
    }
    Ok(())
}

pub(crate) fn every_write_of_a_burst_is_answered_once(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let kept = store.create_all(&acme, &models(4)?)?;
    let mut answers = Vec::new();
    for kept in &kept {
        answers.push(store.submit(&acme, create(&model(50)?, Some(2))));
        answers.push(store.submit(&acme, delete_at(kept.id, revision(9)?)));
        answers.push(store.submit(&acme, create(&model(60)?, None)));
        answers.push(store.submit(&acme, delete(kept.id)));
    }
    for answer in answers {
        // Any outcome is accepted; this checks that there is one.
        answer.wait()?.ok();
    }
    Ok(())
}
