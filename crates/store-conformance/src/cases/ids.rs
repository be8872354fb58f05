//! Ids: unique over all organisations, increasing, never used twice, up to the last one.

use custom_models_core::ModelId;
use custom_models_core::store::{ArchiveChange, Change, Outcome, Record, StoreErrorKind};

use crate::Builder;
use crate::client::{Client, create, delete, fresh};
use crate::sample::{model, models, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

pub(crate) fn model_1_ids_grow_over_all_organisations(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let organisations = [organisation("zebra")?, organisation("acme")?, organisation("m")?];
    let mut last = None;
    for number in 0..4 {
        for organisation in &organisations {
            let created = store.create(organisation, &model(number)?)?;
            ensure!(Some(created.id) > last, "id {} came after {last:?}", created.id);
            last = Some(created.id);
        }
    }
    let store = store.reopen(&*place)?;
    for organisation in &organisations {
        let created = store.create(organisation, &model(9)?)?;
        ensure!(Some(created.id) > last, "id {} came after {last:?}", created.id);
        last = Some(created.id);
    }
    Ok(())
}

pub(crate) fn model_1_ids_of_writes_in_one_burst_differ(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let before = store.create(&acme, &model(0)?)?;
    let mut writes = Vec::new();
    for model in models(60)? {
        writes.push((acme.clone(), create(&model, None)));
        writes.push((zebra.clone(), create(&model, None)));
    }
    let mut ids = Vec::new();
    for outcome in store.burst(writes)? {
        match outcome? {
            Outcome::Created(model) => ids.push(model.id),
            other => return Err(Stop::failed(format!("a create was answered by {other:?}"))),
        }
    }
    ids.sort();
    ensure!(ids.first().is_some_and(|first| *first > before.id), "ids {ids:?} after {}", before.id);
    let given = ids.len();
    ids.dedup();
    ensure_eq!(ids.len(), given, "different ids");
    Ok(())
}

pub(crate) fn model_1_an_id_is_not_given_again_after_a_delete(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut last = None;
    for number in 0..4 {
        let created = store.create(&acme, &model(number)?)?;
        ensure!(Some(created.id) > last, "id {} came after {last:?} was deleted", created.id);
        last = Some(created.id);
        store.delete(&acme, &created)?;
    }
    store.expect(&acme, &[])
}

pub(crate) fn model_1_an_id_is_not_given_again_after_a_delete_and_a_reopen(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let kept = store.create(&acme, &model(0)?)?;
    let newest = store.create(&zebra, &model(1)?)?;
    store.delete(&zebra, &newest)?;
    store = store.reopen(&*place)?;
    let next = store.create(&acme, &model(2)?)?;
    ensure!(next.id > newest.id, "id {} came after {} was deleted", next.id, newest.id);
    store.delete(&acme, &kept)?;
    store.delete(&acme, &next)?;
    store = store.reopen(&*place)?.reopen(&*place)?;
    let last = store.create(&zebra, &model(3)?)?;
    ensure!(last.id > next.id, "id {} in an emptied store, after {}", last.id, next.id);
    store.expect(&zebra, &[last])
}

pub(crate) fn model_1_the_last_id_is_given_and_then_none(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let first = store.create(&acme, &model(0)?)?;
    raise_last_id(&store, ModelId::MAX - 1)?;
    let store = store.reopen(&*place)?;
    let last = store.create(&acme, &model(1)?)?;
    ensure_eq!(last.id.get(), ModelId::MAX, "the last id");
    refuses_ids(&store, create(&model(2)?, None))?;
    refuses_ids(&store, create(&model(2)?, Some(9)))?;
    store.expect(&acme, &[first.clone(), last.clone()])?;
    store.expect(&zebra, &[])?;

    let store = store.reopen(&*place)?;
    store.delete(&acme, &last)?;
    refuses_ids(&store, create(&model(2)?, None))?;
    let store = store.reopen(&*place)?;
    refuses_ids(&store, create(&model(2)?, None))?;
    store.expect(&acme, &[first])?;
    store.expect(&zebra, &[])
}

/// Raises the last id, as an import of a store that has used all ids up to this one.
fn raise_last_id(store: &Client, last_id: u64) -> Checked {
    store.archive(ArchiveChange::Import(vec![Record::Start { last_id }]))?;
    Ok(())
}

fn refuses_ids(store: &Client, change: Change) -> Checked {
    for name in ["acme", "zebra"] {
        let answer = store.submit(&organisation(name)?, change.clone()).wait()?;
        ensure_eq!(
            answer.map_err(|error| error.kind()),
            Err(StoreErrorKind::IdsExhausted),
            "a create without an id left"
        );
    }
    Ok(())
}

pub(crate) fn model_1_exhausted_ids_refuse_nothing_but_creates(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let old = store.create_all(&acme, &models(10)?)?;
    raise_last_id(&store, ModelId::MAX - 2)?;
    let store = store.reopen(&*place)?;
    let mut writes = Vec::new();
    for old in &old {
        writes.push((zebra.clone(), create(&model(old.id.get())?, None)));
        writes.push((acme.clone(), delete(old.id)));
    }
    let mut created = Vec::new();
    let (mut deleted, mut exhausted) = (0, 0);
    for outcome in store.burst(writes)? {
        match outcome {
            Ok(Outcome::Created(model)) => created.push(model),
            Ok(Outcome::Deleted) => deleted += 1,
            Err(error) if error.kind() == StoreErrorKind::IdsExhausted => exhausted += 1,
            other => return Err(Stop::failed(format!("answered {other:?}"))),
        }
    }
    created.sort_by_key(|model| model.id);
    let ids: Vec<_> = created.iter().map(|model| model.id.get()).collect();
    ensure_eq!(ids, [ModelId::MAX - 1, ModelId::MAX], "the last two ids");
    ensure_eq!((deleted, exhausted), (10, 8), "deletes and refused creates");
    store.expect(&acme, &[])?;
    store.expect(&zebra, &created)?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, &[])?;
    store.expect(&zebra, &created)
}

pub(crate) fn model_1_an_import_never_lowers_the_last_id(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = store.create_all(&acme, &models(3)?)?;
    for last_id in [0, 1, 2] {
        raise_last_id(&store, last_id)?;
        all.push(store.create(&acme, &model(4 + last_id)?)?);
        store.expect(&acme, &all)?;
        raise_last_id(&store, last_id)?;
        store = store.reopen(&*place)?;
        all.push(store.create(&acme, &model(8 + last_id)?)?);
        store.expect(&acme, &all)?;
    }
    // A model that is brought does not lower it either.
    let lines = crate::cases::archives::records(&*store.handle())?;
    let oldest = lines.into_iter().find(|record| matches!(record, Record::Model(_)));
    store.archive(ArchiveChange::Import(oldest.into_iter().collect()))?;
    all.push(store.create(&acme, &model(12)?)?);
    store.expect(&acme, &all)
}
