//! Admissions to rate-limit windows.

use std::sync::mpsc::channel;
use std::time::Duration;

use custom_models_core::access::{KeyId, Operation, RateLimit, RateLimitStatus, Window, WindowKey};
use custom_models_core::store::{AccessChange, AccessOutcome, ArchiveChange, Outcome, WindowState};
use custom_models_core::time::UnixMillis;

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, create, fresh};
use crate::sample::{key, model, organisation, registration};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

const KEY: KeyId = KeyId::from_bytes([0, 1, 2, 0, 255, 254]);

const START: i64 = 1_700_000_000_000;

/// Returns a limit of two requests in ten seconds.
fn limit() -> Checked<RateLimit> {
    limit_of(2)
}

pub(crate) fn limit_of(requests: u32) -> Checked<RateLimit> {
    let limit = RateLimit::new(requests, Duration::from_secs(10));
    limit.map_err(|error| Stop::failed(error.to_string()))
}

fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(START + millis)
}

fn window() -> Window {
    Window { key: KEY.into(), operation: Operation::Create }
}

fn admission(limit: RateLimit, millis: i64) -> AccessChange {
    AccessChange::Admit { window: window(), limit, now: at(millis) }
}

#[track_caller]
fn admitted(store: &Client, change: AccessChange, remaining: u32, oldest: i64) -> Checked {
    let AccessChange::Admit { limit, .. } = change else {
        return Err(Stop::failed("not an admission"));
    };
    let rate_limit = RateLimitStatus {
        limit: limit.requests(),
        remaining,
        reset_at: at(oldest).later(limit.window()),
    };
    let shown = format!("{change:?}");
    ensure_eq!(store.access(change)?, AccessOutcome::Admitted(rate_limit), "{shown}");
    Ok(())
}

#[track_caller]
fn refused(store: &Client, change: AccessChange, oldest: i64, retry_after: u64) -> Checked {
    let AccessChange::Admit { limit, .. } = change else {
        return Err(Stop::failed("not an admission"));
    };
    let rate_limit = RateLimitStatus {
        limit: limit.requests(),
        remaining: 0,
        reset_at: at(oldest).later(limit.window()),
    };
    let shown = format!("{change:?}");
    let refusal = AccessOutcome::Refused { rate_limit, retry_after };
    ensure_eq!(store.access(change)?, refusal, "{shown}");
    Ok(())
}

/// Checks the state of a window: the remaining requests, the time of its oldest admission, and the seconds
/// until a request is admitted.
#[track_caller]
fn shows(
    store: &Client,
    (limit, now): (RateLimit, i64),
    remaining: u32,
    oldest: i64,
    retry_after: Option<u64>,
) -> Checked {
    let reset_at = at(oldest).later(limit.window());
    let rate_limit = RateLimitStatus { limit: limit.requests(), remaining, reset_at };
    let right = WindowState { rate_limit, retry_after };
    ensure_eq!(store.window(&window(), limit, at(now))?, right, "the window at {now}");
    Ok(())
}

/// Returns the number of admissions in a window of the longest length.
pub(crate) fn used(store: &Client, window: &Window) -> Checked<u32> {
    let longest = RateLimit::new(RateLimit::MAX_REQUESTS, RateLimit::MAX_WINDOW);
    let longest = longest.map_err(|error| Stop::failed(error.to_string()))?;
    let rate_limit = store.window(window, longest, at(20_000))?.rate_limit;
    Ok(rate_limit.limit - rate_limit.remaining)
}

pub(crate) fn rate_1_the_window_is_exact_to_the_millisecond(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    ensure!(store.keeps_windows(), "a store has windows, and says so");
    let limit = limit()?;
    admitted(&store, admission(limit, 0), 1, 0)?;
    admitted(&store, admission(limit, 4_000), 0, 0)?;
    refused(&store, admission(limit, 4_000), 0, 6)?;
    refused(&store, admission(limit, 9_999), 0, 1)?;
    admitted(&store, admission(limit, 10_000), 0, 4_000)?;
    refused(&store, admission(limit, 13_999), 4_000, 1)?;
    admitted(&store, admission(limit, 14_000), 0, 10_000)?;
    shows(&store, (limit, 14_000), 0, 10_000, Some(6))?;
    shows(&store, (limit, 19_999), 0, 10_000, Some(1))?;
    shows(&store, (limit, 20_000), 1, 14_000, None)?;
    // A clock that is set back makes no room.
    refused(&store, admission(limit, 1), 10_000, 20)
}

pub(crate) fn rate_1_admissions_of_one_millisecond_all_count(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let limit = limit_of(5)?;
    for remaining in (0..5).rev() {
        admitted(&store, admission(limit, 0), remaining, 0)?;
        if remaining == 2 {
            store = store.reopen(&*place)?;
        }
    }
    refused(&store, admission(limit, 0), 0, 10)?;
    ensure_eq!(used(&store, &window())?, 5, "admissions of one millisecond");
    admitted(&store, admission(limit, 10_000), 4, 10_000)
}

