//! Idempotency records: a repeated request is executed once, and gets the first response.

use custom_models_core::access::Operation;
use custom_models_core::model::{DataFile, Edit, NewPair, Uploaded};
use custom_models_core::store::{Change, IdempotencyRecord, Outcome, Write};
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{ALL, Client, create, delete, delete_at, fresh, write};
use crate::history::Everything;
use crate::life::{
    answer_key, at, create_answer, digest, edit, edit_at, file, kept_for, like, new_pair, numbered,
    upload_answer,
};
use crate::sample::{id, model, organisation, revision, unfit};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Returns a create of the model with this number, with an idempotency record under a key.
fn keyed_create(of: &Organisation, number: u64, key: &str, millis: i64) -> Checked<Write> {
    let write = numbered(of, number, create(&model(number)?, None))?;
    Ok(Write { at: at(millis), idempotency: Some(create_answer(key)?), ..write })
}

/// Returns the record of a write whose model is now like this.
fn kept(write: &Write, model: &CustomModel) -> Checked<IdempotencyRecord> {
    let Some(answer) = &write.idempotency else { return Err(Stop::failed("no answer to keep")) };
    let whole = || serde_json::to_string(model);
    let (status, body) = match &write.change {
        Change::Create { .. } => (201, whole()),
        Change::Edit { edit, .. } => match &**edit {
            Edit::AddData(pair) => (200, serde_json::to_string(&Uploaded::new(pair, model))),
            _ => (200, whole()),
        },
    };
    let (body, revision) = (body.map_err(unfit)?, model.revision());
    Ok(IdempotencyRecord { request: answer.request, at: write.at, status, revision, body })
}

/// Makes a write, and returns its model and the record that a repeat must get.
#[track_caller]
fn first(store: &Client, write: &Write) -> Checked<(CustomModel, IdempotencyRecord)> {
    let model = match store.write_whole(write.clone())? {
        Outcome::Created(model) => model,
        Outcome::Changed { model, .. } => *model,
        other => return Err(Stop::failed(format!("{:?} heard {other:?}", write.change))),
    };
    let kept = kept(write, &model)?;
    let key = write.idempotency.as_ref().map(|answer| &answer.key);
    let found =
        key.map(|key| store.idempotency_record(&write.organisation, key)).transpose()?.flatten();
    ensure_eq!(found.as_ref(), Some(&kept), "what is kept");
    Ok((model, kept))
}

/// Checks that a repeat gets the record and leaves no trace.
#[track_caller]
fn repeated(store: &Client, write: &Write, kept: &IdempotencyRecord) -> Checked {
    let keys: Vec<_> = write.idempotency.iter().map(|answer| answer.key.clone()).collect();
    let before = Everything::of(store, &write.organisation, &keys)?;
    let outcome = store.write_whole(write.clone())?;
    ensure_eq!(outcome, Outcome::Repeated(kept.clone()), "a repeat");
    ensure_eq!(Everything::of(store, &write.organisation, &keys)?, before, "after a repeat");
    Ok(())
}

/// Returns an upload to a model at its revision, with an idempotency record under a key.
fn keyed_upload(of: &Organisation, now: &CustomModel, key: &str, millis: i64) -> Checked<Write> {
    let transcript = DataFile { filename: "\u{e9} \"語\" 'of'.txt".to_owned(), ..file("t", 9) };
    let new = NewPair { transcript, ..new_pair(1)? };
    let change = edit_at(now.id, now.revision(), Edit::AddData(new));
    let answer = Some(upload_answer(now.id, key)?);
    Ok(Write { at: at(millis), idempotency: answer, ..numbered(of, 50, change)? })
}

/// Returns an update of a model, with an idempotency record under a key.
fn keyed_update(of: &Organisation, now: &CustomModel, key: &str) -> Checked<Write> {
    let mut answer = upload_answer(now.id, key)?;
    answer.key.operation = Operation::Update;
    Ok(Write { idempotency: Some(answer), ..numbered(of, 60, edit(now.id, like(60)?))? })
}

