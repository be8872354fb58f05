//! PLACE-2: a copy of a store that was used is distinguished from the store, however far it has advanced.

use std::fs;
use std::thread;
use std::time::Duration;

use custom_models_core::MemoryStore;
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, Lineage, StoreErrorKind, StoreSummary,
};
use custom_models_training_data::{ContentStore, Folder, FolderStanding, KeptBack};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    acme, at, contents, copy, keep, kept_back, kind, mark, model, owned, put_mark, refer, removed,
    root, store,
};

fn opened(place: &TempDir, store: &MemoryStore) -> Folder {
    Folder::open(root(place), store).unwrap().with_min_age(Duration::ZERO)
}

fn lineage(store: &MemoryStore) -> Option<Lineage> {
    store.summary().unwrap().lineage
}

fn sweeps(place: &TempDir, store: &MemoryStore) -> bool {
    let swept = opened(place, store).sweep(store).unwrap();
    assert!([removed(0), kept_back(KeptBack::Behind)].contains(&swept), "{swept:?}");
    swept.kept_back.is_none()
}

/// Returns a folder that a store has recorded in, and a copy of the store from that time.
fn recorded() -> (TempDir, MemoryStore, MemoryStore) {
    let own = store(1);
    let (place, folder, _) = owned(&own);
    assert_eq!(folder.sweep(&own).unwrap(), removed(0));
    let copy = copy(&own);
    (place, own, copy)
}

#[test]
fn place_2_a_copy_that_is_used_on_past_the_store_sweeps_nothing() {
    let (place, own, copy) = recorded();
    let folder = opened(&place, &own);
    let later = [keep(&folder, model(2)), keep(&folder, model(2))];
    refer(&own, model(2), 1, [&later[0], &later[1]]);
    at(&own, 5);
    folder.record(&own).unwrap();
    // The references of the copy, except to the copied pair, are not those of the store.
    at(&copy, 9);
    let before = contents(&place);
    let of_copy = Folder::open(root(&place), &copy).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(of_copy.standing(), FolderStanding::Behind);
    assert_eq!(of_copy.sweep(&copy).unwrap(), kept_back(KeptBack::Behind));
    of_copy.remove_model(&acme(), model(2)).unwrap();
    assert_eq!(contents(&place), before);
    // There may be files of both now.
    assert!(!sweeps(&place, &own));
}

/// A running service learns it with its next sweep.
#[test]
fn place_2_an_open_copy_is_told_when_the_store_has_gone_on() {
    let (place, own, copy) = recorded();
    let of_copy = opened(&place, &copy);
    assert_eq!(of_copy.standing(), FolderStanding::Owned);
    at(&own, 5);
    assert!(sweeps(&place, &own));
    at(&copy, 9);
    assert_eq!(of_copy.sweep(&copy).unwrap(), kept_back(KeptBack::Behind));
    // There may be files of both now.
    assert!(!sweeps(&place, &own));
}

#[test]
fn place_2_of_a_store_and_its_copy_the_first_to_record_is_the_one_that_counts() {
    let (place, own, copy) = recorded();
    at(&copy, 5);
    assert!(sweeps(&place, &copy));
    at(&own, 9);
    assert!(!sweeps(&place, &own));
    let reading = Folder::open_read_only(root(&place), &own).unwrap();
    assert_eq!(reading.standing(), FolderStanding::Behind);
}

#[test]
fn place_2_a_copy_without_a_lineage_is_behind_a_mark_that_has_one() {
    let own = store(1);
    let (place, folder, _) = owned(&own);
    let copy = copy(&own);
    folder.record(&own).unwrap();
    assert_eq!(lineage(&copy), None);
    at(&copy, 9);
    assert!(!sweeps(&place, &copy));
}

#[test]
fn place_2_an_adopted_folder_refuses_the_copies_of_the_store() {
    for adopts_first in [true, false] {
        let (place, own, copy) = recorded();
        let (adopter, other) = if adopts_first { (own, copy) } else { (copy, own) };
        let (of_other, running) = (opened(&place, &other), opened(&place, &adopter));
        let (adopted, _) = Folder::adopt(root(&place), &adopter).unwrap();
        for kind in [
            kind(of_other.begin(&acme(), model(1))),
            kind(of_other.remove_model(&acme(), model(1))),
            kind(of_other.sweep(&other)),
            kind(Folder::open(root(&place), &other)),
        ] {
            assert_eq!(kind, StoreErrorKind::ForeignData);
        }
        keep(&adopted, model(1));
        assert_eq!(opened(&place, &adopter).standing(), FolderStanding::Owned);
        // Another process of the store learns its new identity with a sweep.
        assert_eq!(kind(running.begin(&acme(), model(1))), StoreErrorKind::ForeignData);
        assert_eq!(running.sweep(&adopter).unwrap(), removed(1));
        keep(&running, model(1));
        at(&adopter, 9);
        assert_eq!(running.sweep(&adopter).unwrap(), removed(1));
    }
}

