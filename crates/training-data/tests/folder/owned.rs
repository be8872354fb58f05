//! PLACE-2, PLACE-3 and PLACE-5: a folder belongs to one store.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use custom_models_core::Organisation;
use custom_models_core::store::StoreErrorKind;
use custom_models_training_data::{ContentStore, Folder, FolderStanding, KeptBack, Leftover};

use crate::support::{
    acme, age, at, contents, keep, kept_back, kind, model, owned, refer, removed, root, store,
    unmark,
};

#[test]
fn place_2_a_folder_with_the_mark_of_another_store_is_not_opened() {
    let (own, typo) = (store(1), store(2));
    let (place, _, names) = owned(&own);
    assert_eq!(kind(Folder::open(root(&place), &typo)), StoreErrorKind::ForeignData);
    assert_eq!(kind(Folder::open_read_only(root(&place), &typo)), StoreErrorKind::ForeignData);
    let before = contents(&place);
    assert!(names.iter().all(|name| before.contains(name)));
    let again = Folder::open(root(&place), &own).unwrap();
    assert_eq!(again.standing(), FolderStanding::Owned);
    assert_eq!(again.with_min_age(Duration::ZERO).sweep(&own).unwrap(), removed(0));
    assert_eq!(contents(&place), before);
}

#[test]
fn place_2_who_shares_a_folder_by_mistake_is_refused_with_the_first_write() {
    let (first, second) = (store(1), store(2));
    let place = tempfile::tempdir().unwrap();
    let [one, two] = [&first, &second].map(|it| Folder::open(root(&place), it).unwrap());
    let kept = keep(&one, model(1));
    assert_eq!(kind(two.begin(&acme(), model(1))), StoreErrorKind::ForeignData);
    assert_eq!(kind(two.sweep(&second)), StoreErrorKind::ForeignData);
    assert_eq!(kind(two.remove(&acme(), model(1), &kept)), StoreErrorKind::ForeignData);
    assert_eq!(kind(two.remove_model(&acme(), model(1))), StoreErrorKind::ForeignData);
    assert_eq!(kind(two.remove_organisation(&acme())), StoreErrorKind::ForeignData);
    assert_eq!(contents(&place), [kept].into());
}

#[test]
fn place_2_an_old_copy_of_the_store_sweeps_nothing_until_it_adopts() {
    let now = store(1);
    at(&now, 5);
    let (place, folder, names) = owned(&now);
    assert_eq!(folder.sweep(&now).unwrap(), removed(0));
    // An earlier copy: the same identity, and nothing that came later.
    let copy = store(1);
    at(&copy, 4);
    let folder = Folder::open(root(&place), &copy).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(folder.standing(), FolderStanding::Behind);
    let behind = kept_back(KeptBack::Behind);
    assert_eq!(folder.sweep(&copy).unwrap(), behind);
    names.iter().for_each(|name| folder.remove(&acme(), model(1), name).unwrap());
    folder.remove_model(&acme(), model(1)).unwrap();
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 0);
    // It is still remembered when the copy has advanced as far as the store.
    at(&copy, 9);
    assert_eq!(folder.sweep(&copy).unwrap(), behind);
    let again = Folder::open(root(&place), &copy).unwrap();
    assert_eq!(again.standing(), FolderStanding::Behind);
    assert_eq!(contents(&place), names.clone().into());
    // Uploads continue.
    let new = keep(&again, model(2));
    refer(&copy, model(2), 1, [&new, &new]);
    let (adopted, leftovers) = Folder::adopt(root(&place), &copy).unwrap();
    let left: BTreeSet<_> = leftovers.iter().map(|left| left.name.clone()).collect();
    assert_eq!(left, names.into());
    assert_eq!(adopted.sweep(&copy).unwrap(), kept_back(KeptBack::Adopted));
    assert_eq!(contents(&place).len(), 3, "nothing is removed by the adoption");
    assert_eq!(adopted.with_min_age(Duration::ZERO).sweep(&copy).unwrap(), removed(2));
    assert_eq!(contents(&place), [new].into());
}

#[test]
fn place_2_an_adopted_folder_refuses_the_store_that_had_it() {
    let (former, new) = (store(1), store(2));
    let (place, folder, names) = owned(&former);
    let begun = folder.begin(&acme(), model(1)).unwrap();
    let preview = Folder::preview(root(&place), &new).unwrap();
    let (adopted, leftovers) = Folder::adopt(root(&place), &new).unwrap();
    let names_of = |it: &[Leftover]| it.iter().map(|it| it.name.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names_of(&preview), names_of(&leftovers));
    assert!(names.iter().all(|name| names_of(&leftovers).contains(name)));
    for kind in [
        kind(begun.keep()),
        kind(folder.begin(&acme(), model(1))),
        kind(folder.sweep(&former)),
        kind(folder.record(&former)),
        kind(Folder::open(root(&place), &former)),
    ] {
        assert_eq!(kind, StoreErrorKind::ForeignData);
    }
    assert_eq!(adopted.standing(), FolderStanding::Owned);
    keep(&adopted, model(1));
}

