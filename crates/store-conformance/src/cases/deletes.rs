//! Deletes: by id and revision, of the organisation's own models alone.

use custom_models_core::model::EditRefusal;
use custom_models_core::store::Outcome;
use custom_models_core::{CustomModel, ModelId};

use crate::Builder;
use crate::client::{Client, delete, delete_at, fresh};
use crate::sample::{id, model, models, organisation, revision};
use crate::verdict::{Checked, ensure, ensure_eq};

pub(crate) fn edit_5_the_second_delete_finds_nothing(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut models_now = store.create_all(&acme, &models(4)?)?;
    let gone = models_now.remove(1);
    store.delete(&acme, &gone)?;
    let check = |store: &Client| -> Checked {
        ensure_eq!(store.get(&acme, gone.id)?, None, "a deleted model");
        for again in [delete(gone.id), delete_at(gone.id, revision(2)?)] {
            ensure_eq!(store.write(&acme, again)?, Outcome::NotFound, "the second delete");
        }
        store.expect(&acme, &models_now)
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn edit_5_an_unknown_id_is_not_found(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let unknown = |store: &Client, id: ModelId| -> Checked {
        ensure_eq!(store.get(&acme, id)?, None, "get {id}");
        for delete in [delete(id), delete_at(id, revision(1)?)] {
            ensure_eq!(store.write(&acme, delete)?, Outcome::NotFound, "delete {id}");
        }
        Ok(())
    };
    unknown(&store, id(1)?)?;
    let known = store.create(&acme, &model(0)?)?;
    for number in [known.id.get() + 1, 1 << 32, 1 << 52, ModelId::MAX] {
        unknown(&store, id(number)?)?;
    }
    store.expect(&acme, &[known])
}

pub(crate) fn edit_4_a_delete_that_expects_another_revision_changes_nothing(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let models_now = store.create_all(&acme, &models(2)?)?;
    for model in &models_now {
        for wrong in [2, 3, 257, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX] {
            let outcome = store.write(&acme, delete_at(model.id, revision(wrong)?))?;
            let refused = Outcome::Refused(EditRefusal::PreconditionFailed);
            ensure_eq!(outcome, refused, "a delete at revision {wrong}");
        }
    }
    store.expect(&acme, &models_now)?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, &models_now)?;
    for model in &models_now {
        store.delete(&acme, model)?;
    }
    store.expect(&acme, &[])
}

pub(crate) fn auth_3_another_organisations_model_is_not_found(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let of_acme = store.create_all(&acme, &models(2)?)?;
    let of_zebra = store.create_all(&zebra, &models(2)?)?;
    let check = |store: &Client| -> Checked {
        for (stranger, theirs) in [(&acme, &of_zebra), (&zebra, &of_acme)] {
            for model in theirs {
                ensure_eq!(store.get(stranger, model.id)?, None, "another's model");
                let expecting = |revision| delete_at(model.id, revision);
                let right = expecting(model.revision());
                for delete in [delete(model.id), right, expecting(revision(2)?)] {
                    let outcome = store.write(stranger, delete)?;
                    ensure_eq!(outcome, Outcome::NotFound, "a delete of another's model");
                }
            }
        }
        store.expect(&acme, &of_acme)?;
        store.expect(&zebra, &of_zebra)
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

/// Names that are prefixes of each other, that differ in case or in non-letters, or that are words of query
/// languages.
const SIMILAR: &[&str] = &[
    "a", "A", "aa", "aA", "Aa", "AA", "a-", "a_", "-a", "_a", "a-a", "a_a", "a0", "0a", "0", "00",
    "1", "-", "_", "--", "__", "-_", "_-", "ab", "b", "Z", "z", "z-", "null", "models", "default",
];

pub(crate) fn auth_3_organisations_of_similar_names_do_not_see_each_other(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let long = ["z".repeat(63), "z".repeat(64), "Z".repeat(64)];
    let mut organisations = Vec::new();
    for name in SIMILAR.iter().copied().chain(long.iter().map(String::as_str)) {
        organisations.push(organisation(name)?);
    }
    let mut models_of: Vec<Vec<CustomModel>> = Vec::new();
    for (number, organisation) in (0..).zip(&organisations) {
        let alone = store.try_create(organisation, &model(number)?, Some(1))?;
        let Outcome::Created(alone) = alone else {
            ensure!(false, "{organisation} has no model, and {alone:?} came");
            continue;
        };
        models_of.push(vec![alone]);
    }
    let writes = organisations
        .iter()
        .zip(&models_of)
        .step_by(2)
        .flat_map(|(organisation, models)| {
            models.iter().map(|model| (organisation.clone(), delete(model.id)))
        })
        .collect();
    for outcome in store.burst(writes)? {
        ensure_eq!(outcome?, Outcome::Deleted, "a delete");
    }
    models_of.iter_mut().step_by(2).for_each(Vec::clear);
    let check = |store: &Client| -> Checked {
        for (organisation, models) in organisations.iter().zip(&models_of) {
            store.expect(organisation, models)?;
        }
        Ok(())
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}