/// The final mark of the store is written to a second file before the store is changed.
#[test]
fn place_2_an_adoption_that_was_killed_when_the_store_was_changed_is_ended_by_the_store() {
    for by_sweep in [true, false] {
        let (place, own, copy) = recorded();
        let (before, running) = (mark(&place), opened(&place, &copy));
        Folder::adopt(root(&place), &copy).unwrap();
        let adopted = mark(&place);
        let aside = root(&place).join("custom-models.json.adopted");
        fs::rename(root(&place).join("custom-models.json"), &aside).unwrap();
        put_mark(&place, &before);
        // Neither the previous owner nor a read-only opening removes it.
        at(&own, 9);
        assert!(sweeps(&place, &own));
        let reading = Folder::open_read_only(root(&place), &copy);
        assert_eq!(kind(reading), StoreErrorKind::ForeignData);
        if by_sweep {
            assert_eq!(running.sweep(&copy).unwrap(), removed(0));
        } else {
            assert_eq!(opened(&place, &copy).standing(), FolderStanding::Owned);
        }
        assert_eq!((mark(&place), aside.exists()), (adopted, false));
        assert_eq!(kind(Folder::open(root(&place), &own)), StoreErrorKind::ForeignData);
    }
}

#[test]
fn place_2_a_mark_aside_that_is_not_exactly_the_stores_is_left_aside() {
    let (place, own, copy) = recorded();
    let before = mark(&place);
    let aside = root(&place).join("custom-models.json.adopted");
    Folder::adopt(root(&place), &copy).unwrap();
    let adopted = mark(&place);
    for (key, other) in [("store", before["store"].clone()), ("lineage", json!(7))] {
        let mut left = adopted.clone();
        left[key] = other;
        fs::write(&aside, left.to_string()).unwrap();
        put_mark(&place, &before);
        assert_eq!(kind(Folder::open(root(&place), &copy)), StoreErrorKind::ForeignData);
        assert_eq!(opened(&place, &own).standing(), FolderStanding::Owned);
        assert_eq!(mark(&place), before, "{key}");
    }
}

/// No mark can be written while its name is taken.
#[test]
fn place_2_an_adoption_without_room_for_its_mark_changes_nothing() {
    let (place, own, copy) = recorded();
    let then = (mark(&place), copy.summary().unwrap());
    fs::create_dir(root(&place).join("custom-models.json.adopted")).unwrap();
    assert_eq!(kind(Folder::adopt(root(&place), &copy)), StoreErrorKind::Failed);
    assert_eq!((mark(&place), copy.summary().unwrap()), then);
    assert!(sweeps(&place, &own) && sweeps(&place, &copy));
}

/// As with a version that did not write the second mark.
#[test]
fn place_2_an_adoption_that_was_killed_can_be_made_again() {
    let (place, own, copy) = recorded();
    let before = mark(&place);
    Folder::adopt(root(&place), &copy).unwrap();
    put_mark(&place, &before);
    assert_eq!(kind(Folder::open(root(&place), &copy)), StoreErrorKind::ForeignData);
    assert!(sweeps(&place, &own), "nothing was taken away yet");
    Folder::adopt(root(&place), &copy).unwrap();
    assert_eq!(opened(&place, &copy).standing(), FolderStanding::Owned);
    assert_eq!(kind(Folder::open(root(&place), &own)), StoreErrorKind::ForeignData);
}

/// The mark names the next lineage, then the store gets it, then the mark names it alone.
#[test]
fn place_2_a_record_that_was_killed_at_any_step_leaves_the_store_its_folder() {
    let number = |lineage: Option<Lineage>| lineage.map_or(Value::Null, |it| it.get().into());
    for has_lineage in [true, false] {
        for has_taken_it in [true, false] {
            let own = store(1);
            let (place, folder, _) = owned(&own);
            if has_lineage {
                folder.record(&own).unwrap();
            }
            at(&own, 5);
            let mut left = mark(&place);
            left["last_id"] = json!(5);
            left["next_lineage"] = json!(77);
            put_mark(&place, &left);
            let StoreSummary { identity, lineage: before, .. } = own.summary().unwrap();
            let other = copy(&own);
            if has_taken_it {
                let (expected, new) = ((identity, before), (identity, Lineage::new(77)));
                let change = ArchiveChange::ReplaceIdentity { expected, new };
                assert_eq!(own.archive(change).unwrap(), 1);
            }
            let reading = Folder::open_read_only(root(&place), &own).unwrap();
            assert_eq!(reading.standing(), FolderStanding::Owned);
            assert!(sweeps(&place, &own), "{has_lineage} {has_taken_it}");
            let found = mark(&place);
            assert_eq!(found["lineage"], number(lineage(&own)), "{found}");
            assert_eq!(found["next_lineage"], Value::Null);
            assert_ne!(lineage(&own), before);
            at(&other, 9);
            assert!(!sweeps(&place, &other));
        }
    }
}