#[test]
fn place_2_a_folder_without_a_mark_is_adopted_by_a_store_that_refers_to_something_in_it() {
    let own = store(1);
    let (place, folder, names) = owned(&own);
    let left = keep(&folder, model(3));
    unmark(&place);
    let reading = Folder::open_read_only(root(&place), &own).unwrap();
    assert_eq!(reading.standing(), FolderStanding::Owned);
    assert!(!root(&place).join("custom-models.json").exists(), "reading writes no mark");
    reading.open(&acme(), model(1), &names[0]).unwrap();
    age(&place, 3, &left);
    let folder = Folder::open(root(&place), &own).unwrap();
    assert_eq!((folder.standing(), folder.adopted_leftovers()), (FolderStanding::Owned, 1));
    assert_eq!(kind(Folder::open(root(&place), &store(2))), StoreErrorKind::ForeignData);
    // Its files may belong to a newer store, of which this one is a copy.
    assert_eq!(folder.sweep(&own).unwrap(), kept_back(KeptBack::Adopted));
    folder.remove(&acme(), model(3), &left).unwrap();
    folder.remove_model(&acme(), model(3)).unwrap();
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 0);
    assert_eq!(contents(&place).len(), 3);
    assert_eq!(folder.with_min_age(Duration::ZERO).sweep(&own).unwrap(), removed(1));
    assert_eq!(contents(&place), names.clone().into(), "{left} is gone");
    // If the owner is not in doubt, removals are not delayed.
    unmark(&place);
    let whole = Folder::open(root(&place), &own).unwrap();
    assert_eq!((whole.standing(), whole.adopted_leftovers()), (FolderStanding::Owned, 0));
    assert_eq!(whole.sweep(&own).unwrap(), removed(0));
    whole.remove_model(&acme(), model(1)).unwrap();
    assert!(contents(&place).is_empty());
}

#[test]
fn place_2_a_folder_without_a_mark_that_nothing_refers_to_is_left_alone() {
    let (place, _, names) = owned(&store(1));
    unmark(&place);
    let typo = store(2);
    at(&typo, 9);
    refer(&typo, model(1), 1, [&"a".repeat(32), &"b".repeat(32)]);
    let folder = Folder::open(root(&place), &typo).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(folder.standing(), FolderStanding::Unclaimed);
    assert_eq!(folder.sweep(&typo).unwrap(), kept_back(KeptBack::Unclaimed));
    // An upload would make the folder look as if the store referred to it.
    assert_eq!(kind(folder.begin(&acme(), model(2))), StoreErrorKind::Unavailable);
    folder.remove_model(&acme(), model(1)).unwrap();
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 0);
    assert_eq!(contents(&place), names.into());
}

#[test]
fn place_2_a_mark_that_cannot_be_read_stops_everything_but_an_adoption() {
    let own = store(1);
    let (place, folder, names) = owned(&own);
    fs::write(root(&place).join("custom-models.json"), b"{").unwrap();
    assert_eq!(kind(Folder::open(root(&place), &own)), StoreErrorKind::Damaged);
    assert_eq!(kind(folder.sweep(&own)), StoreErrorKind::Damaged);
    assert_eq!(kind(folder.begin(&acme(), model(1))), StoreErrorKind::Damaged);
    Folder::adopt(root(&place), &own).unwrap();
    assert_eq!(Folder::open(root(&place), &own).unwrap().standing(), FolderStanding::Owned);
    assert_eq!(contents(&place), names.into());
}

#[test]
fn place_3_a_folder_that_vanished_is_not_made_anew() {
    let own = store(1);
    let (place, folder, _) = owned(&own);
    fs::rename(root(&place), place.path().join("moved")).unwrap();
    let again = Folder::open(root(&place), &own).unwrap();
    assert_eq!(again.standing(), FolderStanding::Vanished);
    for folder in [&folder, &again] {
        assert_eq!(kind(folder.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
        assert_eq!(kind(folder.sweep(&own)), StoreErrorKind::Unavailable);
    }
    assert!(!root(&place).exists());
    // A mount point without its disk is also empty.
    fs::create_dir(root(&place)).unwrap();
    let mounted = Folder::open(root(&place), &own).unwrap();
    assert_eq!(mounted.standing(), FolderStanding::Vanished);
    assert_eq!(kind(mounted.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
    fs::remove_dir(root(&place)).unwrap();
    fs::rename(place.path().join("moved"), root(&place)).unwrap();
    keep(&folder, model(1));
    assert_eq!(folder.sweep(&own).unwrap(), removed(0));
}

#[test]
fn edit_5_the_contents_of_an_organisation_go_but_for_those_that_are_written() {
    let own = store(1);
    let (place, folder, names) = owned(&own);
    keep(&folder, model(2));
    let under_way = folder.begin(&acme(), model(2)).unwrap();
    let other: Organisation = "zebra".parse().unwrap();
    let kept = folder.begin(&other, model(3)).unwrap().keep().unwrap();
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 3, "{names:?}");
    let under_way = under_way.keep().unwrap().name().to_owned();
    assert_eq!(contents(&place), [under_way, kept.name().to_owned()].into());
    assert_eq!(folder.remove_organisation(&"nobody".parse().unwrap()).unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn place_5_files_and_folders_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (place, folder, names) = owned(&store(1));
    let _under_way = folder.begin(&acme(), model(1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let root = root(&place);
    for folder in ["", "acme", "acme/1"] {
        assert_eq!(mode(&root.join(folder)), 0o700, "{folder}");
    }
    let mut files = vec![root.join("custom-models.json"), root.join("acme/1").join(&names[0])];
    files.extend(fs::read_dir(root.join("acme/1")).unwrap().map(|it| it.unwrap().path()));
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}
