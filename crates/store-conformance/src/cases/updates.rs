//! Updates: on the stamp that they were decided on, whole, and of the organisation's own models.

use custom_models_core::{
    AnswerKey, Course, CustomModel, DataChange, Outcome, Stamp, Timestamp, Write,
};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, create, delete, fresh};
use crate::driven::Driven;
use crate::life::{Everything, add_pair, changed, data_id, event, logged, pair, update};
use crate::life::{upload_answer, with_data};
use crate::sample::{description, id, model, models, name, organisation, stamp};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// A model with a pair, an event and a kept answer, and what is next to be made of it in every way.
struct Scene {
    model: CustomModel,
    next: Write,
    keys: Vec<AnswerKey>,
}

impl Scene {
    fn set(store: &Client) -> Checked<Scene> {
        let acme = organisation("acme")?;
        let created = store.create(&acme, &model(1)?)?;
        let model = add_pair(store, &acme, &created, &pair(1)?)?;
        let after = changed(&model, 9)?;
        let answer = upload_answer(model.id, "next", 5)?;
        let keys = vec![answer.key.clone()];
        let change = with_data(&model, &after, DataChange::Add(pair(2)?));
        let next = Write { answer: Some(answer), ..logged(&acme, change, event(9)?) };
        Ok(Scene { model, next, keys })
    }

    /// The write, decided on another stamp, with another change of the data.
    fn next_at(&self, stamp: Stamp, data: DataChange) -> Write {
        let mut write = self.next.clone();
        write.change = with_data(&CustomModel { stamp, ..self.model.clone() }, &self.model, data);
        write
    }
}

pub(crate) fn edit_4_a_stale_update_changes_nothing(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let scene = Scene::set(&store)?;
    let before = Everything::of(&store, &acme, &scene.keys)?;
    let mut wrong = vec![Stamp { beats: 1, ..scene.model.stamp }];
    for revision in [1, 3, 258, (1 << 32) + 2, 1 << 63, u64::MAX] {
        wrong.push(stamp(revision)?);
    }
    for wrong in wrong {
        for data in [DataChange::Add(pair(2)?), DataChange::Remove(data_id(1)?), DataChange::Keep] {
            let outcome = store.write_whole(scene.next_at(wrong, data))?;
            ensure_eq!(outcome, Outcome::Stale, "an update at {wrong:?}");
        }
    }
    ensure_eq!(Everything::of(&store, &acme, &scene.keys)?, before, "after stale updates");
    let store = store.reopen(&*place)?;
    ensure_eq!(Everything::of(&store, &acme, &scene.keys)?, before, "after stale updates");
    store.updated(scene.next)
}

pub(crate) fn edit_4_a_beat_makes_what_was_decided_before_it_stale(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut now = store.create(&acme, &model(1)?)?;
    for beats in [1, 2, 256, u32::MAX, 0] {
        let beaten = CustomModel { stamp: Stamp { beats, ..now.stamp }, ..now.clone() };
        store.updated(Write::new(acme.clone(), update(&now, &beaten)))?;
        let late = [update(&now, &changed(&now, 5)?), delete(now.id, now.stamp)];
        for late in late {
            ensure_eq!(store.write(&acme, late)?, Outcome::Stale, "after {beats} beats");
        }
        now = beaten;
        store.expect(&acme, std::slice::from_ref(&now))?;
        store = store.reopen(&*place)?;
        store.expect(&acme, std::slice::from_ref(&now))?;
    }
    store.delete(&acme, &now)
}

pub(crate) fn edit_3_an_update_replaces_what_it_says_and_nothing_else(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = store.create_all(&acme, &models(3)?)?;
    let texts = [None, Some(""), Some("\0 語 \u{301}'\""), None, Some("null")];
    for (number, text) in (10..).zip(texts) {
        let Some(now) = all.get_mut(1) else { break };
        let after = CustomModel {
            name: name(&format!("'{number}\0 语\""))?,
            description: text.map(description).transpose()?,
            ..changed(now, number)?
        };
        store.updated(Write::new(acme.clone(), update(now, &after)))?;
        *now = after;
        store.expect(&acme, &all)?;
        store = store.reopen(&*place)?;
        store.expect(&acme, &all)?;
    }
    let [first, _, last] = all.as_mut_slice() else { return Err(Stop::failed("three models")) };
    // The time of an update may be any.
    for (model, updated_at) in [(first, Timestamp::MIN), (last, Timestamp::MAX)] {
        let after = CustomModel { updated_at, ..changed(model, 20)? };
        store.updated(Write::new(acme.clone(), update(model, &after)))?;
        *model = after;
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
    for stamp in [scene.model.stamp, stamp(7)?] {
        let foreign =
            Write { organisation: zebra.clone(), ..scene.next_at(stamp, DataChange::Keep) };
        ensure_eq!(store.write_whole(foreign)?, Outcome::NotFound, "of another, at {stamp:?}");
    }
    for id in [gone.id, id((1 << 53) - 1)?] {
        let none = CustomModel { id, ..gone.clone() };
        let outcome = store.write(&zebra, update(&none, &changed(&none, 4)?))?;
        ensure_eq!(outcome, Outcome::NotFound, "an update of {id}, which is not there");
    }
    ensure_eq!(state(&store)?, before, "after updates of nothing");
    ensure_eq!(state(&store.reopen(&*place)?)?, before, "after updates of nothing");
    Ok(())
}

pub(crate) fn edit_4_one_of_many_updates_of_a_stamp_wins(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let before = store.create_all(&acme, &models(12)?)?;
    let won = in_threads(6, |thread| {
        let mut won = Vec::new();
        for before in &before {
            let after = changed(before, 1000 * (1 + thread) + before.id.get())?;
            match store.write(&acme, update(before, &after))? {
                Outcome::Updated => won.push(after),
                Outcome::Stale => {}
                other => return Err(Stop::failed(format!("an update heard {other:?}"))),
            }
        }
        Ok(won)
    })?;
    let mut won: Vec<_> = won.into_iter().flatten().collect();
    won.sort_by_key(|model| model.id);
    store.expect(&acme, &won)?;
    store.reopen(&*place)?.expect(&acme, &won)
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
                let after = changed(model, 1000 * round + model.id.get())?;
                changes.push((organisation.clone(), update(model, &after)));
                *model = after;
            }
        }
        for outcome in store.burst(changes)? {
            ensure_eq!(outcome?, Outcome::Updated, "an update in a burst");
        }
        store.expect(&acme, &of_acme)?;
        store.expect(&zebra, &of_zebra)?;
    }
    let store = store.reopen(&*place)?;
    store.expect(&acme, &of_acme)?;
    store.expect(&zebra, &of_zebra)
}

