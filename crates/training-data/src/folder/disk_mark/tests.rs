use custom_models_core::store::{Lineage, StoreErrorKind, StoreIdentity};

use super::*;
use crate::folder::disk::Disk;
use crate::folder::mark::Nexts;

fn mark() -> Mark {
    let identity = StoreIdentity::from_bytes([7; 16]);
    let (lineage, nexts, is_behind, is_copied) = (None, Nexts::NONE, false, false);
    Mark { identity, last_id: 3, events: u64::MAX, lineage, nexts, is_behind, is_copied }
}

fn found(root: &Path) -> Option<Mark> {
    read(root, MARK).unwrap()
}

#[test]
fn place_2_a_mark_is_read_as_it_was_written() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(found(place.path()), None);
    assert_eq!(found(&place.path().join("no/such")), None);
    let mut lock = DiskLock::take(place.path()).unwrap();
    let [lineage, next] = [u64::MAX, 1].map(Lineage::new);
    let nexts = Nexts::NONE.and(next);
    let lineage = Some(lineage);
    for mark in [
        mark(),
        Mark { is_behind: true, lineage, ..mark() },
        Mark { nexts, ..mark() },
        Mark { lineage, nexts, ..mark() },
    ] {
        lock.write(&mark).unwrap();
        assert_eq!(found(place.path()), Some(mark));
    }
}

/// Values that another process of the store has written since are kept.
#[test]
fn place_2_a_mark_is_never_lowered_and_never_put_over_that_of_another_store() {
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::at(place.path()).unwrap();
    let (lineage, nexts) = (Some(Lineage::new(7)), Nexts::NONE.and(Lineage::new(8)));
    let there = Mark { last_id: 9, events: 5, lineage, nexts, is_behind: true, ..mark() };
    DiskLock::take(place.path()).unwrap().write(&there).unwrap();
    Mark { last_id: 8, events: 7, ..mark() }.put(&disk, true).unwrap();
    let expected = Mark { events: 7, ..there };
    assert_eq!(found(place.path()), Some(expected));
    let other = Mark { identity: StoreIdentity::from_bytes([8; 16]), ..mark() };
    let refused = other.put(&disk, true).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ForeignData);
    assert_eq!(found(place.path()), Some(expected));
}

#[test]
fn place_2_a_mark_that_is_none_is_said_and_not_taken_for_a_missing_one() {
    let place = tempfile::tempdir().unwrap();
    for text in ["", "{", "{}", r#"{"store":"x","last_id":1,"events":1}"#] {
        fs::write(place.path().join(MARK), text).unwrap();
        let error = read(place.path(), MARK).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Damaged, "{text}");
    }
}
