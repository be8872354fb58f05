//! The training queue: which trainings it shows, and that one worker at a time holds each.

use std::collections::BTreeSet;

use custom_models_core::engine::{Claimed, Retention};
use custom_models_core::model::{Edit, EditRefusal, TrainingStatus};
use custom_models_core::store::Outcome;
use custom_models_core::{CustomModel, ModelId, Organisation, Refusal};

use crate::Builder;
use crate::client::{ALL, Client, delete, fresh};
use crate::fixture::{Fixture, LEASE, beat, fail, lease_time, succeed};
use crate::history::{expect_history, renamed};
use crate::life::{actor, at, edit};
use crate::sample::organisation;
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Returns the waiting trainings, in order.
fn waiting(
    store: &Client,
    of: Option<&Organisation>,
    millis: i64,
    limit: u32,
) -> Checked<Vec<(Organisation, CustomModel)>> {
    Ok(store.claimable(of, at(millis), limit)?)
}

fn ids_of(waiting: &[(Organisation, CustomModel)]) -> Vec<ModelId> {
    waiting.iter().map(|(_, model)| model.id).collect()
}

pub(crate) fn train_3_those_that_have_waited_longest_are_shown_first(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (acmes, zebras) = (Fixture::new(&store, &acme), Fixture::new(&store, &zebra));
    // The models are created in another order than their trainings start.
    let mut models = Vec::new();
    for number in 0..3 {
        models.push((&acmes, acmes.ready(number)?));
        models.push((&zebras, zebras.ready(10 + number)?));
        acmes.create(20 + number)?;
    }
    let mut right = Vec::new();
    for (second, (fixture, model)) in (1..).zip(models.into_iter().rev()) {
        fixture.set_clock(1000 * second);
        let model = fixture.edit(model.id, Edit::Run)?;
        right.push((fixture.caller.organisation().clone(), model));
    }
    let check = |store: &Client| -> Checked {
        for millis in [-1, 0, 999, 1000, 2999, 3000, 5999, 6000, i64::MAX] {
            let count = right.iter().filter(|(_, model)| waits_by(model, millis)).count();
            for limit in [0, 1, 4, 7, u32::MAX] {
                let take = count.min(usize::try_from(limit).unwrap_or(usize::MAX));
                let found = waiting(store, None, millis, limit)?;
                let right = right.get(..take).unwrap_or_default();
                ensure_eq!(found, right, "{limit} at {millis}");
            }
            for of in [&acme, &zebra] {
                let right = right.iter().filter(|(owner, _)| owner == of).cloned();
                let right: Vec<_> = right.filter(|(_, model)| waits_by(model, millis)).collect();
                for limit in [1, 2, u32::MAX] {
                    let mut right = right.clone();
                    right.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                    let found = waiting(store, Some(of), millis, limit)?;
                    ensure_eq!(found, right, "{limit} of {of} at {millis}");
                }
            }
        }
        let nobody = organisation("acm")?;
        ensure_eq!(waiting(store, Some(&nobody), i64::MAX, 9)?, [], "of an organisation of none");
        Ok(())
    };
    check(&store)?;
    let store = store.reopen(&*place)?;
    check(&store)?;
    // A lease ends to the millisecond.
    let acmes = Fixture::new(&store, &acme);
    acmes.set_clock(10_500);
    let Some(claimed) = acmes.claim("worker")? else {
        return Err(Stop::failed("nothing waits for a worker"));
    };
    for (millis, is_waiting) in [(10_499 + LEASE, false), (10_500 + LEASE, true)] {
        let found = waiting(&store, Some(&acme), millis, 9)?;
        let found = found.iter().any(|(_, model)| model.id == claimed.model.id);
        ensure_eq!(found, is_waiting, "a lease that ends {millis} milliseconds after the start");
    }
    Ok(())
}

fn waits_by(model: &CustomModel, millis: i64) -> bool {
    model.training.claimable_at().is_some_and(|since| since <= at(millis))
}