pub(crate) fn idem_1_a_repeat_hears_the_first_answer_byte_for_byte(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let longest = "~".repeat(255);
    let mut all = Vec::new();
    for (number, key) in (0..).zip(["!", "key", "KEY", "k'\"\\,{}", &longest]) {
        let write = keyed_create(&acme, number, key, 0)?;
        let (created, kept) = first(&store, &write)?;
        repeated(&store, &write, &kept)?;
        let upload = keyed_upload(&acme, &created, key, 1)?;
        let (uploaded, kept_upload) = first(&store, &upload)?;
        let update = keyed_update(&acme, &uploaded, key)?;
        let (_, kept_update) = first(&store, &update)?;
        all.push((write, kept));
        all.push((upload, kept_upload));
        all.push((update, kept_update));
    }
    for _ in 0..2 {
        // The models and the repeated requests have changed since; the records have not.
        for (write, kept) in &all {
            repeated(&store, write, kept)?;
            let mut other = write.clone();
            other.change = create(&model(77)?, Some(0));
            other.at = at(kept_for() - 1);
            if let Some(answer) = &mut other.idempotency {
                answer.request = digest("another body");
            }
            repeated(&store, &other, kept)?;
        }
        store = store.reopen(&*place)?;
    }
    Ok(())
}

pub(crate) fn idem_1_an_answer_survives_a_kill_when_its_change_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    for number in 0..3 {
        let write = keyed_create(&acme, number, &format!("key-{number}"), 0)?;
        let (created, kept) = first(&store, &write)?;
        let (_place, after_kill) = killed(&*place)?;
        repeated(&after_kill, &write, &kept)?;
        let upload = keyed_upload(&acme, &created, "key", 0)?;
        let (_, kept) = first(&store, &upload)?;
        let (_place, after_kill) = killed(&*place)?;
        repeated(&after_kill, &upload, &kept)?;
    }
    Ok(())
}

pub(crate) fn idem_1_a_repeat_is_judged_before_its_change(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let within_one = |number| -> Checked<Write> {
        let change = create(&model(number)?, Some(1));
        Ok(Write { change, ..keyed_create(&acme, number, "create", 0)? })
    };
    let (created, kept) = first(&store, &within_one(1)?)?;
    // The limit is reached now.
    repeated(&store, &within_one(2)?, &kept)?;
    let upload = keyed_upload(&acme, &created, "upload", 0)?;
    let (after, kept_upload) = first(&store, &upload)?;
    // The revision is another one now.
    repeated(&store, &upload, &kept_upload)?;
    // The model is deleted now; a delete stores no record.
    let mut answer = upload_answer(after.id, "delete")?;
    answer.key.operation = Operation::Delete;
    let gone = Write { idempotency: Some(answer.clone()), ..numbered(&acme, 9, delete(after.id))? };
    ensure_eq!(store.write_whole(gone)?, Outcome::Deleted, "a delete");
    ensure_eq!(store.idempotency_record(&acme, &answer.key)?, None, "what is kept of a delete");
    let check = |store: &Client| -> Checked {
        repeated(store, &upload, &kept_upload)?;
        repeated(store, &within_one(3)?, &kept)
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn idem_1_what_differs_in_a_part_of_its_key_is_another_request(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let organisations = [organisation("acme")?, organisation("ACME")?];
    let targets = [None, Some(id(1)?), Some(id(10)?), Some(id(ModelId::MAX)?)];
    let mut all = Vec::new();
    for organisation in &organisations {
        for operation in [Operation::Create, Operation::Upload, Operation::Run] {
            for target in targets {
                for key in ["a", "A", "aa", "1"] {
                    let number = all.len() as u64;
                    let mut write = keyed_create(organisation, number, key, 0)?;
                    if let Some(answer) = &mut write.idempotency {
                        answer.key.operation = operation;
                        answer.key.target = target;
                    }
                    let (_, kept) = first(&store, &write)?;
                    all.push((write, kept));
                }
            }
        }
    }
    let store = store.reopen(&*place)?;
    for (write, kept) in &all {
        ensure_eq!(
            store.write_whole(write.clone())?,
            Outcome::Repeated(kept.clone()),
            "{:?}",
            write.idempotency
        );
    }
    let unknown = answer_key(Operation::Create, Some(id(2)?), "a")?;
    ensure_eq!(
        store.idempotency_record(&organisation("acme")?, &unknown)?,
        None,
        "a key that nobody used"
    );
    Ok(())
}

pub(crate) fn idem_1_of_many_at_the_same_time_one_is_done(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    for round in 0..4 {
        let key = format!("key-{round}");
        let outcomes = if round % 2 == 0 {
            in_threads(5, |thread| store.write_whole(keyed_create(&acme, thread, &key, 0)?))?
        } else {
            let writes: Checked<Vec<_>> =
                (0..5).map(|number| keyed_create(&acme, number, &key, 0)).collect();
            store.burst_whole(&writes?)?.into_iter().collect::<Result<_, _>>()?
        };
        let created: Vec<_> = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Created(model) => Some(model),
                _ => None,
            })
            .collect();
        let [created] = created.as_slice() else {
            return Err(Stop::failed(format!("one of five is to be done: {outcomes:?}")));
        };
        let kept = kept(&keyed_create(&acme, 0, &key, 0)?, created)?;
        let repeats = outcomes.iter().filter(|it| **it == Outcome::Repeated(kept.clone()));
        ensure_eq!(repeats.count(), 4, "repeats of {outcomes:?}");
        ensure_eq!(store.list(&acme, &ALL)?.total, round + 1, "models");
        ensure_eq!(store.events(&acme, 0, 0)?.last, round + 1, "events");
    }
    ensure_eq!(store.reopen(&*place)?.events(&acme, 0, 0)?.last, 4, "events");
    Ok(())
}