pub(crate) fn rate_1_keys_and_operations_have_windows_of_their_own(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let limit = limit_of(1)?;
    let keys = [KEY, KeyId::from_bytes([0, 1, 2, 0, 255, 255]), KeyId::from_bytes([0; 6])];
    for key in keys {
        for operation in Operation::ALL {
            let window = Window { key: key.into(), operation };
            let change = AccessChange::Admit { window, limit, now: at(0) };
            admitted(&store, change.clone(), 0, 0)?;
            refused(&store, change, 0, 10)?;
            ensure_eq!(used(&store, &window)?, 1, "{key} {operation}");
        }
    }
    Ok(())
}

/// Keys are opaque: whatever their bytes and length, no two are equal.
pub(crate) fn rate_1_the_key_of_a_window_is_1_to_64_bytes(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let limit = limit_of(1)?;
    let keys: [&[u8]; 7] = [b"a", b"ab", b"a\0", b"\0", &[0; 64], &[255; 64], &[255; 63]];
    for bytes in keys {
        let key = WindowKey::new(bytes).map_err(|error| Stop::failed(error.to_string()))?;
        let window = Window { key, operation: Operation::Create };
        let change = AccessChange::Admit { window, limit, now: at(0) };
        admitted(&store, change.clone(), 0, 0)?;
        refused(&store, change, 0, 10)?;
    }
    Ok(())
}

/// A store may delete admissions that have left the window a few at a time.
pub(crate) fn rate_1_those_that_have_left_the_window_do_not_count(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let limit = limit_of(30)?;
    for begin in [0, 10_000, 30_000] {
        for remaining in (0..30).rev() {
            admitted(&store, admission(limit, begin), remaining, begin)?;
        }
        refused(&store, admission(limit, begin + 1), begin, 10)?;
        store = store.reopen(&*place)?;
        shows(&store, (limit, begin), 0, begin, Some(10))?;
    }
    Ok(())
}

pub(crate) fn rate_5_under_a_lowered_limit_enough_have_to_leave(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (limit, lowered) = (limit_of(5)?, limit()?);
    for (number, millis) in (1..).zip([0, 1_000, 2_000, 3_000]) {
        admitted(&store, admission(limit, millis), 5 - number, 0)?;
    }
    refused(&store, admission(lowered, 4_000), 0, 8)?;
    shows(&store, (lowered, 4_000), 0, 0, Some(8))?;
    refused(&store, admission(lowered, 11_999), 2_000, 1)?;
    admitted(&store, admission(lowered, 12_000), 0, 3_000)
}

#[track_caller]
fn swept(store: &Client, now: i64, limit: u32, count: u64) -> Checked {
    let longest = Duration::from_secs(10);
    let change = AccessChange::SweepWindows { longest, now: at(now), limit };
    ensure_eq!(store.access(change)?, AccessOutcome::Swept(count), "a sweep at {now}");
    Ok(())
}

/// A sweep deletes at most `limit` admissions, of idle keys too, and none that a window still counts.
pub(crate) fn rate_1_a_sweep_deletes_what_no_window_counts(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let limit = limit_of(100)?;
    for key in [[1; 6], [2; 6], [3; 6]] {
        let window = Window { key: KeyId::from_bytes(key).into(), operation: Operation::Get };
        for millis in [0, 0, 1, 2, 9_000] {
            let change = AccessChange::Admit { window, limit, now: at(millis) };
            ensure!(matches!(store.access(change)?, AccessOutcome::Admitted(_)), "not admitted");
        }
    }
    swept(&store, 9_999, 100, 0)?;
    for count in [5, 1, 0] {
        swept(&store, 10_000, 5, count)?;
    }
    let store = store.reopen(&*place)?;
    for key in [[1; 6], [2; 6], [3; 6]] {
        let window = Window { key: KeyId::from_bytes(key).into(), operation: Operation::Get };
        ensure_eq!(used(&store, &window)?, 3, "what is kept of {key:?}");
    }
    swept(&store, 20_000, 100, 9)?;
    swept(&store, 20_000, 100, 0)?;
    admitted(&store, admission(limit, 20_000), 99, 20_000)
}

pub(crate) fn rate_1_the_admissions_of_an_erased_key_go_with_it(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit()?);
    let keys = [key(1, "acme")?, key(2, "zebra")?];
    let window = |number: usize| {
        keys.get(number)
            .map_or(window(), |key| Window { key: key.id.into(), operation: Operation::Create })
    };
    for (key, number) in keys.iter().zip(0..) {
        store.done(AccessChange::Register(registration(key.organisation.as_str(), "Gold")?))?;
        store.done(AccessChange::AddKey(key.clone()))?;
        let change = AccessChange::Admit { window: window(number), limit, now: at(0) };
        ensure!(matches!(store.access(change)?, AccessOutcome::Admitted(_)), "not admitted");
    }
    let erase = || ArchiveChange::Erase { organisation: acme.clone(), limit: 1 };
    while store.archive(erase())? > 0 {}
    ensure_eq!(used(&store, &window(0))?, 0, "admissions of an erased key");
    ensure_eq!(used(&store, &window(1))?, 1, "admissions of another organisation's key");
    Ok(())
}

