//! The history of an organisation: an event a change, at positions without gaps.

use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::{
    CustomModel, DataId, Event, EventPage, EventType, NewEvent, Organisation, Outcome, Progress,
    Stamp, Timestamp, Write,
};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, create, delete, fresh};
use crate::life::{actor, changed, event, expect_history, logged, update};
use crate::sample::{model, models, moment, organisation, unfit};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Creates a model with its event.
#[track_caller]
pub(crate) fn create_logged(
    store: &Client,
    organisation: &Organisation,
    number: u64,
) -> Checked<CustomModel> {
    let event = NewEvent { event_type: EventType::Created, ..event(number)? };
    match store.write_whole(logged(organisation, create(&model(number)?, None), event))? {
        Outcome::Created(model) => Ok(model),
        other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
    }
}

/// Updates a model with its event, which is found in the history by its actor.
#[track_caller]
pub(crate) fn update_logged(
    store: &Client,
    organisation: &Organisation,
    model: &mut CustomModel,
    event: NewEvent,
) -> Checked {
    let after = changed(model, model.revision().get())?;
    store.updated(logged(organisation, update(model, &after), event))?;
    *model = after;
    Ok(())
}

/// A model with a history of so many events, numbered from 1 as they stand.
pub(crate) fn with_history(
    store: &Client,
    organisation: &Organisation,
    events: u64,
) -> Checked<(CustomModel, Vec<Event>)> {
    let mut model = create_logged(store, organisation, 1)?;
    let created = NewEvent { event_type: EventType::Created, ..event(1)? };
    let mut history = vec![created.at(1, model.id)];
    for number in 2..=events {
        update_logged(store, organisation, &mut model, event(number)?)?;
        history.push(event(number)?.at(number, model.id));
    }
    Ok((model, history))
}

/// The changes of which each thread makes some: of models of its own.
const THREADS: u64 = 5;
const CHANGES: u64 = 8;

fn whole_history(store: &Client, organisation: &Organisation, events: u64) -> Checked<Vec<Event>> {
    let page = store.events(organisation, 0, u32::MAX)?;
    ensure_eq!((page.first, page.last), (1, events), "the ends of a history");
    let positions: Vec<_> = page.events.iter().map(|event| event.position).collect();
    ensure_eq!(positions, (1..=events).collect::<Vec<_>>(), "the positions of {organisation}");
    Ok(page.events)
}

pub(crate) fn log_1_positions_are_dense_whoever_writes(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    in_threads(THREADS, |thread| {
        for organisation in [&acme, &zebra] {
            let mut model = create_logged(&store, organisation, thread)?;
            for number in 1..CHANGES {
                let event = event(100 * thread + number)?;
                update_logged(&store, organisation, &mut model, event)?;
            }
        }
        Ok(())
    })?;
    for organisation in [&acme, &zebra] {
        whole_history(&store, organisation, THREADS * CHANGES)?;
    }
    // And in bursts, in which every second change is refused.
    for round in 1..3 {
        let mut writes = Vec::new();
        for number in 0..20 {
            let limit = if number % 2 == 0 { None } else { Some(0) };
            let change = create(&model(number)?, limit);
            writes.push(logged(&acme, change, event(1000 * round + number)?));
        }
        store.burst_whole(&writes)?;
        store = store.reopen(&*place)?;
        whole_history(&store, &acme, THREADS * CHANGES + 10 * round)?;
    }
    whole_history(&store, &zebra, THREADS * CHANGES)?;
    Ok(())
}

