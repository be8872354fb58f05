//! The history of an organisation: one event per change, at positions without gaps.

use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::model::{DataType, Edit, Event, EventPage, EventType, NewEvent, Progress};
use custom_models_core::store::Outcome;
use custom_models_core::tenant::Actor;
use custom_models_core::time::Timestamp;
use custom_models_core::{CustomModel, Organisation};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, create, delete, delete_at, fresh};
use crate::fixture::{beat, fail, five_hours, lease_time, succeed};
use crate::history::{expect_history, renamed};
use crate::life::{actor, data_id, edit, edit_at, event, like, moment_of, numbered};
use crate::sample::{id, model, moment, organisation, revision};
use crate::steps::Steps;
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Creates the model with this number, with an actor of the same number.
#[track_caller]
pub(crate) fn create_logged(
    store: &Client,
    organisation: &Organisation,
    number: u64,
) -> Checked<CustomModel> {
    match store.write_whole(numbered(organisation, number, create(&model(number)?, None))?)? {
        Outcome::Created(model) => Ok(model),
        other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
    }
}

/// Returns the event of [`create_logged`].
pub(crate) fn created(number: u64) -> Checked<NewEvent> {
    let created_at = model(number)?.created_at;
    Ok(NewEvent { created_at, event_type: EventType::Created, ..event(number)? })
}

/// Updates a model with the event of this number, whose actor identifies it in the history.
#[track_caller]
pub(crate) fn update_logged(
    store: &Client,
    organisation: &Organisation,
    model: &mut CustomModel,
    number: u64,
) -> Checked {
    *model = renamed(store, organisation, model, number)?;
    Ok(())
}

/// Creates a model with a history of this many events, numbered by position.
pub(crate) fn with_history(
    store: &Client,
    organisation: &Organisation,
    events: u64,
) -> Checked<(CustomModel, Vec<Event>)> {
    let mut model = create_logged(store, organisation, 1)?;
    let mut history = vec![created(1)?.at(1, model.id)];
    for number in 2..=events {
        update_logged(store, organisation, &mut model, number)?;
        history.push(event(number)?.at(number, model.id));
    }
    Ok((model, history))
}

/// The number of threads, each of which changes its own models.
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
                update_logged(&store, organisation, &mut model, 100 * thread + number)?;
            }
        }
        Ok(())
    })?;
    for organisation in [&acme, &zebra] {
        whole_history(&store, organisation, THREADS * CHANGES)?;
    }
    // In bursts too, with every change made or every second one refused.
    let mut events = THREADS * CHANGES;
    for (round, refused) in [(1, 10), (2, 0), (3, 10)] {
        let mut writes = Vec::new();
        for number in 0..20 {
            let limit = (number % 2 == 1 && refused > 0).then_some(0);
            let change = create(&model(number)?, limit);
            writes.push(numbered(&acme, 1000 * round + number, change)?);
        }
        events += 20 - refused;
        let outcomes = store.burst_whole(&writes)?;
        store = store.reopen(&*place)?;
        let history = whole_history(&store, &acme, events)?;
        for (write, outcome) in writes.into_iter().zip(outcomes) {
            if let Outcome::Created(model) = outcome? {
                has_created(&history, write.actor, &model)?;
            }
        }
    }
    whole_history(&store, &zebra, THREADS * CHANGES)?;
    Ok(())
}

/// Checks that the history has the creation of the model.
fn has_created(history: &[Event], actor: Actor, model: &CustomModel) -> Checked {
    let (created_at, event_type) = (model.created_at, EventType::Created);
    let own = history.iter().find(|event| event.model_id == model.id);
    let position = own.map(|own| own.position).unwrap_or_default();
    let right = NewEvent { created_at, actor, event_type }.at(position, model.id);
    ensure_eq!(own, Some(&right), "the event of {}", model.id);
    Ok(())
}

pub(crate) fn log_1_an_event_is_there_exactly_when_its_change_is(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (model, mut history) = with_history(&store, &acme, 3)?;
    let refused = [
        numbered(&acme, 4, create(&crate::sample::model(4)?, Some(0)))?,
        numbered(&acme, 5, delete_at(model.id, revision(9)?))?,
        numbered(&acme, 6, edit_at(model.id, revision(9)?, like(7)?))?,
        numbered(&acme, 7, edit(model.id, Edit::Cancel))?,
        numbered(&zebra, 8, edit(model.id, like(7)?))?,
        numbered(&zebra, 9, delete(model.id))?,
    ];
    for write in &refused {
        let outcome = store.write_whole(write.clone())?;
        let is_refusal = matches!(
            outcome,
            Outcome::LimitReached { .. } | Outcome::Refused(_) | Outcome::NotFound
        );
        ensure!(is_refusal, "{write:?} was answered by {outcome:?}");
        expect_history(&store, &acme, &history)?;
        expect_history(&store, &zebra, &[])?;
    }
    // A claim and most heartbeats have no event, so they do not advance the position.
    let mut steps = Steps::new(&store, model, history);
    steps.make(Edit::AddData(five_hours(DataType::Train)), 1)?;
    steps.make(Edit::Run, 1)?;
    steps.make(Edit::Claim { time: lease_time()? }, 0)?;
    steps.make(beat(steps.fence(), 0)?, 0)?;
    steps.make(beat(steps.fence(), 7)?, 1)?;
    steps.make(beat(steps.fence(), 7)?, 0)?;
    steps.make(Edit::Cancel, 1)?;
    let deleted = NewEvent { event_type: EventType::Deleted, ..event(9)? };
    let outcome = store.write_whole(numbered(&acme, 9, delete(steps.model.id))?)?;
    ensure_eq!(outcome, Outcome::Deleted, "a delete");
    history = steps.history;
    history.push(deleted.at(history.len() as u64 + 1, steps.model.id));
    expect_history(&store, &acme, &history)?;
    store.burst_whole(&refused)?;
    let store = store.reopen(&*place)?;
    expect_history(&store, &acme, &history)?;
    expect_history(&store, &zebra, &[])
}

