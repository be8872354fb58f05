//! The data of models: pairs that are there whole, with their change, or not at all.

use std::sync::atomic::{AtomicU64, Ordering};

use custom_models_core::{
    ContentDigest, CustomModel, DataChange, DataFile, DataPair, DataType, Edit, Organisation,
    Outcome, Stamp, Timestamp, Write,
};

use crate::Builder;
use crate::cases::durability::killed;
use crate::client::{Client, fresh};
use crate::driven::{Driven, five_hours};
use crate::life::{add_pair, changed, data_id, file, pair, with_data};
use crate::sample::{model, organisation};
use crate::threads::in_threads;
use crate::verdict::{Checked, ensure, ensure_eq};

/// Removes a pair of a model, and returns the model as it is then.
fn remove_pair(
    store: &Client,
    organisation: &Organisation,
    model: &CustomModel,
    number: u32,
) -> Checked<CustomModel> {
    let after = changed(model, number.into())?;
    let change = with_data(model, &after, DataChange::Remove(data_id(number)?));
    store.updated(Write::new(organisation.clone(), change))?;
    Ok(after)
}

/// The model has these pairs, in the order of their numbers.
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

/// File names that are no paths, and more that some layer might take for something else.
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
        model = add_pair(&store, &acme, &model, &pair(number)?)?;
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
    let mut pairs = Vec::new();
    for (number, name) in (1..).zip(NAMES) {
        let content = name.chars().rev().collect();
        let audio = DataFile { content, ..file(name, 0) };
        pairs.push(DataPair { audio, ..pair(number)? });
    }
    let largest = DataFile {
        bytes: u64::MAX,
        sha256: ContentDigest::from_bytes([0; 32]),
        ..file(&"語".repeat(5000), 0)
    };
    // Numbers that stand in another order as texts, or as numbers with a sign.
    for (number, created_at) in [(10, Timestamp::MIN), (11, Timestamp::MAX), (100, Timestamp::MIN)]
    {
        pairs.push(DataPair { audio_millis: 0, created_at, ..pair(number)? });
    }
    for (like, number) in [(5, 1 << 31), (6, u32::MAX)] {
        pairs.push(DataPair {
            id: data_id(number)?,
            data_type: DataType::Test,
            audio_millis: 1 << 53,
            transcript: largest.clone(),
            ..pair(like)?
        });
    }
    for pair in &pairs {
        model = add_pair(&store, &acme, &model, pair)?;
    }
    expect_data(&store, &acme, &model, &pairs)?;
    let store = store.reopen(&*place)?;
    expect_data(&store, &acme, &model, &pairs)?;
    store.expect(&acme, &[model])
}

pub(crate) fn data_6_a_pair_that_was_removed_is_gone(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut model = store.create(&acme, &model(1)?)?;
    let mut pairs = Vec::new();
    for number in 1..6 {
        model = add_pair(&store, &acme, &model, &pair(number)?)?;
        pairs.push(pair(number)?);
    }
    for number in [5, 1, 3] {
        model = remove_pair(&store, &acme, &model, number)?;
        pairs.retain(|pair| pair.id.get() != number);
        expect_data(&store, &acme, &model, &pairs)?;
        store = store.reopen(&*place)?;
        expect_data(&store, &acme, &model, &pairs)?;
    }
    model = add_pair(&store, &acme, &model, &pair(6)?)?;
    pairs.push(pair(6)?);
    expect_data(&store.reopen(&*place)?, &acme, &model, &pairs)
}

pub(crate) fn edit_5_the_data_of_a_model_goes_with_it(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let mut all = Vec::new();
    for number in 1..4 {
        let model = store.create(&acme, &model(number)?)?;
        let model = add_pair(&store, &acme, &model, &pair(1)?)?;
        all.push(add_pair(&store, &acme, &model, &pair(2)?)?);
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
    let model = add_pair(&store, &acme, &created, &pair(1)?)?;
    let check = |store: &Client| -> Checked {
        for name in ["zebra", "ACME", "acm", "acme-2"] {
            expect_data(store, &organisation(name)?, &model, &[])?;
        }
        expect_data(store, &acme, &model, &[pair(1)?])
    };
    check(&store)?;
    let zebra = organisation("zebra")?;
    let stolen = with_data(&model, &model, DataChange::Remove(data_id(1)?));
    ensure_eq!(store.write(&zebra, stolen)?, Outcome::NotFound, "another's data");
    check(&store)?;
    check(&store.reopen(&*place)?)
}

pub(crate) fn data_4_a_refused_change_leaves_the_data_as_it_is(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let created = store.create(&acme, &model(1)?)?;
    let model = add_pair(&store, &acme, &created, &pair(1)?)?;
    let stale = CustomModel { stamp: Stamp { beats: 9, ..model.stamp }, ..model.clone() };
    for before in [&created, &stale] {
        for data in [DataChange::Add(pair(2)?), DataChange::Remove(data_id(1)?)] {
            let outcome = store.write(&acme, with_data(before, &model, data))?;
            ensure_eq!(outcome, Outcome::Stale, "at {:?}", before.stamp);
            expect_data(&store, &acme, &model, &[pair(1)?])?;
        }
    }
    // Updates that leave the data alone do so.
    let keep = with_data(&model, &changed(&model, 5)?, DataChange::Keep);
    store.updated(Write::new(acme.clone(), keep))?;
    expect_data(&store, &acme, &model, &[pair(1)?])?;
    expect_data(&store.reopen(&*place)?, &acme, &model, &[pair(1)?])
}

/// While one adds pairs and removes them, others read a model between two readings of its data: what
/// the model counts lies between them, and each pair is whole.
pub(crate) fn data_4_reads_see_a_pair_with_its_change_or_neither(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let driven = Driven::new(&store, &acme);
    let id = driven.create(1)?.id;
    let is_written = AtomicU64::new(0);
    let write = || -> Checked {
        for _ in 0..20 {
            driven.edit(id, Edit::AddData(five_hours(DataType::Train)))?;
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
            let counted = store.get(&acme, id)?.map(|model| model.course.data().train_pairs);
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
        model = add_pair(&store, &acme, &model, &pair(number)?)?;
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
        model = add_pair(&store, &acme, &model, &pair(number)?)?;
        pairs.push(pair(number)?);
        let (_place, after_kill) = killed(&*place)?;
        expect_data(&after_kill, &acme, &model, &pairs)?;
    }
    model = remove_pair(&store, &acme, &model, 2)?;
    pairs.remove(1);
    let (_place, after_kill) = killed(&*place)?;
    expect_data(&after_kill, &acme, &model, &pairs)
}
