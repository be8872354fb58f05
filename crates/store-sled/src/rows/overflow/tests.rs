//! Values of every length at which the number of rows changes.

use std::collections::BTreeMap;

use custom_models_core::store::StoreErrorKind;

use super::*;

type Stored = BTreeMap<Vec<u8>, Vec<u8>>;

const LONGEST: usize = MAX_ROW - 2 + 255 * MAX_ROW;

fn value(length: usize) -> Vec<u8> {
    let mut value: Vec<u8> = (0_u32..).map(|place| place.to_be_bytes()[2]).take(length).collect();
    value[0] = 1;
    value
}

fn make(stored: &mut Stored, edits: Edits) {
    for (key, row) in edits {
        match row {
            Some(row) => drop(stored.insert(key, row)),
            None => assert!(stored.remove(&key).is_some(), "what is not there is removed"),
        }
    }
}

fn replace(stored: &mut Stored, length: usize) {
    let mut edits = Edits::new();
    put(&mut edits, b"k", value(length), stored.get(&b"k"[..]).map(Vec::as_slice)).unwrap();
    make(stored, edits);
}

#[test]
fn a_value_of_any_length_comes_back_and_leaves_nothing_behind() {
    let lengths = [
        1,
        2,
        MAX_ROW - 1,
        MAX_ROW,
        MAX_ROW + 1,
        2 * MAX_ROW - 2,
        2 * MAX_ROW - 1,
        5 * MAX_ROW,
        LONGEST,
    ];
    for before in lengths {
        for after in lengths {
            let mut stored = Stored::from([(b"j".to_vec(), value(7)), (b"l".to_vec(), value(8))]);
            replace(&mut stored, before);
            replace(&mut stored, after);
            assert!(stored.values().all(|row| row.len() <= MAX_ROW));
            let row = |key: &[u8]| Ok(stored.get(key).cloned());
            let found = whole(b"k", stored[&b"k"[..]].clone(), row).unwrap();
            assert!(found == value(after), "{before} {after}");
            let rows = stored.clone().into_iter().map(Ok);
            let found: Result<Vec<_>, StoreError> = values(rows).collect();
            let expected = [(b"j", 7), (b"k", after), (b"l", 8)];
            assert!(found.unwrap() == expected.map(|(key, it)| (key.to_vec(), value(it))));
            let mut edits = Edits::new();
            remove(&mut edits, b"k", &stored[&b"k"[..]]);
            make(&mut stored, edits);
            assert_eq!(stored.len(), 2, "{before} {after}");
        }
    }
}

#[test]
fn a_value_that_is_too_long_is_refused() {
    let error = put(&mut Edits::new(), b"k", value(LONGEST + 1), None).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
}

#[test]
fn a_value_that_does_not_go_on_is_damage() {
    let mut sound = Stored::new();
    replace(&mut sound, 3 * MAX_ROW);
    for gone in sound.keys().skip(1) {
        let mut stored = sound.clone();
        stored.remove(gone);
        let row = |key: &[u8]| Ok(stored.get(key).cloned());
        let error = whole(b"k", stored[&b"k"[..]].clone(), row).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Damaged);
        let found: Result<Vec<_>, StoreError> = values(stored.into_iter().map(Ok)).collect();
        assert_eq!(found.unwrap_err().kind(), StoreErrorKind::Damaged);
    }
}

/// Sled writes a page that is too large to a file of its own, which is never synced.
#[test]
fn model_6_pages_full_of_the_longest_rows_stay_in_the_log() {
    const ROWS: u64 = 300;
    let temporary = tempfile::tempdir().unwrap();
    let db = sled::open(temporary.path()).unwrap();
    let blobs = || std::fs::read_dir(temporary.path().join("blobs")).unwrap().count();
    let key = |number: u64| [&[b'k'; 102][..], &number.to_be_bytes()].concat();
    // In order, and then in between, where split pages are filled again.
    for number in (0..ROWS).map(|it| it * 2).chain((0..ROWS).map(|it| it * 7 % ROWS * 2 + 1)) {
        db.insert(key(number), vec![1; MAX_ROW]).unwrap();
        db.flush().unwrap();
        assert_eq!(blobs(), 0, "after {number}");
    }
    // Pages with few rows are merged into full ones.
    for number in (0..2 * ROWS).filter(|number| number % 32 > 18) {
        db.remove(key(number)).unwrap();
        db.flush().unwrap();
        assert_eq!(blobs(), 0, "without {number}");
    }
}