/// A key is locked out for at most its window and the time between two sweeps.
pub(crate) fn rate_1_a_sweep_takes_what_lies_in_the_future_to_be_of_now(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let limit = limit()?;
    admitted(&store, admission(limit, 900_000), 1, 900_000)?;
    admitted(&store, admission(limit, 900_000), 0, 900_000)?;
    refused(&store, admission(limit, 1_000), 900_000, 909)?;
    // Also those of windows that it does not come to.
    for _ in 0..2 {
        let window = Window { key: KeyId::from_bytes([0; 6]).into(), operation: Operation::Get };
        store.access(AccessChange::Admit { window, limit, now: at(-10_000) })?;
    }
    swept(&store, 1_000, 1, 1)?;
    let store = store.reopen(&*place)?;
    shows(&store, (limit, 1_000), 0, 1_000, Some(10))?;
    refused(&store, admission(limit, 10_999), 1_000, 1)?;
    admitted(&store, admission(limit, 11_000), 1, 11_000)
}

pub(crate) fn rate_1_threads_are_admitted_exactly_as_often_as_the_limit_says(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    for round in 0..3 {
        let limit = limit_of(10)?;
        let key = KeyId::from_bytes([round; 6]);
        let window = Window { key: key.into(), operation: Operation::Create };
        let change = AccessChange::Admit { window, limit, now: at(0) };
        let admitted = in_threads(8, |_| {
            let mut admitted = 0;
            for _ in 0..4 {
                if matches!(store.access(change.clone())?, AccessOutcome::Admitted(_)) {
                    admitted += 1;
                }
            }
            Ok(admitted)
        })?;
        ensure_eq!(admitted.iter().sum::<u32>(), 10, "admitted in all");
        ensure_eq!(used(&store, &window)?, 10, "kept");
    }
    Ok(())
}

pub(crate) fn rate_3_refusals_leave_no_trace(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let limit = limit()?;
    admitted(&store, admission(limit, 0), 1, 0)?;
    admitted(&store, admission(limit, 1), 0, 0)?;
    for millis in 2..9 {
        refused(&store, admission(limit, millis), 0, 10)?;
    }
    ensure_eq!(used(&store, &window())?, 2, "after refusals");
    admitted(&store, admission(limit, 10_000), 0, 1)?;
    admitted(&store, admission(limit, 10_001), 0, 10_000)
}

pub(crate) fn rate_3_an_admission_in_a_burst_counts_beside_refused_creates(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let limit = limit_of(10)?;
    let (sender, heard) = channel();
    let mut creates = Vec::new();
    for number in 0..6 {
        creates.push(store.submit(&acme, create(&model(number)?, Some(1))));
        let sender = sender.clone();
        // Nobody receives it after a case has failed.
        let done = move |answer| drop(sender.send(answer));
        store.submit_access(admission(limit, 0), Box::new(done));
    }
    drop(sender);
    let mut created = 0;
    for answer in creates {
        created += u32::from(matches!(answer.wait()??, Outcome::Created(_)));
    }
    ensure_eq!(created, 1, "creates within a limit of one");
    let mut admitted = 0;
    for answer in heard {
        ensure!(matches!(answer?, AccessOutcome::Admitted(_)), "not admitted");
        admitted += 1;
    }
    ensure_eq!(admitted, 6, "admissions that were answered");
    let store = store.reopen(&*place)?;
    ensure_eq!(used(&store, &window())?, 6, "admissions");
    Ok(())
}

pub(crate) fn rate_4_the_window_survives_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let limit = limit()?;
    admitted(&store, admission(limit, 0), 1, 0)?;
    store = store.reopen(&*place)?;
    admitted(&store, admission(limit, 1_000), 0, 0)?;
    store = store.reopen(&*place)?;
    refused(&store, admission(limit, 2_000), 0, 8)?;
    store = store.reopen(&*place)?;
    admitted(&store, admission(limit, 10_000), 0, 1_000)
}

pub(crate) fn rate_4_an_admission_survives_a_kill_when_it_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let limit = limit_of(4)?;
    for number in 0..4 {
        admitted(&store, admission(limit, number.into()), 3 - number, 0)?;
        let (_place, after_kill) = killed(&*place)?;
        ensure_eq!(used(&after_kill, &window())?, number + 1, "admissions after a kill");
        let next = after_kill.access(admission(limit, 5_000))?;
        let has_room = matches!(next, AccessOutcome::Admitted(_));
        ensure!(has_room == (number < 3), "after {number} admissions and a kill: {next:?}");
    }
    Ok(())
}