/// In a burst the order is the store's, but there is one: whatever was answered fits into a row.
pub(crate) fn edit_4_changes_of_one_model_in_a_burst_are_judged_one_after_another(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut left = Vec::new();
    for round in 0..6 {
        let old = store.create(&acme, &model(round)?)?;
        let [first, other] = [changed(&old, 100 + round)?, changed(&old, 200 + round)?];
        let second = changed(&first, 300 + round)?;
        // Often the next create's id; where it is not, there is no such model.
        let guess = model(400 + round)?.with_id(id(old.id.get() + 1)?);
        let of_guess = changed(&guess, 500 + round)?;
        let changes = [
            update(&old, &first),
            update(&old, &other),
            update(&first, &second),
            delete(old.id, old.stamp),
            delete(old.id, second.stamp),
            create(&model(400 + round)?, None),
            update(&guess, &of_guess),
        ];
        let mut changes = changes.map(|change| (acme.clone(), change));
        // A store that keeps to the order in which they come gets the delete first, too.
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
        let updated = |outcome: &Outcome| *outcome == Outcome::Updated;
        let deleted = |outcome: &Outcome| *outcome == Outcome::Deleted;
        let winners = [updated(o1), updated(o2), deleted(o4)];
        let is_one = winners.into_iter().filter(|has_won| *has_won).count() == 1;
        ensure!(is_one, "of three changes at one stamp, not one was made: {shown}");
        // An update at `first.stamp` follows either of the two before it, since both end there.
        ensure!(!updated(o3) || !deleted(o4), "an update of what was deleted: {shown}");
        ensure!(!deleted(o5) || updated(o3), "a delete at a stamp that was never: {shown}");
        let is_gone = deleted(o4) || deleted(o5);
        if !is_gone {
            let first = if updated(o1) { first } else { other };
            left.push(if updated(o3) { second } else { first });
        }
        let is_guessed = created.id == guess.id && updated(o7);
        ensure!(updated(o7) == is_guessed, "an update of what was never created: {shown}");
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
        let after = changed(&now, number)?;
        store.updated(Write::new(acme.clone(), update(&now, &after)))?;
        let before = std::mem::replace(&mut now, after);
        store = store.reopen(&*place)?;
        store.expect(&acme, std::slice::from_ref(&now))?;
        let late = store.write(&acme, update(&before, &now))?;
        ensure_eq!(late, Outcome::Stale, "an update that is made already");
    }
    Ok(())
}

pub(crate) fn edit_4_an_update_survives_a_kill_when_it_is_heard(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut scene = Scene::set(&store)?;
    let course = Driven::new(&store, &acme).running(2)?.course;
    ensure!(course != Course::default(), "a course that is none");
    for number in 2..6 {
        let data = DataChange::Add(pair(number)?);
        let after = CustomModel { course: course.clone(), ..changed(&scene.model, number.into())? };
        let change = with_data(&scene.model, &after, data);
        let answer = upload_answer(after.id, &format!("key-{number}"), number.into())?;
        scene.keys.push(answer.key.clone());
        let write = logged(&acme, change, event(number.into())?);
        store.updated(Write { answer: Some(answer), ..write })?;
        scene.model = after;
        let (_place, after_kill) = killed(&*place)?;
        let found = Everything::of(&after_kill, &acme, &scene.keys)?;
        ensure_eq!(found, Everything::of(&store, &acme, &scene.keys)?, "after a kill");
        ensure_eq!(after_kill.get(&acme, scene.model.id)?.as_ref(), Some(&scene.model), "a kill");
    }
    Ok(())
}