pub(crate) fn train_3_what_waits_follows_every_change_at_once(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut fixture = Fixture::new(&store, &acme);
    let shown = |store: &Client, millis| -> Checked<Vec<ModelId>> {
        let of_acme = waiting(store, Some(&acme), millis, 9)?;
        ensure_eq!(waiting(store, None, millis, 9)?, of_acme, "of all");
        for (_, model) in &of_acme {
            ensure_eq!(store.get(&acme, model.id)?.as_ref(), Some(model), "as it is stored");
        }
        Ok(ids_of(&of_acme))
    };
    ensure_eq!(shown(&store, i64::MAX)?, [], "nobody waits");
    let id = fixture.ready(1)?.id;
    ensure_eq!(shown(&store, i64::MAX)?, [], "ready, and not asked for");
    for round in 0..3 {
        fixture.edit(id, Edit::Run)?;
        ensure_eq!(shown(&store, 0)?, [id], "asked for");
        let fence = fixture.claim("worker")?.map(|claimed| claimed.fence).unwrap_or_default();
        ensure_eq!(shown(&store, LEASE - 1)?, [], "while it is held");
        ensure_eq!(shown(&store, LEASE)?, [id], "when its lease runs out");
        fixture.set_clock(10_000);
        fixture.edit(id, beat(fence, 1)?)?;
        ensure_eq!(shown(&store, LEASE + 9_999)?, [], "while it is held for longer");
        ensure_eq!(shown(&store, LEASE + 10_000)?, [id], "when its longer lease runs out");
        // Only its name changes; the queue shows the new one.
        let model = fixture.engine.get(&fixture.caller, id)?;
        renamed(&store, &acme, &model, 7 + round)?;
        ensure_eq!(shown(&store, LEASE + 10_000)?, [id], "under another name");
        store = store.reopen(&*place)?;
        fixture = Fixture::new(&store, &acme);
        ensure_eq!(shown(&store, LEASE + 9_999)?, [], "held, in a store opened again");
        ensure_eq!(shown(&store, LEASE + 10_000)?, [id], "run out, in a store opened again");
        match round {
            0 => fixture.edit(id, Edit::Cancel)?,
            1 => fixture.edit(id, fail(fence, "no"))?,
            _ => fixture.edit(id, succeed(fence)?)?,
        };
        ensure_eq!(shown(&store, i64::MAX)?, [], "when it is over");
    }
    // A model in training is not deleted.
    let doomed = fixture.running(2)?;
    let refused = Outcome::Refused(EditRefusal::TrainingInProgress);
    ensure_eq!(store.write(&acme, delete(doomed.id))?, refused, "a delete of what runs");
    ensure_eq!(shown(&store, i64::MAX)?, [doomed.id], "what was to be deleted");
    fixture.edit(doomed.id, Edit::Cancel)?;
    ensure_eq!(store.write(&acme, delete(doomed.id))?, Outcome::Deleted, "a delete");
    ensure_eq!(shown(&store, i64::MAX)?, [], "a deleted model");
    ensure_eq!(shown(&store.reopen(&*place)?, i64::MAX)?, [], "a deleted model");
    Ok(())
}

pub(crate) fn train_4_one_of_many_workers_has_each_training(builder: &dyn Builder) -> Checked {
    const WORKERS: u64 = 4;
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut expected = BTreeSet::new();
    let fixture = Fixture::new(&store, &acme);
    for number in 10..13 {
        let model = fixture.running(number)?;
        ensure_eq!(fixture.claim_at_once(&model, 64)?, 1, "workers who have {}", model.id);
    }
    let held: BTreeSet<_> =
        store.list(&acme, &ALL)?.models.into_iter().map(|model| model.id).collect();
    for number in 0..6 {
        expected.insert(fixture.running(number)?.id);
    }
    for attempt in 0..2 {
        let fixture = Fixture::new(&store, &acme);
        fixture.set_clock(attempt * LEASE);
        let claimed = in_threads(WORKERS, |worker| claim_all(&fixture, worker))?;
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        let ids: BTreeSet<_> = claimed.iter().map(|claimed| claimed.model.id).collect();
        ensure_eq!(claimed.len(), ids.len(), "claims of different trainings: {claimed:?}");
        ensure_eq!(ids, expected, "what was claimed");
        expected.extend(&held);
        for Claimed { model, .. } in &claimed {
            ensure_eq!(store.get(&acme, model.id)?.as_ref(), Some(model), "as the worker has it");
        }
        store = store.reopen(&*place)?;
    }
    Ok(())
}

/// Claims until no training waits, again if another worker was faster.
fn claim_all(fixture: &Fixture, worker: u64) -> Checked<Vec<Claimed>> {
    let worker = actor(&format!("worker-{worker}"))?;
    let mut all = Vec::new();
    loop {
        match fixture.engine.claim(&worker, None, lease_time()?)? {
            Some(claimed) => all.push(claimed),
            None => return Ok(all),
        }
    }
}

