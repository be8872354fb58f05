//! Acknowledged writes are kept after a close, after the last handle is dropped, and after the process is
//! killed.

use custom_models_core::store::{Outcome, StoreErrorKind};
use custom_models_core::{CustomModel, Organisation};

use crate::client::{ALL, Client, create, fresh};
use crate::sample::{model, models, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, Place};

/// Two organisations with writes of every kind, and their expected content.
struct Scene {
    organisations: [Organisation; 2],
    models: [Vec<CustomModel>; 2],
    largest: CustomModel,
}

impl Scene {
    fn set(store: &Client) -> Checked<Scene> {
        let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
        let mut of_acme = store.create_all(&acme, &models(5)?)?;
        let mut of_zebra = store.create_all(&zebra, &models(3)?)?;
        store.try_create(&acme, &model(90)?, Some(5))?;
        store.delete(&acme, &of_acme.remove(1))?;
        of_acme.push(store.create(&acme, &model(91)?)?);
        of_zebra.push(store.create(&zebra, &model(92)?)?);
        // The newest model is deleted again, and its id stays used.
        let largest = store.create(&zebra, &model(93)?)?;
        store.delete(&zebra, &largest)?;
        store.try_create(&zebra, &model(94)?, Some(0))?;
        Ok(Scene { organisations: [acme, zebra], models: [of_acme, of_zebra], largest })
    }

    /// Checks that everything is there, and that the store accepts further writes.
    fn expect(&mut self, store: &Client) -> Checked {
        for (organisation, models) in self.organisations.iter().zip(&mut self.models) {
            store.expect(organisation, models)?;
            let count = models.len() as u64;
            let refused = store.try_create(organisation, &model(95)?, Some(count))?;
            let refusal = Outcome::LimitReached { current: count };
            ensure_eq!(refused, refusal, "a create at the limit");
            let next = store.create(organisation, &model(96)?)?;
            ensure!(
                next.id > self.largest.id,
                "id {} after {} was given",
                next.id,
                self.largest.id
            );
            models.push(next.clone());
            self.largest = next;
            store.expect(organisation, models)?;
        }
        Ok(())
    }
}

pub(crate) fn model_6_acknowledged_models_survive_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let mut scene = Scene::set(&store)?;
    for _ in 0..3 {
        store = store.reopen(&*place)?;
        scene.expect(&store)?;
    }
    Ok(())
}

pub(crate) fn model_6_acknowledged_models_survive_a_dropped_store(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let mut scene = Scene::set(&store)?;
    for _ in 0..3 {
        drop(store);
        store = Client::open(&*place)?;
        scene.expect(&store)?;
    }
    Ok(())
}

pub(crate) fn a_dropped_store_answers_what_was_submitted(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = store.create_all(&acme, &models(2)?)?;
    let mut answers = Vec::new();
    for model in models(40)? {
        answers.push(store.submit(&acme, create(&model, None)));
    }
    drop(store);
    for answer in answers {
        match answer.wait()? {
            Ok(Outcome::Created(model)) => all.push(model),
            Err(error) if matches!(error.kind(), StoreErrorKind::Busy | StoreErrorKind::Closed) => {
            }
            other => return Err(Stop::failed(format!("a queued create heard {other:?}"))),
        }
    }
    all.sort_by_key(|model| model.id);
    Client::open(&*place)?.expect(&acme, &all)
}

/// Opens the place as a kill would leave it.
pub(crate) fn killed(place: &dyn Place) -> Checked<(Box<dyn Place>, Client)> {
    let place = place.after_kill()?;
    let store = Client::open(&*place)?;
    Ok((place, store))
}

pub(crate) fn model_6_acknowledged_models_survive_a_kill(builder: &dyn Builder) -> Checked {
    let (mut place, mut store) = fresh(builder)?;
    let mut scene = Scene::set(&store)?;
    for _ in 0..3 {
        let (next_place, next_store) = killed(&*place)?;
        drop(store);
        (place, store) = (next_place, next_store);
        scene.expect(&store)?;
    }
    Ok(())
}

pub(crate) fn model_6_every_answer_is_durable_when_it_is_heard(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = Vec::new();
    for number in 0..6 {
        all.push(store.create(&acme, &model(number)?)?);
        survives_now(&*place, &acme, &all)?;
        if number % 2 == 1 {
            store.delete(&acme, &all.remove(0))?;
            survives_now(&*place, &acme, &all)?;
        }
    }
    Ok(())
}

/// Of two creates with room for one, the refusal of the second may be reported first. By then the first must
/// be durable.
pub(crate) fn model_6_what_a_refusal_rests_on_is_durable_when_it_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    for round in 0..4 {
        let organisation = organisation(&format!("acme-{round}"))?;
        let first = store.submit(&organisation, create(&model(1)?, Some(1)));
        let second = store.submit(&organisation, create(&model(2)?, Some(1)));
        let heard = second.wait()??;
        let (_place, after_kill) = killed(&*place)?;
        let found = after_kill.list(&organisation, &ALL)?;
        ensure_eq!(found.total, 1, "models after a kill, when {heard:?} was heard");
        after_kill.expect(&organisation, &found.models)?;
        let answers = [heard, first.wait()??];
        let refusal = Outcome::LimitReached { current: 1 };
        ensure!(answers.contains(&refusal), "two creates for one place heard {answers:?}");
    }
    Ok(())
}

fn survives_now(place: &dyn Place, organisation: &Organisation, models: &[CustomModel]) -> Checked {
    let (_place, store) = killed(place)?;
    store.expect(organisation, models)
}
