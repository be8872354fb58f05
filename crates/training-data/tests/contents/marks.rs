//! The owner of a folder in every storage (PLACE-2).

use std::thread;
use std::time::Duration;

use custom_models_core::store::{ArchiveStore, StoreErrorKind};
use custom_models_training_data::{ContentStore, Folder, FolderStanding, KeptBack};

use crate::fixture::Place;
use crate::stores::{acme, at, copy, keep, kept_back, kind, model, refer, removed, store};
use crate::suite::Case;

pub(crate) const CASES: [Case; 8] = [
    ("place_2_with_the_mark_of_another_store_nothing_starts", foreign),
    ("place_2_a_store_that_is_behind_the_mark_sweeps_nothing", behind),
    ("place_2_a_copy_of_the_place_is_swept_by_nobody", copied),
    ("place_2_who_takes_a_place_over_shuts_the_former_owner_out", adopted),
    ("place_2_a_place_without_a_mark_is_taken_by_a_store_that_refers_to_something_in_it", unmarked),
    ("place_2_a_place_that_vanished_is_not_made_anew", vanished),
    ("place_2_of_two_stores_that_begin_in_a_place_at_once_one_has_it", begun_at_once),
    ("place_2_processes_that_record_at_once_do_not_take_their_store_for_a_copy", recorded_at_once),
];

fn foreign(place: &dyn Place) {
    let (own, other) = (store(1), store(2));
    let folder = Folder::open(place.root(), &own).unwrap();
    let name = keep(&folder, model(1));
    assert_eq!(kind(Folder::open(place.root(), &other)), StoreErrorKind::ForeignData);
    assert_eq!(kind(Folder::open_read_only(place.root(), &other)), StoreErrorKind::ForeignData);
    assert!(folder.open(&acme(), model(1), &name).is_ok());
    // A damaged mark is not a missing one.
    place.write("custom-models.json", "{}");
    assert_eq!(kind(Folder::open(place.root(), &own)), StoreErrorKind::Damaged);
    Folder::adopt(place.root(), &own).unwrap();
    assert_eq!(Folder::open(place.root(), &own).unwrap().standing(), FolderStanding::Owned);
}

fn behind(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap().with_min_age(Duration::ZERO);
    let before = copy(&own);
    at(&own, 7);
    keep(&folder, model(1));
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    let name = keep(&folder, model(1));
    let late = Folder::open(place.root(), &before).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(late.standing(), FolderStanding::Behind);
    assert_eq!(late.sweep(&before).unwrap(), kept_back(KeptBack::Behind));
    late.remove(&acme(), model(1), &name).unwrap();
    assert!(folder.open(&acme(), model(1), &name).is_ok());
    // The real store learns that a copy has used the folder.
    assert_eq!(folder.sweep(&own).unwrap(), kept_back(KeptBack::Behind));
}

fn copied(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap().with_min_age(Duration::ZERO);
    let name = keep(&folder, model(1));
    let other = place.copied();
    let copy = Folder::open(other.root(), &own).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(copy.standing(), FolderStanding::Copied);
    assert_eq!(copy.sweep(&own).unwrap(), kept_back(KeptBack::Copied));
    assert!(copy.open(&acme(), model(1), &name).is_ok());
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    let (taken, leftovers) = Folder::adopt(other.root(), &own).unwrap();
    assert_eq!((taken.standing(), leftovers.len()), (FolderStanding::Owned, 1));
    assert_eq!(kind(folder.sweep(&own)), StoreErrorKind::ForeignData);
}