pub(crate) fn log_1_an_event_is_there_exactly_when_its_change_is(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (model, mut history) = with_history(&store, &acme, 3)?;
    let after = changed(&model, 7)?;
    let stale = Stamp { beats: 1, ..model.stamp };
    let refused = [
        logged(&acme, create(&crate::sample::model(4)?, Some(0)), event(4)?),
        logged(&acme, delete(model.id, stale), event(5)?),
        logged(&acme, update(&CustomModel { stamp: stale, ..model.clone() }, &after), event(6)?),
        logged(&zebra, update(&model, &after), event(7)?),
        logged(&zebra, delete(model.id, model.stamp), event(8)?),
    ];
    for write in &refused {
        let outcome = store.write_whole(write.clone())?;
        let is_refusal =
            matches!(outcome, Outcome::LimitReached { .. } | Outcome::Stale | Outcome::NotFound);
        ensure!(is_refusal, "{write:?} was answered by {outcome:?}");
        expect_history(&store, &acme, &history)?;
        expect_history(&store, &zebra, &[])?;
    }
    // Not every change has an event: one without moves no position.
    let quiet = CustomModel { stamp: Stamp { beats: 1, ..model.stamp }, ..model.clone() };
    store.updated(Write::new(acme.clone(), update(&model, &quiet)))?;
    expect_history(&store, &acme, &history)?;
    let deleted = NewEvent { event_type: EventType::Deleted, ..event(9)? };
    let outcome =
        store.write_whole(logged(&acme, delete(quiet.id, quiet.stamp), deleted.clone()))?;
    ensure_eq!(outcome, Outcome::Deleted, "a delete");
    history.push(deleted.at(4, quiet.id));
    expect_history(&store, &acme, &history)?;
    store.burst_whole(&refused)?;
    let store = store.reopen(&*place)?;
    expect_history(&store, &acme, &history)?;
    expect_history(&store, &zebra, &[])
}

/// While some write, others read a model between two readings of its events: every revision is an
/// event, so the revision lies between their numbers.
pub(crate) fn log_1_reads_see_a_change_with_its_event_or_neither(builder: &dyn Builder) -> Checked {
    const WRITERS: u64 = 2;
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let models = [create_logged(&store, &acme, 0)?, create_logged(&store, &acme, 1)?];
    let writers_left = AtomicU64::new(WRITERS);
    let written = |thread: u64| -> Checked {
        let [first, second] = &models;
        let mut model = if thread == 0 { first.clone() } else { second.clone() };
        for number in 2..25 {
            update_logged(&store, &acme, &mut model, event(number)?)?;
        }
        Ok(())
    };
    in_threads(WRITERS + 3, |thread| {
        if thread < WRITERS {
            let written = written(thread);
            writers_left.fetch_sub(1, Ordering::SeqCst);
            return written;
        }
        loop {
            let is_last = writers_left.load(Ordering::SeqCst) == 0;
            for model in &models {
                let before = events_of(&store, model)?;
                let found = store.get(&acme, model.id)?;
                let after = events_of(&store, model)?;
                let revision = found.map(|model| model.revision().get()).unwrap_or_default();
                ensure!(
                    (before..=after).contains(&revision),
                    "revision {revision} between {before} and {after} events"
                );
            }
            if is_last {
                return Ok(());
            }
        }
    })?;
    Ok(())
}

fn events_of(store: &Client, model: &CustomModel) -> Checked<u64> {
    let page = store.events(&organisation("acme")?, 0, u32::MAX)?;
    ensure_eq!(page.last, page.events.len() as u64, "one view of a history");
    Ok(page.events.iter().filter(|event| event.model_id == model.id).count() as u64)
}

pub(crate) fn log_1_the_order_is_that_of_the_answers(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (_, history) = with_history(&store, &acme, 25)?;
    expect_history(&store, &acme, &history)?;
    let heard = AtomicU64::new(history.len() as u64);
    in_threads(THREADS, |thread| {
        let mut model = store.create(&acme, &model(thread)?)?;
        for number in 0..CHANGES {
            let new = event(1000 * (1 + thread) + number)?;
            let before = heard.load(Ordering::SeqCst);
            update_logged(&store, &acme, &mut model, new.clone())?;
            let found = store.events(&acme, before, u32::MAX)?;
            let own = found.events.iter().find(|event| event.actor == new.actor);
            let Some(own) = own else {
                let actor = new.actor;
                return Err(Stop::failed(format!("{actor} is not behind {before}: {found:?}")));
            };
            heard.fetch_max(own.position, Ordering::SeqCst);
        }
        Ok(())
    })?;
    whole_history(&store, &acme, 25 + THREADS * CHANGES)?;
    Ok(())
}

