use custom_models_core::access::RateLimit;
use custom_models_core::store::{admit, window_state};

use super::*;

/// Within one group, the last admission after a sweep is the one that the sweep left.
#[test]
fn rate_1_a_request_behind_a_sweep_of_its_group_is_of_now() {
    let db = sled::Config::new().temporary(true).open().unwrap();
    let window = Window { key: WindowKey::new(b"k").unwrap(), operation: Operation::Get };
    let at = UnixMillis::from_unix_millis;
    let early = key_of(&window, Admission { number: 7, at: at(900_000) });
    db.insert(early, &[]).unwrap();
    let mut changes = WriteSet::default();
    let mut edits = Edits::new();
    assert_eq!(sweep(&db, &changes, &mut edits, at(0), at(1000), 9).unwrap(), 0);
    changes.set_all(&db, edits).unwrap();
    let mut edits = Edits::new();
    let mut rows = Admissions { db: &db, changes: &changes, edits: &mut edits };
    let swept = Admission { number: 7, at: at(1000) };
    assert_eq!(rows.last(&window).unwrap(), Some(swept));
    admit(&mut rows, &window, RateLimit::CREATE, at(1000)).unwrap();
    changes.set_all(&db, edits).unwrap();
    let mut rows = Admissions { db: &db, changes: &changes, edits: &mut Edits::new() };
    let state = window_state(&mut rows, &window, RateLimit::CREATE, at(1000)).unwrap();
    assert_eq!(
        (state.rate_limit.remaining, rows.last(&window).unwrap().unwrap().at),
        (8, at(1000))
    );
    let mut edits = Edits::new();
    assert_eq!(sweep(&db, &changes, &mut edits, at(1000), at(1000), 9).unwrap(), 2);
    changes.set_all(&db, edits).unwrap();
    let mut rows = Admissions { db: &db, changes: &changes, edits: &mut Edits::new() };
    assert_eq!(rows.last(&window).unwrap(), None);
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
            let rows: Vec<_> = admissions.iter().map(|it| key_of(&window, *it)).collect();
            assert!(rows.is_sorted());
            for (row, admission) in rows.iter().zip(admissions) {
                assert_eq!(admission_of(row).unwrap(), admission);
                let others = keys.iter().filter(|other| **other != key);
                for other in others {
                    let other = Window { key: WindowKey::new(other).unwrap(), operation };
                    assert!(!row.starts_with(&window_prefix(&other)));
                }
                assert!(keys_after(&window, admission.at).start > *row);
                assert!(keys_after(&window, UnixMillis::from_unix_millis(i64::MIN)).end > *row);
            }
        }
    }
}
