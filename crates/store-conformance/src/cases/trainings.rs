//! Training states: each one is stored and returned unchanged, and lists filter by it.

use custom_models_core::model::{DataType, Edit, TrainingState, TrainingStatus};
use custom_models_core::store::{Filter, Selection};
use custom_models_core::{CustomModel, ModelId};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, fresh};
use crate::fixture::{Fixture, LEASE, beat, fail, five_hours, metrics, most_metrics, succeed};
use crate::life::data_id;
use crate::sample::{organisation, unfit};
use crate::verdict::{Checked, ensure_eq};

/// Creates a model in every state of training, in the order of their ids.
pub(crate) fn every_course(fixture: &Fixture) -> Checked<Vec<CustomModel>> {
    let mut all = vec![fixture.create(0)?, fixture.ready(1)?];
    // Claimed, with a heartbeat.
    let claimed = fixture.claimed(2)?;
    all.push(fixture.edit(claimed.model.id, beat(claimed.fence, 37)?)?);
    all.push(fixture.claimed(3)?.model);
    // Succeeded, and trained again since with more data.
    for number in [4, 5, 6, 7] {
        let claimed = fixture.claimed(number)?;
        let id = claimed.model.id;
        let fence = claimed.fence;
        let metrics = if number % 2 == 0 { metrics()? } else { most_metrics()? };
        let mut model = fixture.edit(id, Edit::Succeed { fence, metrics })?;
        if number > 4 {
            model = fixture.edit(id, Edit::AddData(five_hours(DataType::Test)))?;
        }
        if number > 5 {
            fixture.edit(id, Edit::Run)?;
            // Held, so that the next claim gets the next one.
            model = fixture.claim("another")?.map_or(model, |claimed| claimed.model);
        }
        if number > 6 {
            model = fixture.edit(id, Edit::Cancel)?;
            for number in [1, 2] {
                model = fixture.edit(id, Edit::RemoveData(data_id(number)?))?;
            }
        }
        all.push(model);
    }
    for error in ["\0 'é' \"語\"\n", &"語".repeat(TrainingState::MAX_ERROR_CHARACTERS), ""] {
        let claimed = fixture.claimed(8)?;
        all.push(fixture.edit(claimed.model.id, fail(claimed.fence, error))?);
    }
    let cancelled = fixture.claimed(9)?.model.id;
    all.push(fixture.edit(cancelled, Edit::Cancel)?);
    all.push(fixture.running(10)?);
    Ok(all)
}

pub(crate) fn train_1_every_course_comes_back(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let all = every_course(&Fixture::new(&store, &acme))?;
    store.expect(&acme, &all)?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, &all)?;
    // The trainings go on: a waiting one can be claimed, a held one cannot.
    let fixture = Fixture::new(&store, &acme);
    let waits = all.last().map(|model| model.id);
    ensure_eq!(fixture.claim("late")?.map(|claimed| claimed.model.id), waits, "who waits");
    ensure_eq!(fixture.claim("later")?, None, "nobody waits any more");
    fixture.set_clock(LEASE);
    let mut again = 0;
    while fixture.claim("latest")?.is_some() {
        again += 1;
    }
    ensure_eq!(again, 4, "trainings whose leases have run out");
    Ok(())
}

pub(crate) fn train_3_metrics_beside_the_five_come_back_to_the_bit(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let claimed = fixture.claimed(1)?;
    let (fence, metrics) = (claimed.fence, most_metrics()?);
    let id = fixture.edit(claimed.model.id, Edit::Succeed { fence, metrics: metrics.clone() })?.id;
    // The text form distinguishes signed zeros.
    let right = serde_json::to_string(&metrics).map_err(unfit)?;
    let comes_back = |fixture: &Fixture, when: &str| -> Checked {
        let model = fixture.engine.get(&fixture.caller, id)?;
        let success = model.training.success().map(|success| &success.metrics);
        let kept = serde_json::to_string(&success).map_err(unfit)?;
        ensure_eq!(kept, right, "metrics {when}");
        Ok(())
    };
    comes_back(&fixture, "of the model")?;
    let store = store.reopen(&*place)?;
    let fixture = Fixture::new(&store, &acme);
    comes_back(&fixture, "after opening")?;
    // They stay while the model gets more data and is trained again.
    fixture.edit(id, Edit::AddData(five_hours(DataType::Test)))?;
    fixture.edit(id, Edit::Run)?;
    comes_back(&fixture, "while it is trained again")?;
    let store = store.reopen(&*place)?;
    comes_back(&Fixture::new(&store, &acme), "after opening again")
}

