//! Purges of old records: the beginning of a history, and expired idempotency records.

use custom_models_core::model::{Event, EventPage};
use custom_models_core::store::{
    IdempotencyRecord, IdempotencyScope, NewIdempotencyRecord, Outcome, Purge, Purged, Write,
};
use custom_models_core::time::{Timestamp, UnixMillis};
use custom_models_core::{ModelId, Organisation};

use crate::Builder;
use crate::cases::durability::killed;
use crate::cases::events::{created, update_logged, with_history};
use crate::client::{Client, create, fresh};
use crate::life::{at, create_answer, event, numbered, upload_answer};
use crate::sample::{id, model, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Returns a purge of the events before the event of this number, and of no idempotency records.
fn events_before(number: u64, limit: u32) -> Checked<Purge> {
    let events_before = Some(event(number)?.created_at);
    Ok(Purge { events_before, idempotency_until: UnixMillis::from_unix_millis(i64::MIN), limit })
}

fn idempotency_until(millis: i64, limit: u32) -> Purge {
    Purge { events_before: None, idempotency_until: at(millis), limit }
}

/// Creates the model with this number, with an idempotency record under a key, at a time.
#[track_caller]
fn create_once(
    store: &Client,
    of: &Organisation,
    number: u64,
    answer: NewIdempotencyRecord,
    millis: i64,
) -> Checked<ModelId> {
    let write = numbered(of, number, create(&model(number)?, None))?;
    match store.write_whole(Write { at: at(millis), idempotency: Some(answer), ..write })? {
        Outcome::Created(model) => Ok(model.id),
        other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
    }
}

/// Checks that the organisation has the last of these events, from this number on.
#[track_caller]
fn expect_from(store: &Client, of: &Organisation, all: &[Event], first: u64) -> Checked {
    let kept: Vec<_> = all.iter().filter(|event| event.position >= first).cloned().collect();
    let right = EventPage { events: kept, last: all.len() as u64, first };
    ensure_eq!(store.events(of, 0, u32::MAX)?, right, "what {of} keeps");
    let last = right.last;
    let right = EventPage { events: right.events.into_iter().take(1).collect(), last, first };
    ensure_eq!(store.events(of, first - 1, 1)?, right, "the first that {of} keeps");
    Ok(())
}

pub(crate) fn log_1_a_purge_forgets_only_the_beginning_of_a_history(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (mut model, mut of_acme) = with_history(&store, &acme, 6)?;
    let (_, of_zebra) = with_history(&store, &zebra, 3)?;
    // Clocks may be set back: later events may have earlier times.
    for (position, number) in [(7, 1), (8, 8), (9, 2)] {
        update_logged(&store, &acme, &mut model, number)?;
        of_acme.push(event(number)?.at(position, model.id));
    }
    let purges = [
        (events_before(1, u32::MAX)?, 0, 1, 1),
        (events_before(3, u32::MAX)?, 4, 3, 3),
        (events_before(3, u32::MAX)?, 0, 3, 3),
        (Purge { events_before: None, ..events_before(9, u32::MAX)? }, 0, 3, 3),
        (Purge { events_before: Some(Timestamp::MIN), ..events_before(9, 9)? }, 0, 3, 3),
        (events_before(6, u32::MAX)?, 4, 6, 4),
        (events_before(8, u32::MAX)?, 2, 8, 4),
        (events_before(9, u32::MAX)?, 2, 10, 4),
    ];
    let mut store = store;
    for (purge, events, first_of_acme, first_of_zebra) in purges {
        ensure_eq!(store.purge(purge)?, Purged { events, answers: 0 }, "{purge:?}");
        for _ in 0..2 {
            expect_from(&store, &acme, &of_acme, first_of_acme)?;
            expect_from(&store, &zebra, &of_zebra, first_of_zebra)?;
            store = store.reopen(&*place)?;
        }
    }
    store.expect(&acme, &[model])
}

pub(crate) fn log_1_a_purge_forgets_no_more_than_its_limit(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (_, mut of_acme) = with_history(&store, &acme, 2)?;
    let (_, of_zebra) = with_history(&store, &zebra, 4)?;
    for number in 3..8 {
        let id = create_once(&store, &acme, number, create_answer(&format!("key-{number}"))?, 0)?;
        of_acme.push(created(number)?.at(number, id));
    }
    let mut left = (of_acme.len() + of_zebra.len()) as u64;
    for (limit, events, answers) in
        [(0, 0, 0), (1, 1, 1), (4, 4, 4), (4, 4, 0), (4, 2, 0), (u32::MAX, 0, 0)]
    {
        let purge = Purge { idempotency_until: at(0), ..events_before(99, limit)? };
        ensure_eq!(store.purge(purge)?, Purged { events, answers }, "{limit} of each at most");
        left -= events;
        for _ in 0..2 {
            let mut kept = 0;
            for (of, all) in [(&acme, &of_acme), (&zebra, &of_zebra)] {
                let first = store.events(of, 0, 0)?.first;
                expect_from(&store, of, all, first)?;
                kept += all.len() as u64 + 1 - first;
            }
            ensure_eq!(kept, left, "events that are kept");
            store = store.reopen(&*place)?;
        }
    }
    Ok(())
}

pub(crate) fn log_1_positions_go_on_when_all_events_are_forgotten(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let (mut model, mut history) = with_history(&store, &acme, 3)?;
    let (_, of_zebra) = with_history(&store, &zebra, 1)?;
    for number in 4..8 {
        let forgotten = store.purge(events_before(99, u32::MAX)?)?.events;
        ensure_eq!(forgotten, if number == 4 { 4 } else { 1 }, "events that were kept");
        expect_from(&store, &acme, &history, number)?;
        if number % 2 == 0 {
            store = store.reopen(&*place)?;
            expect_from(&store, &acme, &history, number)?;
        }
        update_logged(&store, &acme, &mut model, number)?;
        history.push(event(number)?.at(number, model.id));
        expect_from(&store, &acme, &history, number)?;
        expect_from(&store, &zebra, &of_zebra, 2)?;
    }
    Ok(())
}

/// Returns the times of the stored records under these keys, in milliseconds since the clocks began.
fn kept_answers(store: &Client, keys: &[(Organisation, IdempotencyScope)]) -> Checked<Vec<i64>> {
    let mut kept = Vec::new();
    for (of, key) in keys {
        let found: Option<IdempotencyRecord> = store.idempotency_record(of, key)?;
        kept.extend(found.map(|answer| answer.at.unix_millis() - at(0).unix_millis()));
    }
    Ok(kept)
}

pub(crate) fn idem_1_a_purge_forgets_answers_until_a_moment(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut keys = Vec::new();
    for (number, millis) in (0..).zip([-1, 0, 1, 1000, 1001]) {
        let of = if number % 2 == 0 { &acme } else { &zebra };
        let answer = match number % 3 {
            0 => create_answer("key")?,
            _ => upload_answer(id(7)?, &format!("key-{number}"))?,
        };
        keys.push((of.clone(), answer.key.clone()));
        create_once(&store, of, number, answer, millis)?;
    }
    let times: &[i64] = &[-1, 0, 1, 1000, 1001];
    for (until, answers, forgotten) in
        [(-2, 0, 0), (0, 2, 2), (0, 0, 2), (999, 1, 3), (1000, 1, 4), (i64::MAX, 1, 5)]
    {
        let purged = store.purge(idempotency_until(until, u32::MAX))?;
        ensure_eq!(purged, Purged { events: 0, answers }, "answers until {until}");
        for _ in 0..2 {
            let left = times.get(forgotten..).unwrap_or_default();
            ensure_eq!(kept_answers(&store, &keys)?, left, "answers until {until}");
            store = store.reopen(&*place)?;
        }
    }
    // After its record is purged, a repeat is a new request.
    create_once(&store, &acme, 9, create_answer("key")?, 0).map(drop)
}

pub(crate) fn log_1_a_purge_survives_a_kill_when_it_is_heard(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (_, mut history) = with_history(&store, &acme, 6)?;
    let key = create_answer("key")?;
    let id = create_once(&store, &acme, 9, key.clone(), 0)?;
    history.push(created(9)?.at(7, id));
    for number in [2, 4, 7] {
        let purge =
            Purge { idempotency_until: at(number - 4), ..events_before(number.unsigned_abs(), 9)? };
        store.purge(purge)?;
        let (_place, after_kill) = killed(&*place)?;
        expect_from(&after_kill, &acme, &history, number.unsigned_abs())?;
        let is_kept = after_kill.idempotency_record(&acme, &key.key)?.is_some();
        ensure!(is_kept == (number < 4), "the answer, after purge {number} and a kill");
    }
    Ok(())
}