pub(crate) fn log_1_pages_show_every_event_once(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (_, history) = with_history(&store, &acme, 23)?;
    with_history(&store, &zebra, 7)?;
    let check = |store: &Client| -> Checked {
        for limit in [1, 5, 23, 24, u32::MAX] {
            let (mut seen, mut after) = (Vec::new(), 0);
            while seen.len() < history.len() {
                let EventPage { events, last, first } = store.events(&acme, after, limit)?;
                ensure_eq!((first, last), (1, 23), "the ends beside a page");
                ensure!(!events.is_empty(), "an empty page behind {after}");
                ensure!(events.len() as u64 <= limit.into(), "more than {limit} in a page");
                after += events.len() as u64;
                seen.extend(events);
            }
            ensure_eq!(seen, history, "the pages of {limit}");
        }
        for (after, limit) in [(23, 9), (24, 9), (u64::MAX, u32::MAX), (1 << 63, 9), (0, 0)] {
            let page = store.events(&acme, after, limit)?;
            let empty = EventPage { events: Vec::new(), last: 23, first: 1 };
            ensure_eq!(page, empty, "{limit} behind {after}");
        }
        Ok(())
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn log_1_a_history_without_events_has_its_ends(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, never) = (organisation("acme")?, organisation("never")?);
    let check = |store: &Client| -> Checked {
        for organisation in [&acme, &never] {
            expect_history(store, organisation, &[])?;
            let nothing = EventPage { events: Vec::new(), last: 0, first: 1 };
            ensure_eq!(store.events(organisation, 7, 7)?, nothing, "behind nothing");
        }
        Ok(())
    };
    check(&store)?;
    let created = store.create(&acme, &model(1)?)?;
    store.delete(&acme, &created)?;
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn log_1_organisations_have_histories_of_their_own(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let names = ["acme", "ACME", "acm", "acme-2", "acme_2", "0", "00"];
    let mut histories = Vec::new();
    for (count, name) in (1..).zip(names) {
        let organisation = organisation(name)?;
        let (_, history) = with_history(&store, &organisation, count)?;
        histories.push((organisation, history));
    }
    let check = |store: &Client| -> Checked {
        let mut all = histories.iter();
        all.try_for_each(|(organisation, history)| expect_history(store, organisation, history))
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn log_1_every_kind_of_event_comes_back(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = create_logged(&store, &acme, 1)?;
    let data_id = DataId::new(u32::MAX).map_err(unfit)?;
    let errors = ["", "\0 'é' \"語\"\n", &"語".repeat(1000)].map(str::to_owned);
    let kinds = [
        EventType::Created,
        EventType::Updated,
        EventType::Deleted,
        EventType::DataAdded { data_id },
        EventType::DataRemoved { data_id },
        EventType::TrainingStarted,
        EventType::TrainingProgressed { training_progress: Progress::NONE },
        EventType::TrainingProgressed { training_progress: Progress::ALL },
        EventType::TrainingSucceeded,
        EventType::TrainingCancelled,
    ];
    let failures = errors.map(|error| EventType::TrainingFailed { error });
    let actors = ["!", "host", "k'\"\\,{}", &"~".repeat(128)].map(actor);
    let moments = [Timestamp::MIN, moment(-1)?, moment(0)?, Timestamp::MAX];
    let mut history = store.events(&acme, 0, 1)?.events;
    let mut number = 0_usize;
    for event_type in kinds.into_iter().chain(failures) {
        let Some(Ok(actor)) = actors.get(number % actors.len()) else { break };
        let created_at = moments.get(number % moments.len()).copied().unwrap_or(Timestamp::MIN);
        let event = NewEvent { created_at, actor: actor.clone(), event_type };
        update_logged(&store, &acme, &mut model, event.clone())?;
        history.push(event.at(history.len() as u64 + 1, model.id));
        number += 1;
    }
    ensure_eq!(number, 13, "kinds of events");
    expect_history(&store, &acme, &history)?;
    expect_history(&store.reopen(&*place)?, &acme, &history)
}

pub(crate) fn log_1_events_survive_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (mut model, mut history) = with_history(&store, &acme, 2)?;
    for number in 3..12 {
        store = store.reopen(&*place)?;
        expect_history(&store, &acme, &history)?;
        update_logged(&store, &acme, &mut model, event(number)?)?;
        history.push(event(number)?.at(number, model.id));
    }
    // The events of a model are there when it is gone.
    store.delete(&acme, &model)?;
    store.create_all(&acme, &models(2)?)?;
    expect_history(&store.reopen(&*place)?, &acme, &history)
}

pub(crate) fn log_1_an_event_survives_a_kill_when_its_change_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (mut model, mut history) = with_history(&store, &acme, 2)?;
    for number in 3..8 {
        update_logged(&store, &acme, &mut model, event(number)?)?;
        history.push(event(number)?.at(number, model.id));
        let (_place, after_kill) = killed(&*place)?;
        expect_history(&after_kill, &acme, &history)?;
        after_kill.expect(&acme, std::slice::from_ref(&model))?;
    }
    Ok(())
}
