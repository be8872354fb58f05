//! Concurrent threads: no limit is exceeded, no room is lost, no change is seen in part.

use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::CustomModel;
use custom_models_core::store::Outcome;

use crate::Builder;
use crate::client::{ALL, Client, delete, fresh};
use crate::sample::{model, models, organisation};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

const THREADS: u64 = 10;

pub(crate) fn quota_4_threads_fill_exactly_the_limit(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    for round in 0..4 {
        let (limit, already) = (5 + round, round % 3);
        let organisations = [
            organisation(&format!("acme-{round}"))?,
            organisation(&format!("zebra-{round}"))?,
            organisation(&format!("m-{round}"))?,
        ];
        for organisation in &organisations {
            store.create_all(organisation, &models(already)?)?;
        }
        let created = in_threads(THREADS, |thread| {
            let mut created = Vec::new();
            for attempt in 0..3 {
                for organisation in &organisations {
                    let new = model(1000 * thread + attempt)?;
                    match store.try_create(organisation, &new, Some(limit))? {
                        Outcome::Created(model) => created.push((organisation.clone(), model)),
                        other => {
                            let refusal = Outcome::LimitReached { current: limit };
                            ensure_eq!(other, refusal, "a create at the limit");
                        }
                    }
                }
            }
            Ok(created)
        })?;
        let created: Vec<_> = created.into_iter().flatten().collect();
        store = store.reopen(&*place)?;
        for organisation in &organisations {
            let listing = store.list(organisation, &ALL)?;
            store.expect(organisation, &listing.models)?;
            ensure_eq!(listing.total, limit, "the models of {organisation}");
            let told = created.iter().filter(|(of, _)| of == organisation);
            ensure_eq!(told.clone().count() as u64, limit - already, "creates told");
            for (_, model) in told {
                ensure!(listing.models.contains(model), "{model:?} is missing");
            }
        }
    }
    Ok(())
}

pub(crate) fn quota_4_threads_that_also_delete_stay_within_the_limit(
    builder: &dyn Builder,
) -> Checked {
    const LIMIT: u64 = 4;
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let left = in_threads(THREADS, |thread| {
        let mut own: Option<CustomModel> = None;
        for turn in 0..12 {
            match own.take() {
                Some(model) => store.delete(&acme, &model)?,
                None => match store.try_create(&acme, &model(100 * thread + turn)?, Some(LIMIT))? {
                    Outcome::Created(model) => own = Some(model),
                    other => {
                        let refusal = Outcome::LimitReached { current: LIMIT };
                        ensure_eq!(other, refusal, "a create at the limit");
                    }
                },
            }
            let listing = store.list(&acme, &ALL)?;
            ensure!(listing.total <= LIMIT, "{} models of {LIMIT}", listing.total);
            ensure_eq!(listing.models.len() as u64, listing.total, "one view");
        }
        Ok(own)
    })?;
    let mut left: Vec<_> = left.into_iter().flatten().collect();
    left.sort_by_key(|model| model.id);
    store.expect(&acme, &left)?;
    store.reopen(&*place)?.expect(&acme, &left)
}

pub(crate) fn edit_5_one_of_many_deletes_of_a_model_wins(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let doomed = store.create_all(&acme, &models(12)?)?;
    let won = in_threads(THREADS, |_| {
        let mut won = 0;
        for model in &doomed {
            match store.write(&acme, delete(model.id))? {
                Outcome::Deleted => won += 1,
                Outcome::NotFound => {}
                other => return Err(Stop::failed(format!("a delete was answered by {other:?}"))),
            }
        }
        Ok(won)
    })?;
    ensure_eq!(won.into_iter().sum::<u64>(), 12, "deletes that won");
    store.expect(&acme, &[])
}

pub(crate) fn model_1_an_id_is_larger_than_every_one_acknowledged_before(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let largest = AtomicU64::new(0);
    let ids = in_threads(THREADS, |thread| {
        let organisation = organisation(&format!("org-{thread}"))?;
        let mut ids = Vec::new();
        for number in 0..12 {
            let before = largest.load(Ordering::SeqCst);
            let id = store.create(&organisation, &model(number)?)?.id.get();
            ensure!(id > before, "id {id} after {before} was acknowledged");
            largest.fetch_max(id, Ordering::SeqCst);
            ids.push(id);
        }
        Ok(ids)
    })?;
    let mut ids: Vec<_> = ids.into_iter().flatten().collect();
    ids.sort_unstable();
    let given = ids.len();
    ids.dedup();
    ensure_eq!(ids.len(), given, "different ids");
    Ok(())
}

/// While some threads create and delete, others read: they see models as they were sent, in order, with a
/// matching counter.
pub(crate) fn read_1_reads_during_writes_see_whole_changes(builder: &dyn Builder) -> Checked {
    const WRITERS: u64 = 2;
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let writers_left = AtomicU64::new(WRITERS);
    in_threads(WRITERS + 4, |thread| {
        if thread < WRITERS {
            let written = write_and_delete(&store, thread);
            writers_left.fetch_sub(1, Ordering::SeqCst);
            return written;
        }
        loop {
            let is_last = writers_left.load(Ordering::SeqCst) == 0;
            let listing = store.list(&acme, &ALL)?;
            ensure_eq!(listing.models.len() as u64, listing.total, "one view");
            ensure!(
                listing.models.is_sorted_by(|one, next| one.id < next.id),
                "out of order: {:?}",
                listing.models
            );
            for found in listing.models {
                ensure_eq!(found, as_written(&found)?, "a model that is being written");
                if let Some(again) = store.get(&acme, found.id)? {
                    ensure_eq!(again, found, "the same model");
                }
            }
            if is_last {
                return Ok(());
            }
        }
    })?;
    store.expect(&acme, &[])
}

fn write_and_delete(store: &Client, thread: u64) -> Checked {
    let acme = organisation("acme")?;
    for round in 0..8 {
        let first = 100_000 * thread + 100 * round;
        let new: Checked<Vec<_>> = (first..first + 6).map(model).collect();
        for model in store.create_all(&acme, &new?)? {
            ensure_eq!(
                store.get(&acme, model.id)?.as_ref(),
                Some(&model),
                "a model that was acknowledged"
            );
            store.delete(&acme, &model)?;
            ensure_eq!(store.get(&acme, model.id)?, None, "a model whose delete was acknowledged");
        }
    }
    Ok(())
}

/// Returns the expected model, from the number in its name.
fn as_written(found: &CustomModel) -> Checked<CustomModel> {
    let number = found.name.as_str().trim_start_matches("model ").parse();
    match number {
        Ok(number) => Ok(model(number)?.with_id(found.id)),
        Err(_) => Err(Stop::failed(format!("nobody wrote {found:?}"))),
    }
}
