//! Closing: queued writes are answered first, later ones are refused.

use custom_models_core::CustomModel;
use custom_models_core::store::{ModelStore, Outcome, Purge, StoreError, StoreErrorKind};

use crate::Builder;
use crate::client::{ALL, Answer, Client, create, delete, fresh, write};
use crate::life::{at, create_answer, edit, like};
use crate::sample::{id, model, models, organisation};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure_eq};

/// Returns the created models. All outcomes must be there; a write may have found the queue full.
fn created(answers: Vec<Answer>) -> Checked<Vec<CustomModel>> {
    let mut created = Vec::new();
    for answer in answers {
        match answer.take()? {
            Ok(Outcome::Created(model)) => created.push(model),
            Err(error) if error.kind() == StoreErrorKind::Busy => {}
            other => return Err(Stop::failed(format!("a queued create heard {other:?}"))),
        }
    }
    created.sort_by_key(|model| model.id);
    Ok(created)
}

fn is_closed(store: &Client) -> Checked {
    let acme = organisation("acme")?;
    let known = model(0)?.with_id(id(1)?);
    let closed = Some(StoreErrorKind::Closed);
    let get = ModelStore::get(&**store, &acme, known.id);
    ensure_eq!(get.err().map(|error| error.kind()), closed, "get");
    let list = ModelStore::list(&**store, &acme, &ALL);
    ensure_eq!(list.err().map(|error| error.kind()), closed, "list");
    let changes = [create(&model(7)?, None), edit(known.id, like(2)?), delete(known.id)];
    for change in changes {
        let submit = store.submit(&acme, change.clone()).wait()?;
        ensure_eq!(submit.err().map(|error| error.kind()), closed, "submit");
        let apply = store.apply(write(&acme, change));
        ensure_eq!(apply.err().map(|error| error.kind()), closed, "apply");
    }
    Ok(())
}

pub(crate) fn a_closed_store_tells_of_no_life(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let created = store.create(&acme, &model(1)?)?;
    store.close()?;
    let key = create_answer("key")?.key;
    let purge = Purge { events_before: None, idempotency_until: at(0), limit: 9 };
    let answers = [
        store.events(&acme, 0, 9).err(),
        store.claimable(None, at(0), 9).err(),
        store.data(&acme, created.id, 0, u32::MAX).err(),
        store.idempotency_record(&acme, &key).err(),
        store.purge(purge).err(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let kind = answer.map(|error| error.kind());
        ensure_eq!(kind, Some(StoreErrorKind::Closed), "call {number}");
    }
    Ok(())
}

pub(crate) fn close_waits_until_all_that_is_queued_is_answered(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = store.create_all(&acme, &models(3)?)?;
    let mut answers = Vec::new();
    for model in models(80)? {
        answers.push(store.submit(&acme, create(&model, None)));
    }
    store.close()?;
    all.extend(created(answers)?);
    Client::open(&*place)?.expect(&acme, &all)
}

pub(crate) fn a_closed_store_does_nothing(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let all = store.create_all(&acme, &models(3)?)?;
    for _ in 0..3 {
        store.close()?;
        is_closed(&store)?;
    }
    // The old handle still exists, and the place is released nevertheless.
    let open = Client::open(&*place)?;
    open.expect(&acme, &all)?;
    is_closed(&store)?;
    drop(store);
    open.expect(&acme, &all)?;
    let never_used = open.reopen(&*place)?;
    never_used.close()?;
    is_closed(&never_used)
}

pub(crate) fn close_among_writers_answers_every_write(builder: &dyn Builder) -> Checked {
    for closers in [1, 2] {
        let (place, store) = fresh(builder)?;
        let acme = organisation("acme")?;
        let told = in_threads(8, |thread| {
            let mut created = Vec::new();
            if thread < closers {
                // Some writes are acknowledged first, so that there is something to lose.
                for number in 0..3 {
                    match store.submit(&acme, create(&model(number)?, None)).wait()? {
                        Ok(Outcome::Created(model)) => created.push(model),
                        other => closed(&other)?,
                    }
                }
                store.close()?;
                is_closed(&store)?;
                return Ok(created);
            }
            for number in 0..1000 {
                match store.submit(&acme, create(&model(number)?, None)).wait()? {
                    Ok(Outcome::Created(model)) => created.push(model),
                    other => {
                        closed(&other)?;
                        break;
                    }
                }
            }
            Ok(created)
        })?;
        let mut told: Vec<_> = told.into_iter().flatten().collect();
        told.sort_by_key(|model| model.id);
        drop(store);
        Client::open(&*place)?.expect(&acme, &told)?;
    }
    Ok(())
}

fn closed(answer: &Result<Outcome, StoreError>) -> Checked {
    match answer {
        Err(error) if error.kind() == StoreErrorKind::Closed => Ok(()),
        other => Err(Stop::failed(format!("a create heard {other:?}"))),
    }
}
