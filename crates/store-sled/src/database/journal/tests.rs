//! Partial groups, in every way in which they can be partial.

use std::collections::BTreeMap;

use super::*;

type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

fn contents(db: &Db) -> Contents {
    db.iter().map(Result::unwrap).map(|(key, row)| (key.to_vec(), row.to_vec())).collect()
}

/// Sets the database to these rows.
fn restore(db: &Db, contents: &Contents) {
    db.clear().unwrap();
    contents.iter().for_each(|(key, row)| drop(db.insert(key, row.as_slice()).unwrap()));
}

/// Applies the rows of a batch whose bits are set in this number.
fn make_some(db: &Db, batch: Batch, keys: &[Vec<u8>], which: usize) {
    let before: Vec<_> = keys.iter().map(|key| db.get(key).unwrap()).collect();
    db.apply_batch(batch).unwrap();
    for (place, (key, before)) in keys.iter().zip(before).enumerate() {
        match before {
            _ if which >> place & 1 == 1 => {}
            Some(row) => drop(db.insert(key, row).unwrap()),
            None => drop(db.remove(key).unwrap()),
        }
    }
}

fn keys_below(db: &Db, prefix: &[u8]) -> Vec<Vec<u8>> {
    below(db, prefix).unwrap().into_iter().map(|(key, _)| key).collect()
}

/// Rolls a partial group back, and returns the rows that are there then.
fn taken_back(db: &Db) -> Contents {
    for batch in PartialGroup::find(db).unwrap().map(PartialGroup::batches).into_iter().flatten() {
        db.apply_batch(batch).unwrap();
    }
    contents(db)
}

/// A database, and a group of rows that are changed, removed and new, whose journal needs two rows.
fn group() -> (tempfile::TempDir, Db, WriteSet) {
    let temporary = tempfile::tempdir().unwrap();
    let db = sled::open(temporary.path()).unwrap();
    for key in ["long", "removed", "same", "short"] {
        let length = if key == "short" { 3 } else { 3000 };
        db.insert(key, vec![key.as_bytes()[0]; length]).unwrap();
    }
    let mut changes = WriteSet::default();
    let after = |text: &str| Some(text.as_bytes().to_vec());
    for (key, after) in [("long", after("x")), ("removed", None), ("short", after("y"))] {
        changes.set(&db, key.into(), after).unwrap();
    }
    changes.set(&db, b"new".to_vec(), Some(vec![b'z'; 5000])).unwrap();
    (temporary, db, changes)
}

#[test]
fn model_6_half_a_group_is_taken_back_whatever_is_there_of_it() {
    let (_temporary, db, changes) = group();
    let before = contents(&db);
    let batches = batches(&changes).unwrap();
    let [journal, group, removal] = &batches[..] else { panic!("{} batches", batches.len()) };
    db.apply_batch(journal.clone()).unwrap();
    let journalled = contents(&db);
    let journal_keys = keys_below(&db, JOURNAL);
    assert_eq!(journal_keys.len(), 2);
    db.apply_batch(group.clone()).unwrap();
    let made = contents(&db);
    let group_keys: Vec<_> = changes.before(b"").map(|(key, _)| key.to_vec()).collect();
    db.apply_batch(removal.clone()).unwrap();
    let after = contents(&db);
    assert_ne!(before, after);
    assert_eq!(taken_back(&db), after);
    for which in 0..4 {
        restore(&db, &before);
        make_some(&db, journal.clone(), &journal_keys, which);
        assert_eq!(taken_back(&db), before, "a journal of {which}");
        restore(&db, &made);
        make_some(&db, removal.clone(), &journal_keys, which);
        let expected = if which == 0 { &before } else { &after };
        assert_eq!(taken_back(&db), *expected, "a journal without {which}");
    }
    for which in 0..16 {
        restore(&db, &journalled);
        make_some(&db, group.clone(), &group_keys, which);
        assert_eq!(taken_back(&db), before, "changes of {which}");
    }
}

#[test]
fn model_6_half_a_group_is_taken_back_although_that_is_cut_short() {
    let (_temporary, db, changes) = group();
    let before = contents(&db);
    let batches = batches(&changes).unwrap();
    batches.iter().take(2).for_each(|batch| db.apply_batch(batch.clone()).unwrap());
    let made = contents(&db);
    let journal_keys = keys_below(&db, JOURNAL);
    let group_keys: Vec<_> = changes.before(b"").map(|(key, _)| key.to_vec()).collect();
    let taking_back = PartialGroup::find(&db).unwrap().unwrap().batches();
    let [as_it_was, removal] = &taking_back[..] else { panic!("{} batches", taking_back.len()) };
    for which in 0..16 {
        restore(&db, &made);
        make_some(&db, as_it_was.clone(), &group_keys, which);
        assert_eq!(taken_back(&db), before, "{which} as it was");
    }
    for which in 0..4 {
        restore(&db, &made);
        db.apply_batch(as_it_was.clone()).unwrap();
        make_some(&db, removal.clone(), &journal_keys, which);
        assert_eq!(taken_back(&db), before, "a journal without {which}");
    }
}

#[test]
fn a_group_of_one_row_needs_no_journal() {
    let (_temporary, db, _) = group();
    let mut changes = WriteSet::default();
    changes.set(&db, b"same".to_vec(), None).unwrap();
    assert_eq!(batches(&changes).unwrap().len(), 1);
}

#[test]
fn a_journal_that_cannot_be_is_damage() {
    let (_temporary, db, _) = group();
    for text in [&b"\x01k\x02"[..], b"\x01k\x01\0\x05abc", b"\x09k", b"\x01k", b"\x01k\x01\0"] {
        let row = [&(text.len() as u64).to_be_bytes(), text].concat();
        db.insert([JOURNAL, &[0; 4]].concat(), row).unwrap();
        let error = PartialGroup::find(&db).err().unwrap();
        assert_eq!(error.kind(), custom_models_core::store::StoreErrorKind::Damaged, "{text:?}");
    }
}
