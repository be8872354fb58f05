//! Training data: a pair is stored completely, together with its change, or not at all.

use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::model::{
    ContentDigest, DataFile, DataPair, DataType, Edit, EditRefusal, NewPair, TrainingState,
};
use custom_models_core::store::{ArchiveChange, ModelLine, Outcome, Record, Write};
use custom_models_core::time::Timestamp;
use custom_models_core::{CustomModel, Organisation};

use crate::cases::durability::killed;
use crate::client::{Client, fresh, write};
use crate::fixture::{Fixture, five_hours};
use crate::history::{add_pair, remove_pair, renamed};
use crate::life::{data_id, edit, edit_at, file, moment_of, new_pair, pair, paired};
use crate::sample::{model, organisation, revision, unfit};
use crate::threads::in_threads;
use crate::verdict::{Checked, ensure, ensure_eq};
use crate::{Builder, MemoryBuilder};

/// Checks that the model has these pairs, in the order of their ids.
#[track_caller]
fn expect_data(
    store: &Client,
    organisation: &Organisation,
    model: &CustomModel,
    pairs: &[DataPair],
) -> Checked {
    ensure_eq!(store.data(organisation, model.id, 0, u32::MAX)?, pairs, "the data of {}", model.id);
    Ok(())
}

/// File names that are not paths, and others that some layer might misinterpret.
const NAMES: &[&str] = &[
    "../../etc/passwd",
    "a\0b.wav",
    "",
    "\u{202e}vaw.語.mp3",
    "'; DROP TABLE data; --",
    "{\"filename\":null}",
    "e\u{301}\u{e9}\r\n",
];

pub(crate) fn data_6_pairs_are_read_in_parts(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    for number in 1..=9 {
        model = add_pair(&store, &acme, &model, number)?;
    }
    for number in [1, 4, 9] {
        model = remove_pair(&store, &acme, &model, number)?;
    }
    let all = store.data(&acme, model.id, 0, u32::MAX)?;
    ensure_eq!(all.len(), 6, "all");
    for limit in [0, 1, 2, 5, 6, 7] {
        for after in [0, 1, 2, 3, 8, 9, 10, u32::MAX] {
            let behind = all.iter().filter(|pair| pair.id.get() > after);
            let expected: Vec<_> = behind.take(limit as usize).cloned().collect();
            let found = store.data(&acme, model.id, after, limit)?;
            ensure_eq!(found, expected, "{limit} behind {after}");
        }
    }
    Ok(())
}

pub(crate) fn data_4_every_pair_comes_back_as_it_was(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    let mut data = Vec::new();
    // From 10 on, ids sort differently as text.
    for (number, name) in (1..12).zip(NAMES.iter().cycle()) {
        let content = name.chars().rev().collect();
        let mut new = new_pair(number)?;
        new.audio = DataFile { content, ..file(name, 0) };
        data.push((new, pair(number)?.created_at));
    }
    for created_at in [Timestamp::MIN, Timestamp::MAX] {
        let mut new = new_pair(20)?;
        new.audio_millis = 0;
        data.push((new, created_at));
    }
    let pairs = add_all(&store, &mut model, data)?;
    expect_data(&store, &acme, &model, &pairs)?;
    let store = store.reopen(&*place)?;
    expect_data(&store, &acme, &model, &pairs)?;
    store.expect(&acme, &[model])
}

/// Adds data at given times, and returns the pairs.
fn add_all(
    store: &Client,
    model: &mut CustomModel,
    data: Vec<(NewPair, Timestamp)>,
) -> Checked<Vec<DataPair>> {
    let acme = organisation("acme")?;
    let mut pairs = Vec::new();
    for (new, created_at) in data {
        let at = moment_of(created_at);
        let add = write(&acme, edit(model.id, Edit::AddData(new.clone())));
        *model = store.edited(model, Write { at, ..add })?;
        pairs.push(paired(model.training.data().last_id, new, at)?);
    }
    Ok(pairs)
}

