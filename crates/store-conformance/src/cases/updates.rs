//! Updates: at an expected revision, complete, and for the organisation's own models alone.

use custom_models_core::model::{DataType, Edit, EditRefusal, Expected, Revision, Version};
use custom_models_core::store::{
    ArchiveChange, Change, IdempotencyScope, ModelLine, Outcome, Record, Write,
};
use custom_models_core::time::Timestamp;
use custom_models_core::{CustomModel, ModelId};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, create, delete_at, fresh, write};
use crate::fixture::{Fixture, beat, five_hours};
use crate::history::{Everything, add_pair, renamed};
use crate::life::{
    data_id, edit, edit_at, like, moment_of, new_pair, numbered, update, upload_answer,
};
use crate::sample::{description, id, model, models, moment, name, organisation, revision};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

const ANOTHER_REVISION: Outcome = Outcome::Refused(EditRefusal::PreconditionFailed);

/// A model with a data pair, and an upload to it with an idempotency record.
struct Scene {
    model: CustomModel,
    next: Write,
    keys: Vec<IdempotencyScope>,
}

impl Scene {
    fn set(store: &Client) -> Checked<Scene> {
        let acme = organisation("acme")?;
        let created = store.create(&acme, &model(1)?)?;
        let model = add_pair(store, &acme, &created, 1)?;
        let answer = upload_answer(model.id, "next")?;
        let keys = vec![answer.key.clone()];
        let change = edit_at(model.id, model.revision(), Edit::AddData(new_pair(2)?));
        let next = Write { idempotency: Some(answer), ..numbered(&acme, 9, change)? };
        Ok(Scene { model, next, keys })
    }

    /// Returns the write with another edit, which expects one of these revisions.
    fn expecting(&self, edit: Edit, expected: Expected) -> Write {
        let change = Change::Edit { id: self.model.id, edit: Box::new(edit), expected };
        Write { change, ..self.next.clone() }
    }
}

fn every_edit() -> Checked<[Edit; 4]> {
    let data = Edit::AddData(new_pair(2)?);
    Ok([data, Edit::RemoveData(data_id(1)?), like(9)?, Edit::Delete])
}

pub(crate) fn edit_4_an_edit_that_expects_another_revision_changes_nothing(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let scene = Scene::set(&store)?;
    let before = Everything::of(&store, &acme, &scene.keys)?;
    let wrong = [1, 3, 258, (1 << 32) + 2, 1 << 63, u64::MAX].map(revision);
    let wrong = wrong.into_iter().collect::<Checked<Vec<_>>>()?;
    let one_each = wrong.iter().map(|wrong| vec![*wrong]);
    for wrong in one_each.chain([Vec::new(), wrong.clone()]) {
        for edit in every_edit()? {
            let shown = format!("{edit:?} at one of {wrong:?}");
            let write = scene.expecting(edit, Expected::OneOf(wrong.clone()));
            ensure_eq!(store.write_whole(write)?, ANOTHER_REVISION, "{shown}");
        }
    }
    ensure_eq!(Everything::of(&store, &acme, &scene.keys)?, before, "after refused edits");
    let store = store.reopen(&*place)?;
    ensure_eq!(Everything::of(&store, &acme, &scene.keys)?, before, "after refused edits");
    // Of several expected revisions, one has to match.
    let expected = Expected::OneOf([wrong, vec![scene.model.revision()]].concat());
    let next = scene.expecting(Edit::AddData(new_pair(2)?), expected);
    store.edited(&scene.model, next).map(drop)
}

/// Any number of heartbeats leaves the revision unchanged.
pub(crate) fn edit_4_words_of_a_worker_change_no_revision(builder: &dyn Builder) -> Checked {
    let (_place, drafts) = fresh(builder)?;
    let acme = organisation("acme")?;
    let claimed = Fixture::new(&drafts, &acme).claimed(1)?;
    for heartbeats in [0, 1, 255, (1 << 31) - 1, u32::MAX] {
        let (place, store) = fresh(builder)?;
        let fixture = Fixture::new(&store, &acme);
        let version = Version { heartbeats, ..claimed.model.version };
        let before = CustomModel { version, ..claimed.model.clone() };
        bring(&store, &before)?;
        let beaten = fixture.edit(before.id, beat(claimed.fence, 50)?)?;
        let version = Version { heartbeats: heartbeats.wrapping_add(1), ..version };
        ensure_eq!(beaten.version, version, "after a word of the worker");
        store.expect(&acme, std::slice::from_ref(&beaten))?;
        let store = store.reopen(&*place)?;
        store.expect(&acme, std::slice::from_ref(&beaten))?;
        let change = edit_at(before.id, before.revision(), like(2)?);
        let named = store.edited(&beaten, write(&acme, change))?;
        store.expect(&acme, &[named])?;
    }
    Ok(())
}