pub(crate) fn read_1_lists_by_status_follow_the_course(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    every_course(&Fixture::new(&store, &zebra))?;
    let fixture = Fixture::new(&store, &acme);
    let id = fixture.create(1)?.id;
    let others = every_course(&fixture)?;
    follows(&store, id, &others, TrainingStatus::NotRunning)?;
    fixture.edit(id, Edit::AddData(five_hours(DataType::Train)))?;
    follows(&store, id, &others, TrainingStatus::ReadyToRun)?;
    // All other waiting trainings are held by now.
    fixture.claim("another")?;
    fixture.edit(id, Edit::Run)?;
    follows(&store, id, &others, TrainingStatus::Running)?;
    let claimed = fixture.claim("worker")?;
    follows(&store, id, &others, TrainingStatus::Running)?;
    store = store.reopen(&*place)?;
    follows(&store, id, &others, TrainingStatus::Running)?;
    let fixture = Fixture::new(&store, &acme);
    let fence = claimed.map(|claimed| claimed.fence).unwrap_or_default();
    fixture.edit(id, fail(fence, "no"))?;
    follows(&store, id, &others, TrainingStatus::Failed)?;
    fixture.edit(id, Edit::Run)?;
    let fence = fixture.claim("worker")?.map(|claimed| claimed.fence).unwrap_or_default();
    fixture.edit(id, succeed(fence)?)?;
    follows(&store, id, &others, TrainingStatus::Success)?;
    follows(&store.reopen(&*place)?, id, &others, TrainingStatus::Success)
}

/// Checks that each status lists its models, and this model under this status alone.
fn follows(store: &Client, id: ModelId, others: &[CustomModel], status: TrainingStatus) -> Checked {
    let acme = organisation("acme")?;
    for listed in TrainingStatus::ALL {
        let filter = Filter { status: Some(listed), ..Filter::default() };
        let selection = Selection { filter, limit: u32::MAX, ..Selection::default() };
        let found = store.list(&acme, &selection)?;
        let of_others = others.iter().filter(|model| model.training_status() == listed);
        let own = (listed == status).then_some(id);
        let right: Vec<_> = own.into_iter().chain(of_others.map(|model| model.id)).collect();
        let ids: Vec<_> = found.models.iter().map(|model| model.id).collect();
        ensure_eq!(ids, right, "models in status {listed}");
        ensure_eq!(found.total, right.len() as u64, "the counter of status {listed}");
    }
    Ok(())
}

pub(crate) fn train_3_every_step_of_a_training_survives_a_kill_when_it_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let survives = |model: &CustomModel| -> Checked {
        let (_place, after_kill) = killed(&*place)?;
        after_kill.expect(&acme, std::slice::from_ref(model))
    };
    let model = fixture.ready(1)?;
    survives(&model)?;
    survives(&fixture.edit(model.id, Edit::Run)?)?;
    let claimed = fixture.claim("worker")?;
    let fence = claimed.as_ref().map(|claimed| claimed.fence).unwrap_or_default();
    claimed.as_ref().map_or(Ok(()), |claimed| survives(&claimed.model))?;
    for percent in [0, 1, 1, 99] {
        survives(&fixture.edit(model.id, beat(fence, percent)?)?)?;
    }
    survives(&fixture.edit(model.id, succeed(fence)?)?)
}
