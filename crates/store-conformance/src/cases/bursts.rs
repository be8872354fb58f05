//! Bursts of writes, submitted without waiting: a refused one undoes only itself.

use std::collections::BTreeMap;

use custom_models_core::model::EditRefusal;
use custom_models_core::store::Outcome;
use custom_models_core::{CustomModel, ModelId};

use crate::Builder;
use crate::client::{Client, create, delete, delete_at, fresh};
use crate::sample::{id, model, models, organisation, revision};
use crate::verdict::{Checked, Stop, ensure_eq};

pub(crate) fn quota_4_a_burst_of_creates_fills_exactly_the_limit(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let limits = [("acme", 7), ("zebra", 1), ("empty", 0), ("wide", 100)];
    let mut writes = Vec::new();
    for model in models(24)? {
        for (name, limit) in limits {
            writes.push((organisation(name)?, create(&model, Some(limit))));
        }
    }
    let mut created: BTreeMap<_, Vec<CustomModel>> = BTreeMap::new();
    let outcomes = store.burst(writes.clone())?;
    for ((organisation, _), outcome) in writes.into_iter().zip(outcomes) {
        let models = created.entry(organisation.clone()).or_default();
        match outcome? {
            Outcome::Created(model) => models.push(model),
            Outcome::LimitReached { current } => {
                let limit = limits.into_iter().find(|(name, _)| *name == organisation.as_str());
                ensure_eq!(Some(current), limit.map(|(_, limit)| limit), "a refusal");
            }
            other => return Err(Stop::failed(format!("a create was answered by {other:?}"))),
        }
    }
    for models in created.values_mut() {
        models.sort_by_key(|model| model.id);
    }
    let check = |store: &Client| -> Checked {
        for (name, limit) in limits {
            let organisation = organisation(name)?;
            let models = created.get(&organisation).cloned().unwrap_or_default();
            ensure_eq!(models.len() as u64, limit.min(24), "creates for {name}");
            store.expect(&organisation, &models)?;
        }
        Ok(())
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn quota_3_a_refusal_in_a_burst_undoes_only_itself(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut of_acme = store.create_all(&acme, &models(12)?)?;
    let mut of_zebra = store.create_all(&zebra, &models(12)?)?;
    for round in 0..3 {
        let doomed: Vec<_> = of_acme.drain(..6).collect();
        let mut writes = Vec::new();
        for (number, doomed) in (0..).zip(&doomed) {
            // A create may use the room that a delete in the same burst makes, but no more.
            writes.push((acme.clone(), create(&model(100 + number)?, Some(12))));
            writes.push((acme.clone(), delete_at(doomed.id, revision(7)?)));
            writes.push((acme.clone(), delete(doomed.id)));
            writes.push((acme.clone(), delete(id(ModelId::MAX)?)));
            writes.push((zebra.clone(), delete(doomed.id)));
            writes.push((zebra.clone(), create(&model(200 + number)?, Some(1))));
            writes.push((zebra.clone(), create(&model(300 + number)?, None)));
        }
        let mut outcomes = store.burst(writes)?.into_iter();
        let mut next = || -> Checked<Outcome> {
            let outcome = outcomes.next();
            Ok(outcome.ok_or_else(|| Stop::failed("an outcome is missing"))??)
        };
        for _ in &doomed {
            match next()? {
                Outcome::Created(model) => of_acme.push(model),
                other => ensure_eq!(other, Outcome::LimitReached { current: 12 }, "the limit"),
            }
            let refused = next()?;
            if refused != Outcome::NotFound {
                let right = Outcome::Refused(EditRefusal::PreconditionFailed);
                ensure_eq!(refused, right, "a delete at another revision");
            }
            ensure_eq!(next()?, Outcome::Deleted, "a delete");
            ensure_eq!(next()?, Outcome::NotFound, "a delete of nothing");
            ensure_eq!(next()?, Outcome::NotFound, "a delete of another's model");
            match next()? {
                Outcome::LimitReached { current } if current >= 12 => {}
                other => return Err(Stop::failed(format!("over the limit came {other:?}"))),
            }
            match next()? {
                Outcome::Created(model) => of_zebra.push(model),
                other => return Err(Stop::failed(format!("a create was answered by {other:?}"))),
            }
        }
        of_acme.sort_by_key(|model| model.id);
        of_zebra.sort_by_key(|model| model.id);
        store.expect(&acme, &of_acme)?;
        store.expect(&zebra, &of_zebra)?;
        if round == 1 {
            store = store.reopen(&*place)?;
        }
        while of_acme.len() < 12 {
            of_acme.push(store.create(&acme, &model(400)?)?);
        }
    }
    Ok(())
}