/// Imports a model and its counters into an empty store.
fn bring(store: &Client, model: &CustomModel) -> Checked {
    let organisation = organisation("acme")?;
    let of = organisation.clone();
    let records = vec![
        Record::Start { last_id: model.id.get() },
        Record::Organisation { organisation: of, models: 1, last_event: 0, first_event: 1 },
        Record::Model(ModelLine { organisation, model: model.clone() }),
    ];
    store.handle().archive(ArchiveChange::Import(records))?;
    Ok(())
}

pub(crate) fn edit_3_an_update_replaces_what_it_says_and_nothing_else(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = store.create_all(&acme, &models(3)?)?;
    let texts = [
        Some(None),
        Some(Some("")),
        None,
        Some(Some("\0 語 \u{301}'\"")),
        Some(None),
        None,
        Some(Some("null")),
    ];
    for (number, text) in (10_u32..).zip(texts) {
        let Some(now) = all.get_mut(1) else { break };
        let text = text.map(|text| text.map(description).transpose()).transpose()?;
        // Every third update keeps the name.
        let named = (number % 3 > 0).then(|| name(&format!("'{number}\0 语\"")));
        let named = named.transpose()?;
        let right = CustomModel {
            name: named.clone().unwrap_or_else(|| now.name.clone()),
            description: text.clone().unwrap_or_else(|| now.description.clone()),
            updated_at: now.updated_at.max(moment(1_700_000_000 + i64::from(number))?),
            version: now.revision().next().into(),
            ..now.clone()
        };
        let write = numbered(&acme, number.into(), edit(now.id, update(named, text)))?;
        *now = store.edited(now, write)?;
        ensure_eq!(*now, right, "update {number}");
        store.expect(&acme, &all)?;
        store = store.reopen(&*place)?;
        store.expect(&acme, &all)?;
    }
    let [first, _, last] = all.as_mut_slice() else { return Err(Stop::failed("three models")) };
    // The time of a model never decreases, and may be the largest one.
    for (model, updated_at) in [(first, Timestamp::MIN), (last, Timestamp::MAX)] {
        let at = moment_of(updated_at);
        let right = model.updated_at.max(updated_at);
        let update = Write { at, ..write(&acme, edit(model.id, like(20)?)) };
        *model = store.edited(model, update)?;
        ensure_eq!(model.updated_at, right, "after an update at {updated_at}");
    }
    store.expect(&acme, &all)?;
    let refused = store.try_create(&acme, &model(9)?, Some(3))?;
    ensure_eq!(refused, Outcome::LimitReached { current: 3 }, "a create after updates");
    Ok(())
}

pub(crate) fn auth_3_an_update_of_anothers_model_is_not_found(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let scene = Scene::set(&store)?;
    store.create(&zebra, &model(2)?)?;
    let gone = store.create(&zebra, &model(3)?)?;
    store.delete(&zebra, &gone)?;
    let state = |store: &Client| -> Checked<[Everything; 2]> {
        let of = |organisation| Everything::of(store, organisation, &scene.keys);
        Ok([of(&acme)?, of(&zebra)?])
    };
    let before = state(&store)?;
    let right = Expected::OneOf(vec![scene.model.revision()]);
    for expected in [Expected::Anything, right, Expected::OneOf(vec![revision(7)?])] {
        for edit in every_edit()? {
            let shown = format!("{edit:?} of another, at {expected:?}");
            let foreign = scene.expecting(edit, expected.clone());
            let foreign = Write { organisation: zebra.clone(), ..foreign };
            ensure_eq!(store.write_whole(foreign)?, Outcome::NotFound, "{shown}");
        }
    }
    for id in [gone.id, id(ModelId::MAX)?] {
        for change in [edit(id, like(4)?), edit_at(id, Revision::FIRST, like(4)?)] {
            let outcome = store.write(&zebra, change)?;
            ensure_eq!(outcome, Outcome::NotFound, "an update of {id}, which is not there");
        }
    }
    ensure_eq!(state(&store)?, before, "after updates of nothing");
    ensure_eq!(state(&store.reopen(&*place)?)?, before, "after updates of nothing");
    Ok(())
}

pub(crate) fn edit_4_updates_of_many_models_in_a_burst_all_count(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut of_acme = store.create_all(&acme, &models(30)?)?;
    let mut of_zebra = store.create_all(&zebra, &models(30)?)?;
    for round in 1..3 {
        let mut changes = Vec::new();
        for (acmes, zebras) in of_acme.iter_mut().zip(&mut of_zebra) {
            for (organisation, model) in [(&acme, acmes), (&zebra, zebras)] {
                let number = 1000 * round + model.id.get();
                let change = edit_at(model.id, model.revision(), like(number)?);
                changes.push((organisation.clone(), change));
                *model = after(model, number)?;
            }
        }
        for outcome in store.burst(changes)? {
            let outcome = outcome?;
            ensure!(is_made(&outcome), "an update in a burst was answered by {outcome:?}");
        }
        store.expect(&acme, &of_acme)?;
        store.expect(&zebra, &of_zebra)?;
    }
    let store = store.reopen(&*place)?;
    store.expect(&acme, &of_acme)?;
    store.expect(&zebra, &of_zebra)
}

