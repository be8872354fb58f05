//! Writes of rate-limited requests: an admission and its change in one write.

use custom_models_core::access::{KeyId, Operation, RateLimit, RateLimitStatus, Window};
use custom_models_core::model::{Edit, EditRefusal};
use custom_models_core::store::{
    AccessChange, AdmissionRequest, Change, NewIdempotencyRecord, Outcome, Write,
};
use custom_models_core::{CustomModel, Organisation};

use crate::Builder;
use crate::cases::admissions::{limit_of, used};
use crate::cases::durability::killed;
use crate::client::{Client, create, delete_at, fresh, write};
use crate::life::{at, create_answer, edit, like, upload_answer};
use crate::sample::{id, key, model, organisation, registration, revision};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

fn window() -> Window {
    Window { key: KeyId::from_bytes([9; 6]).into(), operation: Operation::Create }
}

/// Returns a write whose request has to be admitted.
fn limited(of: &Organisation, millis: i64, limit: RateLimit, change: Change) -> Write {
    let admission = Some(AdmissionRequest { window: window(), limit });
    Write { at: at(millis), admission, ..write(of, change) }
}

/// Makes a write whose request is admitted, and returns the outcome of its change.
#[track_caller]
fn admitted(store: &Client, write: Write, remaining: u32, oldest: i64) -> Checked<Outcome> {
    let limit = limit_in(&write)?;
    let reset_at = at(oldest).later(limit.window());
    let right = RateLimitStatus { limit: limit.requests(), remaining, reset_at };
    let shown = format!("{write:?}");
    match store.write_whole(write)? {
        Outcome::Admitted { rate_limit, outcome } => {
            ensure_eq!(rate_limit, right, "{shown}");
            Ok(*outcome)
        }
        other => Err(Stop::failed(format!("{shown} was answered by {other:?}"))),
    }
}

/// Makes a write whose window is full, and checks that outcome.
#[track_caller]
fn full(store: &Client, write: Write, oldest: i64, retry_after: u64) -> Checked {
    let limit = limit_in(&write)?;
    let reset_at = at(oldest).later(limit.window());
    let rate_limit = RateLimitStatus { limit: limit.requests(), remaining: 0, reset_at };
    let shown = format!("{write:?}");
    let right = Outcome::WindowFull { rate_limit, retry_after };
    ensure_eq!(store.write_whole(write)?, right, "{shown}");
    Ok(())
}

fn limit_in(write: &Write) -> Checked<RateLimit> {
    let admission = write.admission.ok_or_else(|| Stop::failed("a write without an admission"))?;
    Ok(admission.limit)
}

#[track_caller]
fn created(outcome: Outcome) -> Checked<CustomModel> {
    match outcome {
        Outcome::Created(model) => Ok(model),
        other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
    }
}

pub(crate) fn rate_3_an_admission_and_its_change_are_one_write(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit_of(3)?);
    let first = limited(&acme, 0, limit, create(&model(1)?, None));
    let first = created(admitted(&store, first, 2, 0)?)?;
    let second = limited(&acme, 1_000, limit, create(&model(2)?, Some(2)));
    let second = created(admitted(&store, second, 1, 0)?)?;
    let delete = limited(&acme, 2_000, limit, delete_at(first.id, first.revision()));
    ensure_eq!(admitted(&store, delete, 0, 0)?, Outcome::Deleted, "a delete");
    full(&store, limited(&acme, 9_000, limit, create(&model(3)?, None)), 0, 1)?;
    full(&store, limited(&acme, 9_001, limit, delete_at(second.id, second.revision())), 0, 1)?;
    store.expect(&acme, std::slice::from_ref(&second))?;
    let store = store.reopen(&*place)?;
    store.expect(&acme, std::slice::from_ref(&second))?;
    ensure_eq!(used(&store, &window())?, 3, "admissions");
    let third = limited(&acme, 10_000, limit, create(&model(3)?, None));
    let third = created(admitted(&store, third, 0, 1_000)?)?;
    store.expect(&acme, &[second, third])
}

pub(crate) fn rate_3_a_refused_change_keeps_its_admission(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra, limit) = (organisation("acme")?, organisation("zebra")?, limit_of(5)?);
    let kept = store.create(&acme, &model(1)?)?;
    let stale = EditRefusal::PreconditionFailed;
    let refused = [
        (&acme, edit(id(kept.id.get() + 1)?, Edit::Delete), Outcome::NotFound),
        (&zebra, edit(kept.id, Edit::Delete), Outcome::NotFound),
        (&acme, delete_at(kept.id, revision(9)?), Outcome::Refused(stale)),
        (&acme, create(&model(2)?, Some(1)), Outcome::LimitReached { current: 1 }),
    ];
    for (remaining, (of, change, outcome)) in (1..5).rev().zip(refused) {
        let write = limited(of, 0, limit, change);
        ensure_eq!(admitted(&store, write, remaining, 0)?, outcome, "a refusal");
    }
    store.expect(&acme, std::slice::from_ref(&kept))?;
    let store = store.reopen(&*place)?;
    ensure_eq!(used(&store, &window())?, 4, "admissions of refused changes");
    ensure_eq!(store.events(&acme, 0, 10)?.last, 1, "events of refused changes");
    store.expect(&acme, &[kept])
}

