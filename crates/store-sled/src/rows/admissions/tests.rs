use custom_models_core::access::{Operation, RateLimit};
use custom_models_core::store::{admit, window_state};

use super::sweep::sweep;
use super::*;

/// Within one group, the last admission after a sweep is the one that the sweep left.
#[test]
fn rate_1_a_request_behind_a_sweep_of_its_group_is_of_now() {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let window = Window { key: WindowKey::new(b"k").unwrap(), operation: Operation::Get };
    let at = UnixMillis::from_unix_millis;
    let early = AdmissionRun::new(Admission { number: 7, at: at(900_000) });
    db.insert(newest_key(&window), newest_to_bytes(&early)).unwrap();
    let mut changes = WriteSet::default();
    let mut edits = Edits::new();
    assert_eq!(sweep(&db, &changes, &mut edits, at(0), at(1000), 9).unwrap(), 0);
    changes.set_all(&db, edits).unwrap();
    let mut edits = Edits::new();
    let mut rows = Admissions { db: &db, changes: &changes, edits: &mut edits, newest: &mut None };
    let swept = Admission { number: 7, at: at(1000) };
    assert_eq!(rows.last(&window).unwrap(), Some(swept));
    admit(&mut rows, &window, RateLimit::CREATE, at(1000)).unwrap();
    changes.set_all(&db, edits).unwrap();
    let mut rows =
        Admissions { db: &db, changes: &changes, edits: &mut Edits::new(), newest: &mut None };
    let state = window_state(&mut rows, &window, RateLimit::CREATE, at(1000)).unwrap();
    assert_eq!(
        (state.rate_limit.remaining, rows.last(&window).unwrap().unwrap().at),
        (8, at(1000))
    );
    let mut edits = Edits::new();
    assert_eq!(sweep(&db, &changes, &mut edits, at(1000), at(1000), 9).unwrap(), 2);
    changes.set_all(&db, edits).unwrap();
    let mut rows =
        Admissions { db: &db, changes: &changes, edits: &mut Edits::new(), newest: &mut None };
    assert_eq!(rows.last(&window).unwrap(), None);
}

/// A run that begins before what is swept and ends in the future is changed in both ways.
#[test]
fn rate_1_a_sweep_shortens_and_moves_one_run() {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let window = Window { key: WindowKey::new(b"k").unwrap(), operation: Operation::Get };
    let at = UnixMillis::from_unix_millis;
    let mut changes = WriteSet::default();
    for (number, millis) in (2..=9).zip([1, 2, 3, 4, 5, 6000, 7000, 8000]) {
        let mut edits = Edits::new();
        let mut rows =
            Admissions { db: &db, changes: &changes, edits: &mut edits, newest: &mut None };
        rows.insert(&window, Admission { number, at: at(millis) }).unwrap();
        changes.set_all(&db, edits).unwrap();
    }
    let mut edits = Edits::new();
    assert_eq!(sweep(&db, &changes, &mut edits, at(4), at(5500), 3).unwrap(), 3);
    changes.set_all(&db, edits).unwrap();
    let rows = changes.first_rows(&db, older_keys(&window), 9).unwrap();
    let older: Vec<_> = rows.iter().map(|(key, row)| older_from_row(key, row).unwrap()).collect();
    let older: Vec<_> = older.iter().flat_map(AdmissionRun::admissions).collect();
    let expected = [(5, 4), (6, 5), (7, 5500)].map(|(number, it)| Admission { number, at: at(it) });
    assert_eq!(older, expected);
    let newest = changes.row(&db, &newest_key(&window)).unwrap().unwrap();
    let newest: Vec<_> = newest_from_bytes(&newest).unwrap().admissions().collect();
    let expected = [(8, 5500), (9, 5500)].map(|(number, it)| Admission { number, at: at(it) });
    assert_eq!(newest, expected);
}

#[test]
fn admissions_sort_as_their_moments_do_and_no_window_lies_in_another() {
    let keys: [&[u8]; 5] = [&[7; 6], &[7; 7], &[0], &[255; 64], b"w"];
    let moments = [i64::MIN, -1000, -1, 0, 1, 255, 256, i64::MAX];
    for key in keys {
        for operation in Operation::ALL {
            let window = Window { key: WindowKey::new(key).unwrap(), operation };
            let admissions: Vec<_> = (1..)
                .zip(moments)
                .map(|(number, at)| Admission { number, at: UnixMillis::from_unix_millis(at) })
                .collect();
            let rows: Vec<_> = admissions.iter().map(|it| older_key(&window, *it)).collect();
            assert!(rows.is_sorted());
            for (row, admission) in rows.iter().zip(admissions) {
                assert_eq!(older_from_row(row, &[]).unwrap().last(), admission);
                let others = keys.iter().filter(|other| **other != key);
                for other in others {
                    let other = Window { key: WindowKey::new(other).unwrap(), operation };
                    assert!(!row.starts_with(&older_prefix(&other)));
                }
                assert!(keys_after(&window, admission.at).start > *row);
                assert!(keys_after(&window, UnixMillis::from_unix_millis(i64::MIN)).end > *row);
            }
        }
    }
}
