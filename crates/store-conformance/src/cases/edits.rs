//! Edits: judged on the model as it is when the write is judged, whoever else edits it (EDIT-4).

use custom_models_core::access::Operation;
use custom_models_core::engine::Edited;
use custom_models_core::model::{DataType, Edit, Expected};
use custom_models_core::store::IdempotentRequest;
use custom_models_core::{CustomModel, Refusal, UpdateModel};

use crate::Builder;
use crate::client::fresh;
use crate::fixture::{Fixture, five_hours};
use crate::history::Everything;
use crate::life::{answer_key, data_id, digest};
use crate::sample::{organisation, unfit};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

const THREADS: u64 = 8;

fn renamed(number: u64) -> Checked<Edit> {
    let name = format!("name {number}");
    Ok(Edit::from(UpdateModel::builder().name(name).build().map_err(unfit)?.into_owned()))
}

/// No edit is refused because another one was faster, and no acknowledged edit is lost.
pub(crate) fn edit_4_many_edits_of_one_model_at_once_are_all_made(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let id = fixture.create(1)?.id;
    let edited = in_threads(THREADS, |thread| {
        let mut edited = Vec::new();
        for round in 0..4 {
            edited.push(fixture.edit(id, renamed(4 * thread + round)?)?);
            if round % 2 == 0 {
                edited.push(fixture.edit(id, Edit::AddData(five_hours(DataType::Test)))?);
            }
        }
        Ok(edited)
    })?;
    let mut edited: Vec<CustomModel> = edited.into_iter().flatten().collect();
    edited.sort_by_key(CustomModel::revision);
    let revisions: Vec<u64> = edited.iter().map(|model| model.revision().get()).collect();
    ensure_eq!(revisions, (2..=49).collect::<Vec<_>>(), "each edit made a revision of its own");
    let last = edited.last().ok_or_else(|| Stop::failed("no edit"))?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, std::slice::from_ref(last))?;
    let pairs = store.data(&acme, id, 0, u32::MAX)?;
    let numbers: Vec<u32> = pairs.iter().map(|pair| pair.id.get()).collect();
    ensure_eq!(numbers, (1..=16).collect::<Vec<_>>(), "each upload has a number of its own");
    let page = store.events(&acme, 0, u32::MAX)?;
    ensure_eq!((page.events.len(), page.last), (49, 49), "an event of each edit");
    Ok(())
}

pub(crate) fn edit_4_one_of_many_edits_that_expect_a_revision_is_made(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let mut model = fixture.create(1)?;
    for round in 0..10 {
        let expected = Expected::OneOf(vec![model.revision()]);
        let won = in_threads(THREADS, |thread| {
            let edit = renamed(100 * round + thread)?;
            match fixture.engine.edit(&fixture.caller, model.id, edit, &expected) {
                Ok(Edited::Changed { model, .. }) => Ok(Some(*model)),
                Err(Refusal::PreconditionFailed) => Ok(None),
                other => Err(Stop::failed(format!("an update heard {other:?}"))),
            }
        })?;
        let mut won = won.into_iter().flatten();
        model = won.next().ok_or_else(|| Stop::failed("no update was made"))?;
        ensure_eq!(won.next(), None, "another update at the same revision");
        store.expect(&acme, std::slice::from_ref(&model))?;
    }
    store.reopen(&*place)?.expect(&acme, std::slice::from_ref(&model))
}

pub(crate) fn data_6_one_of_many_who_remove_a_pair_hears_of_it(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let id = fixture.create(1)?.id;
    for round in 1..=6 {
        fixture.edit(id, Edit::AddData(five_hours(DataType::Train)))?;
        let there = fixture.engine.pair(&fixture.caller, id, data_id(round)?)?;
        let removed = in_threads(THREADS, |_| {
            let expected = Expected::Anything;
            match fixture.engine.remove_data(&fixture.caller, id, data_id(round)?, &expected) {
                Ok(pair) => Ok(Some(pair)),
                Err(Refusal::DataNotFound) => Ok(None),
                Err(refusal) => Err(refusal.into()),
            }
        })?;
        let removed: Vec<_> = removed.into_iter().flatten().collect();
        ensure_eq!(removed, [there], "who heard of the pair");
        ensure_eq!(store.data(&acme, id, 0, u32::MAX)?, [], "the data");
    }
    Ok(())
}

/// A refused edit leaves no event, no idempotency record and no new revision.
pub(crate) fn edit_4_a_refused_edit_leaves_no_trace(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let idle = fixture.create(1)?.id;
    let running = fixture.running(2)?;
    let anything = Expected::Anything;
    let another = Expected::OneOf(vec![running.revision().next()]);
    let refused = [
        (idle, Edit::Run, Operation::Run, &anything),
        (running.id, Edit::Run, Operation::Run, &anything),
        (running.id, Edit::Cancel, Operation::Cancel, &another),
    ];
    let keys = refused.iter().map(|(id, _, operation, _)| answer_key(*operation, Some(*id), "key"));
    let keys = keys.collect::<Checked<Vec<_>>>()?;
    let before = Everything::of(&store, &acme, &keys)?;
    let idempotency = || -> Checked<_> {
        let key = "key".parse().map_err(unfit)?;
        Ok(IdempotentRequest { key, request: digest("{}") })
    };
    for (id, edit, _, expected) in refused {
        let edited =
            fixture.engine.edit_once_async(&fixture.caller, id, edit, expected, idempotency()?);
        let status = edited.wait().map_err(|refusal| refusal.status());
        ensure!(matches!(status, Err(409 | 412)), "an edit that cannot be made heard {status:?}");
    }
    ensure_eq!(Everything::of(&store, &acme, &keys)?, before, "after refused edits");
    let store = store.reopen(&*place)?;
    ensure_eq!(Everything::of(&store, &acme, &keys)?, before, "after refused edits");
    Ok(())
}