/// The idempotency record is judged first, then the window, then everything else.
pub(crate) fn rate_3_the_window_is_judged_between_a_repeat_and_the_model(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit_of(1)?);
    let keyed = |answer: NewIdempotencyRecord, change| -> Write {
        Write { idempotency: Some(answer), ..limited(&acme, 0, limit, change) }
    };
    let first = keyed(create_answer("key")?, create(&model(1)?, Some(1)));
    let kept = created(admitted(&store, first.clone(), 0, 0)?)?;
    let repeat = store.write_whole(first)?;
    ensure!(matches!(repeat, Outcome::Repeated(_)), "a repeat was answered by {repeat:?}");
    ensure_eq!(used(&store, &window())?, 1, "admissions after a repeat");
    let nothing = id(kept.id.get() + 1)?;
    let refused = [
        keyed(upload_answer(kept.id, "key")?, edit(kept.id, like(7)?)),
        keyed(upload_answer(kept.id, "key")?, delete_at(kept.id, revision(9)?)),
        keyed(upload_answer(nothing, "key")?, edit(nothing, like(7)?)),
        keyed(create_answer("another")?, create(&model(2)?, Some(1))),
    ];
    for write in refused {
        let key = write.idempotency.as_ref().map(|answer| answer.key.clone());
        full(&store, write, 0, 10)?;
        let key = key.ok_or_else(|| Stop::failed("a write without a key"))?;
        ensure_eq!(store.idempotency_record(&acme, &key)?, None, "an answer of a full window");
    }
    ensure_eq!(used(&store, &window())?, 1, "admissions after a full window");
    ensure_eq!(store.events(&acme, 0, 10)?.last, 1, "events after a full window");
    store.expect(&acme, &[kept])
}

pub(crate) fn rate_5_a_key_comes_with_the_window_that_is_its_own(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit_of(3)?);
    store.done(AccessChange::Register(registration("acme", "Gold")?))?;
    let (first, second) = (key(1, "acme")?, key(2, "acme")?);
    for key in [&first, &second] {
        store.done(AccessChange::AddKey(key.clone()))?;
    }
    let uses = [
        (&first, Operation::Create, 2),
        (&first, Operation::Update, 1),
        (&second, Operation::Create, 1),
    ];
    for (key, operation, count) in uses {
        let window = Window { key: key.id.into(), operation };
        for _ in 0..count {
            let admission = Some(AdmissionRequest { window, limit });
            let write = write(&acme, create(&model(1)?, Some(0)));
            let outcome = store.write_whole(Write { admission, ..write })?;
            ensure!(matches!(outcome, Outcome::Admitted { .. }), "answered by {outcome:?}");
        }
    }
    for key in [&first, &second] {
        for operation in Operation::ALL {
            let window = Window { key: key.id.into(), operation };
            let right = store.key(&key.digest)?.map(|grant| -> Checked<_> {
                Ok((grant, store.window(&window, limit, at(1_000))?))
            });
            let found = store.key_with_window(&key.digest, operation, limit, at(1_000))?;
            ensure_eq!(found, right.transpose()?, "{} with its window of {operation}", key.id);
        }
    }
    let nobody = key(3, "acme")?;
    let found = store.key_with_window(&nobody.digest, Operation::Create, limit, at(0))?;
    ensure_eq!(found, None, "a key that is not there");
    Ok(())
}

pub(crate) fn rate_3_limited_creates_of_many_threads_are_as_many_as_the_window_takes(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit_of(10)?);
    let created = in_threads(8, |thread| {
        let mut created = 0;
        for number in 0..4 {
            let model = model(thread * 10 + number)?;
            // Together with a write without a window, which may be in the same group.
            let free = store.submit(&organisation("zebra")?, create(&model, None));
            match store.write_whole(limited(&acme, 0, limit, create(&model, Some(7))))? {
                Outcome::Admitted { outcome, .. } => match *outcome {
                    Outcome::Created(_) => created += 1,
                    Outcome::LimitReached { current: 7 } => {}
                    other => return Err(Stop::failed(format!("answered by {other:?}"))),
                },
                Outcome::WindowFull { .. } => {}
                other => return Err(Stop::failed(format!("answered by {other:?}"))),
            }
            free.wait()??;
        }
        Ok(created)
    })?;
    ensure_eq!(created.iter().sum::<u32>(), 7, "creates within the limit of the plan");
    let store = store.reopen(&*place)?;
    ensure_eq!(used(&store, &window())?, 10, "admissions");
    ensure_eq!(store.events(&acme, 0, 100)?.last, 7, "events");
    Ok(())
}

pub(crate) fn rate_3_an_admission_survives_a_kill_with_its_change_when_it_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, limit) = (organisation("acme")?, limit_of(6)?);
    let mut models = Vec::new();
    for number in 0..3 {
        let write = limited(&acme, 0, limit, create(&model(number.into())?, None));
        models.push(created(admitted(&store, write, 5 - 2 * number, 0)?)?);
        let (_place, after_kill) = killed(&*place)?;
        after_kill.expect(&acme, &models)?;
        ensure_eq!(used(&after_kill, &window())?, 2 * number + 1, "admissions after a kill");
        // A refused change leaves an equally durable admission.
        let refused = limited(&acme, 0, limit, create(&model(9)?, Some(0)));
        let refused = admitted(&store, refused, 4 - 2 * number, 0)?;
        ensure!(matches!(refused, Outcome::LimitReached { .. }), "answered by {refused:?}");
        let (_place, after_kill) = killed(&*place)?;
        ensure_eq!(used(&after_kill, &window())?, 2 * number + 2, "after a refusal and a kill");
    }
    Ok(())
}
