//! The limit of a create: exact, atomic, and without a trace if it refuses.

use custom_models_core::store::Outcome;

use crate::Builder;
use crate::client::fresh;
use crate::sample::{model, models, organisation};
use crate::verdict::{Checked, ensure, ensure_eq};

pub(crate) fn quota_4_the_limit_is_exact(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    for limit in [1, 2, 5] {
        let organisation = organisation(&format!("limit-{limit}"))?;
        for number in 0..limit {
            let outcome = store.try_create(&organisation, &model(number)?, Some(limit))?;
            ensure!(
                matches!(outcome, Outcome::Created(_)),
                "{number} of {limit} places taken, and a create was answered by {outcome:?}"
            );
        }
        for _ in 0..2 {
            let outcome = store.try_create(&organisation, &model(99)?, Some(limit))?;
            let refusal = Outcome::LimitReached { current: limit };
            ensure_eq!(outcome, refusal, "a create at the limit");
        }
    }
    Ok(())
}

pub(crate) fn quota_4_a_limit_of_zero_refuses_every_create(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let nothing = Outcome::LimitReached { current: 0 };
    let outcome = store.try_create(&acme, &model(0)?, Some(0))?;
    ensure_eq!(outcome, nothing, "a create where none is allowed");
    store.expect(&acme, &[])?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, &[])?;
    let created = store.create(&acme, &model(1)?)?;
    let outcome = store.try_create(&acme, &model(2)?, Some(0))?;
    let refusal = Outcome::LimitReached { current: 1 };
    ensure_eq!(outcome, refusal, "a create where none is allowed any more");
    store.expect(&acme, &[created])
}

pub(crate) fn quota_1_no_limit_and_the_largest_limit_admit(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut created = Vec::new();
    for (number, limit) in [None, Some(u64::MAX), Some(1 << 63), None].into_iter().enumerate() {
        match store.try_create(&acme, &model(number as u64)?, limit)? {
            Outcome::Created(model) => created.push(model),
            other => ensure!(false, "a create within {limit:?} was answered by {other:?}"),
        }
    }
    store.expect(&acme, &created)
}

pub(crate) fn quota_4_organisations_do_not_share_a_limit(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    for name in ["acme", "zebra", "Acme"] {
        let organisation = organisation(name)?;
        let mut created = Vec::new();
        for model in models(2)? {
            match store.try_create(&organisation, &model, Some(2))? {
                Outcome::Created(model) => created.push(model),
                other => ensure!(false, "a place of {name} was answered by {other:?}"),
            }
        }
        store.expect(&organisation, &created)?;
    }
    Ok(())
}

pub(crate) fn quota_3_a_refused_create_leaves_no_trace(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut of_acme = store.create_all(&acme, &models(3)?)?;
    let of_zebra = store.create_all(&zebra, &models(2)?)?;
    let refusal = Outcome::LimitReached { current: 3 };
    for number in 10..15 {
        let outcome = store.try_create(&acme, &model(number)?, Some(3))?;
        ensure_eq!(outcome, refusal, "a create at the limit");
        store.expect(&acme, &of_acme)?;
        store.expect(&zebra, &of_zebra)?;
    }
    let store = store.reopen(&*place)?;
    store.expect(&acme, &of_acme)?;
    store.expect(&zebra, &of_zebra)?;
    // Room for one: if a refused create were counted, this one would be refused.
    match store.try_create(&acme, &model(20)?, Some(4))? {
        Outcome::Created(model) => of_acme.push(model),
        other => ensure!(false, "the place that is left was answered by {other:?}"),
    }
    store.expect(&acme, &of_acme)
}

pub(crate) fn quota_5_a_lowered_limit_keeps_models_and_refuses_creates(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut kept = store.create_all(&acme, &models(5)?)?;
    for current in [5, 4, 3] {
        let outcome = store.try_create(&acme, &model(9)?, Some(3))?;
        let refusal = Outcome::LimitReached { current };
        ensure_eq!(outcome, refusal, "a create over a lowered limit");
        store.expect(&acme, &kept)?;
        store.delete(&acme, &kept.remove(0))?;
    }
    match store.try_create(&acme, &model(9)?, Some(3))? {
        Outcome::Created(model) => kept.push(model),
        other => ensure!(false, "a create below the lowered limit was answered by {other:?}"),
    }
    store.expect(&acme, &kept)
}

pub(crate) fn quota_2_a_delete_frees_its_place_at_once(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut models_now = store.create_all(&acme, &models(2)?)?;
    for round in 0..4 {
        let refused = store.try_create(&acme, &model(round)?, Some(2))?;
        let refusal = Outcome::LimitReached { current: 2 };
        ensure_eq!(refused, refusal, "a create at the limit");
        store.delete(&acme, &models_now.remove(0))?;
        if round == 2 {
            store = store.reopen(&*place)?;
        }
        match store.try_create(&acme, &model(round)?, Some(2))? {
            Outcome::Created(model) => models_now.push(model),
            other => ensure!(false, "a place that was freed was answered by {other:?}"),
        }
        store.expect(&acme, &models_now)?;
    }
    Ok(())
}
