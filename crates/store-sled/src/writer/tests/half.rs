//! A group that is half there when its store is opened by another process.

use std::fs;
use std::path::Path;

use super::*;
use crate::schema::LAYOUT;

const MARKER: &str = "custom-models-sled";

/// Leaves a group of two models half there, without the rows whose keys begin so, behind the models
/// 1 and 2, and keeps the store from opening its database anew.
fn half_a_group(without: &'static str) -> (TempDir, Recorder, Arc<SledStore>) {
    let (temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    assert_eq!(create(&store, &recorder), Ok(2));
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, without));
    recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::OutcomeUnknown));
    (temporary, recorder, store)
}

/// A folder as it is when its process is killed now.
fn killed(temporary: &TempDir) -> std::path::PathBuf {
    let copy = temporary.path().join("killed");
    copy_folder(&temporary.path().join("store"), &copy);
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn marker(folder: &Path) -> String {
    fs::read_to_string(folder.join(MARKER)).unwrap()
}

/// The counter is the number of the rows, and no id is given again that is there.
fn is_put_right(store: &SledStore, without: &str) {
    let there: &[u64] = if without == "m" { &[1, 2] } else { &[1, 2, 3] };
    assert_eq!(ids(store), there, "without {without}");
    let recorder = Recorder::default();
    let next = create(store, &recorder).unwrap();
    assert_eq!(next, 4, "without {without}");
    let delete = Change::Delete { id: ModelId::new(1).unwrap(), revision: Revision::FIRST };
    let deleted = submit(store, &recorder, Write::new(acme(), delete)).unwrap();
    assert_eq!(deleted, Outcome::Deleted);
    assert_eq!(ids(store).len(), there.len());
}

#[test]
fn model_6_half_a_group_is_put_right_after_its_process_was_killed() {
    for without in ["c", "m", "i"] {
        let (temporary, _recorder, _store) = half_a_group(without);
        let store = SledStore::open(killed(&temporary)).unwrap();
        is_put_right(&store, without);
    }
}

#[test]
fn model_6_half_a_group_is_put_right_after_its_store_was_closed() {
    for without in ["c", "m", "i"] {
        let (temporary, _recorder, store) = half_a_group(without);
        // It is opened anew by a reader, but no writer comes.
        assert!(store.get(&acme(), ModelId::new(1).unwrap()).unwrap().is_some());
        store.close().unwrap();
        let store = SledStore::open(temporary.path().join("store")).unwrap();
        is_put_right(&store, without);
    }
}

#[test]
fn quota_2_the_only_models_of_an_organisation_that_are_half_there_do_not_count() {
    let (temporary, recorder, store) = store();
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, "m"));
    recorder.tell("open", Fault::Fails(StoreErrorKind::Full));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::OutcomeUnknown));
    let store = SledStore::open(killed(&temporary)).unwrap();
    assert_eq!(ids(&store), [0; 0]);
    let created = submit(&store, &recorder, creation(Some(1))).unwrap();
    assert!(matches!(created, Outcome::Created(_)), "{created:?}");
}

#[test]
fn model_6_a_store_that_cannot_be_put_right_is_not_opened_and_tried_again() {
    for step in ["apply", "flush", "sync"] {
        let (temporary, _recorder, _store) = half_a_group("c");
        let folder = killed(&temporary);
        let recorder = Recorder::default();
        recorder.tell(step, Fault::Fails(StoreErrorKind::Full));
        let fault = SledStore::open_on(&folder, recorder.clone()).err().unwrap();
        assert_eq!(fault.kind(), StoreErrorKind::Full);
        assert_ne!(marker(&folder), LAYOUT, "{step}");
        let store = SledStore::open_on(&folder, recorder).unwrap();
        is_put_right(&store, "c");
    }
}

#[test]
fn a_store_that_was_killed_in_order_is_looked_through_and_nothing_is_written() {
    let (temporary, recorder, store) = store();
    assert_eq!(create(&store, &recorder), Ok(1));
    let recorder = Recorder::default();
    let store = SledStore::open_on(&killed(&temporary), recorder.clone()).unwrap();
    assert_eq!(recorder.steps(), ["open"]);
    assert_eq!(ids(&store), [1]);
}

#[test]
fn the_marker_says_whether_the_store_was_closed_in_order() {
    let (temporary, recorder, store) = store();
    let folder = temporary.path().join("store");
    let in_use = format!("{LAYOUT}in use\n");
    assert_eq!(marker(&folder), in_use);
    recorder.tell("apply", Fault::Halves(StoreErrorKind::Full, "c"));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::Full));
    // It was taken back, so nothing is in doubt.
    store.close().unwrap();
    assert_eq!(marker(&folder), LAYOUT);
    let store = SledStore::open_on(&folder, recorder.clone()).unwrap();
    assert_eq!(marker(&folder), in_use);
    recorder.tell("sync", Fault::Fails(StoreErrorKind::Failed));
    assert_eq!(create(&store, &recorder), Err(StoreErrorKind::OutcomeUnknown));
    // The database is closed when the store is; nobody knows what the disk has.
    store.close().unwrap();
    assert_eq!(marker(&folder), in_use);
    let store = SledStore::open_on(&folder, recorder).unwrap();
    drop(store);
    assert_eq!(marker(&folder), LAYOUT);
}