/// A mark of the previous version has no lineage. The store may have one, from an earlier folder.
#[test]
fn place_2_a_mark_without_a_lineage_is_judged_by_its_numbers_and_gets_one() {
    for has_lineage in [true, false] {
        let (place, own, _) = recorded();
        let own = if has_lineage { own } else { store(1) };
        at(&own, 5);
        let old = json!({ "store": mark(&place)["store"], "last_id": 5, "events": 0 });
        put_mark(&place, &old);
        let behind = store(1);
        at(&behind, 4);
        let reading = Folder::open_read_only(root(&place), &behind).unwrap();
        assert_eq!(reading.standing(), FolderStanding::Behind);
        let folder = opened(&place, &own);
        assert_eq!(folder.standing(), FolderStanding::Owned);
        folder.record(&own).unwrap();
        assert_eq!(mark(&place)["lineage"], json!(lineage(&own).unwrap().get()));
    }
}

/// A copy as `cp -r` makes it.
#[cfg(unix)]
#[test]
fn place_2_a_copy_of_the_folder_is_swept_only_when_it_is_adopted() {
    let (place, own, _) = recorded();
    let folder = opened(&place, &own);
    let left = keep(&folder, model(1));
    let here = root(&place);
    let copied = tempfile::tempdir().unwrap();
    let there = root(&copied);
    fs::create_dir_all(there.join("acme/1")).unwrap();
    for file in contents(&place) {
        let file = format!("acme/1/{file}");
        fs::copy(here.join(&file), there.join(&file)).unwrap();
    }
    fs::copy(here.join("custom-models.json"), there.join("custom-models.json")).unwrap();
    at(&own, 9);
    let (then, before) = (lineage(&own), mark(&copied));
    let copy = opened(&copied, &own);
    assert_eq!(copy.standing(), FolderStanding::Copied);
    assert_eq!(copy.sweep(&own).unwrap(), kept_back(KeptBack::Copied));
    copy.remove(&acme(), model(1), &left).unwrap();
    copy.remove_model(&acme(), model(1)).unwrap();
    assert_eq!(contents(&copied), contents(&place));
    assert_eq!((lineage(&own), mark(&copied)), (then, before), "the folder stays the store's");
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    // A folder that was moved on its disk stays the same.
    fs::rename(&here, place.path().join("moved")).unwrap();
    let moved = Folder::open(place.path().join("moved"), &own).unwrap();
    assert_eq!(moved.standing(), FolderStanding::Owned);
    let (adopted, leftovers) = Folder::adopt(&there, &own).unwrap();
    assert_eq!(leftovers.into_iter().map(|it| it.name).collect::<Vec<_>>(), [left]);
    assert_eq!(adopted.with_min_age(Duration::ZERO).sweep(&own).unwrap(), removed(1));
    assert_eq!(kind(moved.sweep(&own)), StoreErrorKind::ForeignData);
}

#[test]
fn place_2_an_idle_store_and_its_mark_stay_as_they_are() {
    let (place, own, _) = recorded();
    let (folder, lineage_then, mark_then) = (opened(&place, &own), lineage(&own), mark(&place));
    let path = root(&place).join("custom-models.json");
    let changed = || fs::metadata(&path).unwrap().modified().unwrap();
    let then = changed();
    for _ in 0..3 {
        assert_eq!(folder.sweep(&own).unwrap(), removed(0));
        assert!(sweeps(&place, &own));
    }
    assert_eq!((lineage(&own), mark(&place), changed()), (lineage_then, mark_then, then));
    at(&own, 9);
    assert!(sweeps(&place, &own));
    assert_ne!(lineage(&own), lineage_then);
}

#[test]
fn place_2_processes_of_one_store_may_record_at_the_same_time() {
    let (place, own, _) = recorded();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    at(&own, own.summary().unwrap().last_id + 1);
                    let folder = match Folder::open(root(&place), &own) {
                        // A mark that changes all the time cannot be read together with its store.
                        Err(error) if error.kind() == StoreErrorKind::Busy => continue,
                        folder => folder.unwrap().with_min_age(Duration::ZERO),
                    };
                    assert_eq!(folder.standing(), FolderStanding::Owned);
                    let swept = folder.sweep(&own);
                    let is_ok = swept.as_ref().is_ok_and(|swept| *swept == removed(0));
                    assert!(is_ok || kind(swept) == StoreErrorKind::Busy);
                }
            });
        }
    });
    assert!(sweeps(&place, &own));
}