/// A model that had billions of pairs, none of which is left.
pub(crate) fn data_4_pairs_come_back_under_the_largest_numbers(builder: &dyn Builder) -> Checked {
    let acme = organisation("acme")?;
    for last_id in [(1 << 31) - 2, u32::MAX - 2] {
        let (place, store) = fresh(builder)?;
        let mut model = with_last_pair(store.create(&acme, &model(1)?)?, last_id)?;
        let line = ModelLine { organisation: acme.clone(), model: model.clone() };
        store.handle().archive(ArchiveChange::Import(vec![Record::Model(line)]))?;
        let largest = DataFile {
            bytes: u64::MAX,
            sha256: ContentDigest::from_bytes([0; 32]),
            ..file(&"語".repeat(5000), 0)
        };
        // The first number that a float of 64 bits cannot have.
        let audio = file("5.wav", (1 << 53) + 1);
        let new = NewPair { audio_millis: 1 << 53, audio, transcript: largest, ..new_pair(5)? };
        let data = [pair(1)?.created_at, Timestamp::MAX].map(|time| (new.clone(), time));
        let pairs = add_all(&store, &mut model, data.into())?;
        ensure_eq!(pairs.last().map(|pair| pair.id), Some(data_id(last_id + 2)?), "the last pair");
        expect_data(&store, &acme, &model, &pairs)?;
        let store = store.reopen(&*place)?;
        expect_data(&store, &acme, &model, &pairs)?;
        model = remove_pair(&store, &acme, &model, last_id + 2)?;
        expect_data(&store, &acme, &model, pairs.get(..1).unwrap_or_default())?;
        store.expect(&acme, &[model])?;
    }
    Ok(())
}

fn with_last_pair(model: CustomModel, last_id: u32) -> Checked<CustomModel> {
    let (_place, drafts) = fresh(&MemoryBuilder)?;
    let training = Fixture::new(&drafts, &organisation("drafts")?).ready(1)?.training;
    let text = training.to_record().map_err(unfit)?.unwrap_or_default();
    let text = text.replace("\"last_id\":1", &format!("\"last_id\":{last_id}"));
    let training = TrainingState::from_record(training.status(), Some(&text)).map_err(unfit)?;
    Ok(CustomModel { training, ..model })
}

pub(crate) fn data_6_a_pair_that_was_removed_is_gone(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    let mut pairs = Vec::new();
    for number in 1..6 {
        model = add_pair(&store, &acme, &model, number)?;
        pairs.push(pair(number)?);
    }
    for number in [5, 1, 3] {
        model = remove_pair(&store, &acme, &model, number)?;
        pairs.retain(|pair| pair.id.get() != number);
        expect_data(&store, &acme, &model, &pairs)?;
        store = store.reopen(&*place)?;
        expect_data(&store, &acme, &model, &pairs)?;
    }
    model = add_pair(&store, &acme, &model, 6)?;
    pairs.push(pair(6)?);
    expect_data(&store.reopen(&*place)?, &acme, &model, &pairs)
}