pub(crate) fn train_4_a_worker_whose_lease_ran_out_changes_nothing(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let late = fixture.claimed(1)?;
    let id = late.model.id;
    let refuses = |edits: [Edit; 3]| -> Checked {
        for edit in edits {
            let refused = fixture.try_edit(id, &edit);
            ensure!(matches!(refused, Err(Refusal::LeaseLost)), "{edit:?} heard {refused:?}");
        }
        Ok(())
    };
    let words = || -> Checked<[Edit; 3]> {
        Ok([beat(late.fence, 50)?, succeed(late.fence)?, fail(late.fence, "late")])
    };
    fixture.set_clock(LEASE);
    refuses(words()?)?;
    store.expect(&acme, std::slice::from_ref(&late.model))?;
    let Some(next) = fixture.claim("another")? else {
        return Err(Stop::failed("a training whose lease has run out was not claimed"));
    };
    ensure!(next.fence > late.fence, "fence {} after {}", next.fence, late.fence);
    let history = store.events(&acme, 0, u32::MAX)?.events;
    // Reports made while the lease was live, and delivered late.
    for word in words()? {
        let outcome = store.write(&acme, edit(id, word))?;
        ensure_eq!(outcome, Outcome::Refused(EditRefusal::LeaseLost), "a late word");
    }
    refuses(words()?)?;
    store.expect(&acme, std::slice::from_ref(&next.model))?;
    expect_history(&store, &acme, &history)?;
    let done = fixture.edit(id, succeed(next.fence)?)?;
    refuses(words()?)?;
    store.expect(&acme, &[done])
}

pub(crate) fn train_5_a_sweep_fails_what_was_claimed_three_times(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let id = Fixture::new(&store, &acme).running(1)?.id;
    for attempt in 0..3 {
        let fixture = Fixture::new(&store, &acme);
        fixture.set_clock(attempt * LEASE);
        ensure_eq!(fixture.engine.sweep(&Retention::default())?.failed, 0, "before {attempt}");
        ensure!(fixture.claim("silent")?.is_some(), "claim {attempt} found nothing");
        store = store.reopen(&*place)?;
    }
    let fixture = Fixture::new(&store, &acme);
    fixture.set_clock(3 * LEASE - 1);
    ensure_eq!(fixture.engine.sweep(&Retention::default())?.failed, 0, "the last lease holds");
    fixture.set_clock(3 * LEASE);
    ensure_eq!(fixture.engine.sweep(&Retention::default())?.failed, 1, "the last lease is over");
    ensure_eq!(fixture.engine.sweep(&Retention::default())?.failed, 0, "swept already");
    failed(&store, id)
}

pub(crate) fn train_5_the_next_claim_fails_what_was_claimed_three_times(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let id = Fixture::new(&store, &acme).running(1)?.id;
    for attempt in 0..3 {
        let fixture = Fixture::new(&store, &acme);
        fixture.set_clock(attempt * LEASE);
        ensure!(fixture.claim("silent")?.is_some(), "claim {attempt} found nothing");
        store = store.reopen(&*place)?;
    }
    let fixture = Fixture::new(&store, &acme);
    fixture.set_clock(3 * LEASE - 1);
    ensure_eq!(fixture.claim("another")?, None, "the last lease holds");
    fixture.set_clock(3 * LEASE);
    let next = fixture.running(2)?.id;
    let claimed = fixture.claim("another")?.map(|claimed| claimed.model.id);
    ensure_eq!(claimed, Some(next), "what waits behind it");
    failed(&store, id)
}

/// Checks that the training has failed, with one event, and does not wait any more.
fn failed(store: &Client, id: ModelId) -> Checked {
    let acme = organisation("acme")?;
    let model = store.get(&acme, id)?;
    let status = model.as_ref().map(CustomModel::training_status);
    ensure_eq!(status, Some(TrainingStatus::Failed), "after three silent workers");
    let events = store.events(&acme, 0, u32::MAX)?.events;
    let failures =
        events.iter().filter(|event| event.model_id == id && event.actor.as_str() == "sweep");
    ensure_eq!(failures.count(), 1, "events of the failure");
    let shown = ids_of(&waiting(store, None, i64::MAX, 9)?);
    ensure!(!shown.contains(&id), "a failed training is shown");
    Ok(())
}