/// Returns the model after the update of this number in a burst, at a time before its creation.
fn after(before: &CustomModel, number: u64) -> Checked<CustomModel> {
    let new = model(number)?;
    let version = before.revision().next().into();
    Ok(CustomModel { name: new.name, description: new.description, version, ..before.clone() })
}

fn is_made(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Changed { .. })
}

/// Writes of a burst are made in an order that the store chooses: the outcomes must fit one order.
pub(crate) fn edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut left = Vec::new();
    for round in 0..6 {
        let old = store.create(&acme, &model(round)?)?;
        let [first, other] = [after(&old, 100 + round)?, after(&old, 200 + round)?];
        let second = after(&first, 300 + round)?;
        // Often the id of the next create; otherwise there is no such model.
        let guess = model(400 + round)?.with_id(id(old.id.get() + 1)?);
        let of_guess = after(&guess, 500 + round)?;
        let update = |before: &CustomModel, number: u64| -> Checked<Change> {
            Ok(edit_at(before.id, before.revision(), like(number + round)?))
        };
        let changes = [
            update(&old, 100)?,
            update(&old, 200)?,
            update(&first, 300)?,
            delete_at(old.id, old.revision()),
            delete_at(old.id, second.revision()),
            create(&model(400 + round)?, None),
            update(&guess, 500)?,
        ];
        let mut changes = changes.map(|change| (acme.clone(), change));
        // A store that keeps the order of submission sometimes gets the delete first.
        let is_backwards = round % 2 == 1;
        if is_backwards {
            changes.reverse();
        }
        let outcomes: Result<Vec<_>, _> = store.burst(changes.into())?.into_iter().collect();
        let mut outcomes = outcomes?;
        if is_backwards {
            outcomes.reverse();
        }
        let shown = format!("{outcomes:?}");
        let [o1, o2, o3, o4, o5, Outcome::Created(created), o7] = outcomes.as_slice() else {
            return Err(Stop::failed(format!("a burst was answered by {shown}")));
        };
        let deleted = |outcome: &Outcome| *outcome == Outcome::Deleted;
        let winners = [is_made(o1), is_made(o2), deleted(o4)];
        let is_one = winners.into_iter().filter(|has_won| *has_won).count() == 1;
        ensure!(is_one, "of three changes at one revision, not one was made: {shown}");
        // An update at the revision of `first` follows either of the two before it, since both end there.
        ensure!(!is_made(o3) || !deleted(o4), "an update of what was deleted: {shown}");
        ensure!(!deleted(o5) || is_made(o3), "a delete at a revision that was never: {shown}");
        let is_gone = deleted(o4) || deleted(o5);
        if !is_gone {
            let first = if is_made(o1) { first } else { other };
            left.push(if is_made(o3) { second } else { first });
        }
        let is_guessed = created.id == guess.id && is_made(o7);
        ensure!(is_made(o7) == is_guessed, "an update of what was never created: {shown}");
        left.push(if is_guessed { of_guess } else { created.clone() });
        store.expect(&acme, &left)?;
    }
    store.reopen(&*place)?.expect(&acme, &left)
}

pub(crate) fn edit_4_acknowledged_updates_survive_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut now = store.create(&acme, &model(1)?)?;
    for number in 2..6 {
        let before = now.revision();
        now = renamed(&store, &acme, &now, number)?;
        store = store.reopen(&*place)?;
        store.expect(&acme, std::slice::from_ref(&now))?;
        let late = store.write(&acme, edit_at(now.id, before, like(number)?))?;
        ensure_eq!(late, ANOTHER_REVISION, "an update that is made already");
    }
    Ok(())
}

pub(crate) fn edit_4_an_update_survives_a_kill_when_it_is_heard(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut scene = Scene::set(&store)?;
    for number in 2..6 {
        // Its status changes when its data becomes enough for a training.
        let data = Edit::AddData(five_hours(DataType::Train));
        let answer = upload_answer(scene.model.id, &format!("key-{number}"))?;
        scene.keys.push(answer.key.clone());
        let write = numbered(&acme, number, edit(scene.model.id, data))?;
        scene.model = store.edited(&scene.model, Write { idempotency: Some(answer), ..write })?;
        let (_place, after_kill) = killed(&*place)?;
        let found = Everything::of(&after_kill, &acme, &scene.keys)?;
        ensure_eq!(found, Everything::of(&store, &acme, &scene.keys)?, "after a kill");
        ensure_eq!(after_kill.get(&acme, scene.model.id)?.as_ref(), Some(&scene.model), "a kill");
    }
    Ok(())
}