fn adopted(place: &dyn Place) {
    let (former, new) = (store(1), store(2));
    let folder = Folder::open(place.root(), &former).unwrap();
    let mut begun = folder.begin(&acme(), model(1)).unwrap();
    begun.write_all(b"seven b").unwrap();
    let name = keep(&folder, model(1));
    assert_eq!(Folder::preview(place.root(), &new).unwrap().len(), place.names().len() - 1);
    let (taken, leftovers) = Folder::adopt(place.root(), &new).unwrap();
    assert!(leftovers.iter().any(|left| left.name == name));
    assert_eq!(taken.sweep(&new).unwrap(), kept_back(KeptBack::Adopted));
    // An upload that began earlier is refused at its end.
    assert_eq!(kind(begun.keep()), StoreErrorKind::ForeignData);
    assert_eq!(kind(folder.begin(&acme(), model(1))), StoreErrorKind::ForeignData);
    assert_eq!(kind(folder.remove(&acme(), model(1), &name)), StoreErrorKind::ForeignData);
    assert_eq!(kind(folder.sweep(&former)), StoreErrorKind::ForeignData);
    assert_eq!(kind(Folder::open(place.root(), &former)), StoreErrorKind::ForeignData);
    let again = Folder::open(place.root(), &new).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(again.sweep(&new).unwrap(), removed(1));
    assert!(!place.names().iter().any(|name| name.ends_with(".adopted")));
}

fn unmarked(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let contents = [keep(&folder, model(1)), keep(&folder, model(1))];
    refer(&own, model(1), 1, [&contents[0], &contents[1]]);
    place.remove("custom-models.json");
    let other = store(2);
    let stranger = Folder::open(place.root(), &other).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(stranger.standing(), FolderStanding::Unclaimed);
    assert_eq!(stranger.sweep(&other).unwrap(), kept_back(KeptBack::Unclaimed));
    assert_eq!(kind(stranger.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
    assert_eq!(
        Folder::open_read_only(place.root(), &own).unwrap().standing(),
        FolderStanding::Owned
    );
    assert_eq!(place.names().len(), 2, "reading marks nothing");
    assert_eq!(Folder::open(place.root(), &own).unwrap().standing(), FolderStanding::Owned);
    assert_eq!(place.names().len(), 3);
}

fn vanished(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let contents = [keep(&folder, model(1)), keep(&folder, model(1))];
    refer(&own, model(1), 1, [&contents[0], &contents[1]]);
    place.names().iter().for_each(|name| place.remove(name));
    assert_eq!(kind(folder.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
    assert_eq!(kind(folder.sweep(&own)), StoreErrorKind::Unavailable);
    let again = Folder::open(place.root(), &own).unwrap();
    assert_eq!(again.standing(), FolderStanding::Vanished);
    assert_eq!(kind(again.ensure_removable()), StoreErrorKind::Unavailable);
    assert_eq!(kind(again.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
    assert!(place.names().is_empty());
}

fn begun_at_once(place: &dyn Place) {
    let stores = [store(1), store(2)];
    let folders = [0, 0, 1, 1].map(|of: usize| Folder::open(place.root(), &stores[of]).unwrap());
    let begun = thread::scope(|scope| {
        let begin = |folder| move || Folder::begin(folder, &acme(), model(1)).map(drop);
        let all: Vec<_> = folders.iter().map(|folder| scope.spawn(begin(folder))).collect();
        all.into_iter().map(|it| it.join().unwrap().is_ok()).collect::<Vec<_>>()
    });
    assert!(
        begun == [true, true, false, false] || begun == [false, false, true, true],
        "{begun:?}"
    );
}

fn recorded_at_once(place: &dyn Place) {
    let own = store(1);
    let folders = [0; 4].map(|_| Folder::open(place.root(), &own).unwrap());
    keep(&folders[0], model(1));
    for number in 1..=8 {
        at(&own, number);
        thread::scope(|scope| {
            for folder in &folders {
                scope.spawn(|| {
                    if let Err(fault) = folder.record(&own) {
                        assert_eq!(fault.kind(), StoreErrorKind::Busy);
                    }
                });
            }
        });
    }
    for folder in &folders {
        assert_eq!(folder.sweep(&own).unwrap(), removed(0));
    }
    let again = Folder::open(place.root(), &own).unwrap();
    assert_eq!(again.standing(), FolderStanding::Owned);
    assert!(own.summary().unwrap().lineage.is_some());
}