/// While some threads write, others read a model between two reads of its events. Every revision has an
/// event, so the revision lies between the two counts.
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
            update_logged(&store, &acme, &mut model, number)?;
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
            let number = 1000 * (1 + thread) + number;
            let new = event(number)?;
            let before = heard.load(Ordering::SeqCst);
            update_logged(&store, &acme, &mut model, number)?;
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
    whole_history(&store, &acme, 25 + THREADS * (1 + CHANGES))?;
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
    // A refused change starts no history.
    store.try_create(&acme, &model(1)?, Some(0))?;
    store.write(&acme, delete(id(1)?))?;
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
    let (model, history) = with_history(&store, &acme, 1)?;
    let mut steps = Steps::new(&store, model, history);
    let moments = [Timestamp::MIN, moment(-1)?, moment(0)?, moment(1_700_000_000)?];
    let actors = ["!", "host", "k'\"\\,{}", &"~".repeat(128)].map(actor);
    let errors = ["", "\0 'é' \"語\"\n", &"語".repeat(1000)].map(str::to_owned);
    for ((at, actor), error) in moments.into_iter().zip(actors).zip(errors.iter().cycle()) {
        (steps.at, steps.actor) = (moment_of(at), actor?);
        steps.make(like(2)?, 1)?;
        steps.make(Edit::AddData(five_hours(DataType::Test)), 1)?;
        steps.make(Edit::AddData(five_hours(DataType::Train)), 1)?;
        let last = data_id(steps.model.training.data().last_id - 1)?;
        steps.make(Edit::RemoveData(last), 1)?;
        steps.make(Edit::Run, 1)?;
        steps.make(Edit::Cancel, 1)?;
        for is_well in [false, true] {
            steps.make(Edit::Run, 1)?;
            steps.make(Edit::Claim { time: lease_time()? }, 0)?;
            for percent in [1, 99, Progress::ALL.get()] {
                steps.make(beat(steps.fence(), percent)?, 1)?;
            }
            let ended = match is_well {
                true => succeed(steps.fence())?,
                false => fail(steps.fence(), error),
            };
            steps.make(ended, 1)?;
        }
    }
    // The last timestamp.
    steps.at = moment_of(Timestamp::MAX);
    steps.make(like(3)?, 1)?;
    let Steps { model, mut history, .. } = steps;
    store.delete(&acme, &model)?;
    history.push(deleted(history.len() as u64 + 1, &model)?);
    expect_history(&store, &acme, &history)?;
    expect_history(&store.reopen(&*place)?, &acme, &history)
}

/// Returns the event of [`Client::delete`].
fn deleted(position: u64, model: &CustomModel) -> Checked<Event> {
    let NewEvent { created_at, .. } = event(0)?;
    let event = NewEvent { created_at, actor: Actor::HOST, event_type: EventType::Deleted };
    Ok(event.at(position, model.id))
}

pub(crate) fn log_1_events_survive_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (mut model, mut history) = with_history(&store, &acme, 2)?;
    for number in 3..12 {
        store = store.reopen(&*place)?;
        expect_history(&store, &acme, &history)?;
        update_logged(&store, &acme, &mut model, number)?;
        history.push(event(number)?.at(number, model.id));
    }
    // A deleted model keeps its events.
    store.delete(&acme, &model)?;
    history.push(deleted(12, &model)?);
    let last = create_logged(&store, &acme, 13)?;
    history.push(created(13)?.at(13, last.id));
    expect_history(&store.reopen(&*place)?, &acme, &history)
}

pub(crate) fn log_1_an_event_survives_a_kill_when_its_change_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (mut model, mut history) = with_history(&store, &acme, 2)?;
    for number in 3..8 {
        update_logged(&store, &acme, &mut model, number)?;
        history.push(event(number)?.at(number, model.id));
        let (_place, after_kill) = killed(&*place)?;
        expect_history(&after_kill, &acme, &history)?;
        after_kill.expect(&acme, std::slice::from_ref(&model))?;
    }
    Ok(())
}