pub(crate) fn idem_1_after_24_hours_it_is_a_new_request(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    // Not a whole second.
    let mut now = 999;
    let (_, mut kept) = first(&store, &keyed_create(&acme, 1, "key", now)?)?;
    for number in 2..5 {
        // Neither a repeat nor a clock that is set back extends the life of a record.
        for millis in [kept_for() - 1, 1, 0, -1, -kept_for(), kept_for() - 1] {
            repeated(&store, &keyed_create(&acme, number, "key", now + millis)?, &kept)?;
        }
        store = store.reopen(&*place)?;
        now += kept_for();
        let again = keyed_create(&acme, number, "key", now)?;
        let (_, replaced) = first(&store, &again)?;
        ensure!(replaced != kept, "the old answer to a new request");
        kept = replaced;
        store = store.reopen(&*place)?;
        repeated(&store, &again, &kept)?;
    }
    ensure_eq!(store.list(&acme, &ALL)?.total, 4, "requests that were done");
    Ok(())
}

pub(crate) fn idem_1_a_refused_change_keeps_no_answer(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let now = store.create(&acme, &model(1)?)?;
    let refused = [
        (&acme, create(&model(2)?, Some(1))),
        (&acme, edit_at(now.id, revision(2)?, like(3)?)),
        (&acme, delete_at(now.id, revision(2)?)),
        (&acme, edit(now.id, Edit::Run)),
        (&zebra, edit(now.id, like(4)?)),
        (&zebra, delete(now.id)),
    ];
    let answer = create_answer("key")?;
    let key = answer.key.clone();
    let refused = refused
        .map(|(of, change)| Write { idempotency: Some(answer.clone()), ..write(of, change) });
    let nothing = |store: &Client| -> Checked {
        for of in [&acme, &zebra] {
            ensure_eq!(store.idempotency_record(of, &key)?, None, "of a refusal");
        }
        Ok(())
    };
    for write in &refused {
        let outcome = store.write_whole(write.clone())?;
        let is_refusal = matches!(
            outcome,
            Outcome::LimitReached { .. } | Outcome::Refused(_) | Outcome::NotFound
        );
        ensure!(is_refusal, "{write:?} was answered by {outcome:?}");
        nothing(&store)?;
    }
    store.burst_whole(&refused)?;
    nothing(&store)?;
    let store = store.reopen(&*place)?;
    nothing(&store)?;
    // So the same request may be executed later.
    let write = keyed_create(&acme, 2, "key", 0)?;
    let (_, kept) = first(&store, &write)?;
    repeated(&store, &write, &kept)
}