pub(crate) fn edit_5_the_data_of_a_model_goes_with_it(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = Vec::new();
    for number in 1..4 {
        let model = store.create(&acme, &model(number)?)?;
        let model = add_pair(&store, &acme, &model, 1)?;
        all.push(add_pair(&store, &acme, &model, 2)?);
    }
    let gone = all.remove(1);
    store.delete(&acme, &gone)?;
    let check = |store: &Client| -> Checked {
        expect_data(store, &acme, &gone, &[])?;
        let mut left = all.iter();
        left.try_for_each(|model| expect_data(store, &acme, model, &[pair(1)?, pair(2)?]))
    };
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn auth_3_another_organisation_sees_no_data(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let created = store.create(&acme, &model(1)?)?;
    let model = add_pair(&store, &acme, &created, 1)?;
    let check = |store: &Client| -> Checked {
        for name in ["zebra", "ACME", "acm", "acme-2"] {
            expect_data(store, &organisation(name)?, &model, &[])?;
        }
        expect_data(store, &acme, &model, &[pair(1)?])
    };
    check(&store)?;
    let zebra = organisation("zebra")?;
    let stolen = edit(model.id, Edit::RemoveData(data_id(1)?));
    ensure_eq!(store.write(&zebra, stolen)?, Outcome::NotFound, "another's data");
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn data_4_a_refused_change_leaves_the_data_as_it_is(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let created = store.create(&acme, &model(1)?)?;
    let model = add_pair(&store, &acme, &created, 1)?;
    let add = || -> Checked<Edit> { Ok(Edit::AddData(new_pair(2)?)) };
    let remove = |number| -> Checked<Edit> { Ok(Edit::RemoveData(data_id(number)?)) };
    for wrong in [revision(1)?, revision(3)?] {
        for refused in [add()?, remove(1)?] {
            let outcome = store.write(&acme, edit_at(model.id, wrong, refused))?;
            let right = Outcome::Refused(EditRefusal::PreconditionFailed);
            ensure_eq!(outcome, right, "at revision {wrong}");
            expect_data(&store, &acme, &model, &[pair(1)?])?;
        }
    }
    for number in [2, u32::MAX] {
        let outcome = store.write(&acme, edit(model.id, remove(number)?))?;
        ensure_eq!(outcome, Outcome::Refused(EditRefusal::DataNotFound), "pair {number}");
    }
    // Updates do not change the data.
    renamed(&store, &acme, &model, 5)?;
    expect_data(&store, &acme, &model, &[pair(1)?])?;
    // Data of a model in training does not change.
    let running = Fixture::new(&store, &acme).running(2)?;
    let trained_on = store.data(&acme, running.id, 0, u32::MAX)?;
    for refused in [add()?, remove(1)?] {
        let outcome = store.write(&acme, edit(running.id, refused))?;
        ensure_eq!(outcome, Outcome::Refused(EditRefusal::TrainingInProgress), "while it runs");
    }
    let store = store.reopen(&*place)?;
    expect_data(&store, &acme, &model, &[pair(1)?])?;
    expect_data(&store, &acme, &running, &trained_on)
}

/// While one thread adds and removes pairs, others read the model between two reads of its data. The counts
/// of the model lie between the two, and every pair is complete.
pub(crate) fn data_4_reads_see_a_pair_with_its_change_or_neither(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let fixture = Fixture::new(&store, &acme);
    let id = fixture.create(1)?.id;
    let is_written = AtomicU64::new(0);
    let write = || -> Checked {
        for _ in 0..20 {
            fixture.edit(id, Edit::AddData(five_hours(DataType::Train)))?;
        }
        Ok(())
    };
    in_threads(3, |thread| {
        if thread == 0 {
            let written = write();
            is_written.store(1, Ordering::SeqCst);
            return written;
        }
        loop {
            let is_last = is_written.load(Ordering::SeqCst) == 1;
            let before = store.data(&acme, id, 0, u32::MAX)?;
            let counted = store.get(&acme, id)?.map(|model| model.training.data().train_pairs);
            let after = store.data(&acme, id, 0, u32::MAX)?;
            let counted = usize::try_from(counted.unwrap_or_default()).unwrap_or_default();
            ensure!(
                (before.len()..=after.len()).contains(&counted),
                "{counted} pairs between {before:?} and {after:?}"
            );
            ensure!(after.starts_with(&before), "pairs that changed: {before:?} and {after:?}");
            if is_last {
                return Ok(());
            }
        }
    })?;
    Ok(())
}

pub(crate) fn data_4_data_survives_a_close(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    let mut pairs = Vec::new();
    for number in 1..5 {
        model = add_pair(&store, &acme, &model, number)?;
        pairs.push(pair(number)?);
        store = store.reopen(&*place)?;
        expect_data(&store, &acme, &model, &pairs)?;
    }
    Ok(())
}

pub(crate) fn data_4_a_pair_survives_a_kill_when_its_change_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    let mut pairs = Vec::new();
    for number in 1..5 {
        model = add_pair(&store, &acme, &model, number)?;
        pairs.push(pair(number)?);
        let (_place, after_kill) = killed(&*place)?;
        expect_data(&after_kill, &acme, &model, &pairs)?;
    }
    model = remove_pair(&store, &acme, &model, 2)?;
    pairs.remove(1);
    let (_place, after_kill) = killed(&*place)?;
    expect_data(&after_kill, &acme, &model, &pairs)
}
