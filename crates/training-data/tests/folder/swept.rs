//! PLACE-2: a sweep removes files without a reference, with few calls of the store.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use custom_models_core::model::DataPair;
use custom_models_core::store::{
    ArchiveChange, ArchiveStore, ModelStore, Record, StoreError, StoreErrorKind, StoreSummary,
};
use custom_models_core::{MemoryStore, ModelId, Organisation};
use custom_models_training_data::{ContentStore, Folder, FolderStanding};
use tempfile::TempDir;

use crate::hooked::{Hooked, Hooks};
use crate::support::{
    acme, age, at, contents, keep, kind, mark, model, owned, refer, removed, root, store,
};

#[test]
fn place_2_a_file_goes_when_nobody_writes_it_and_it_is_old_enough() {
    let own = store(1);
    let (place, folder, names) = owned(&own);
    let (young, old, held) = (keep(&folder, model(1)), keep(&folder, model(1)), {
        let content = folder.begin(&acme(), model(1)).unwrap();
        content.keep().unwrap()
    });
    let under_way = folder.begin(&acme(), model(1)).unwrap();
    for old in [&old, held.name(), &names[0], &format!("{}.part", under_way.name())] {
        age(&place, 1, old);
    }
    fs::write(root(&place).join("acme/1/notes.txt"), b"not ours").unwrap();
    let due: Vec<String> = folder
        .leftovers(&own)
        .unwrap()
        .into_iter()
        .filter(|it| it.is_due)
        .map(|it| it.name)
        .collect();
    assert_eq!(due, [old]);
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    let held_name = held.name().to_owned();
    drop(held);
    assert_eq!(folder.sweep(&own).unwrap().files, 1, "{held_name} is nobody's now");
    let _held = under_way.keep().unwrap();
    age(&place, 1, &young);
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    assert!(names.iter().all(|name| contents(&place).contains(name)));
    assert!(root(&place).join("acme/1/notes.txt").exists());
}

/// A full disk prevents writing the mark, but not the sweep that makes room.
#[cfg(target_os = "linux")]
#[test]
fn place_2_a_sweep_on_a_full_disk_removes_what_it_may_and_records_later() {
    let own = store(1);
    let (place, folder, names) = owned(&own);
    let left = keep(&folder, model(1));
    age(&place, 1, &left);
    at(&own, 7);
    let before = mark(&place);
    let aside = root(&place).join("custom-models.json.part");
    std::os::unix::fs::symlink("/dev/full", &aside).unwrap();
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    folder.record(&own).unwrap();
    assert_eq!(mark(&place), before);
    assert!(names.iter().all(|name| contents(&place).contains(name)));
    fs::remove_file(&aside).unwrap();
    folder.sweep(&own).unwrap();
    assert_eq!(mark(&place)["last_id"], 7);
}

/// A store that counts its calls, with configurable results.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    asked: AtomicUsize,
    /// A content with a reference from the second read on.
    late: Mutex<Option<String>>,
    fails: Mutex<bool>,
    /// True if it makes changes and does not report them.
    is_silent: AtomicBool,
    /// The folder in another process of the store, which records when the store's summary is read.
    other: Mutex<Option<Folder>>,
}

impl Hooks for Counting {
    fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn data(
        &self,
        of: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) == 1
            && let Some(late) = self.late.lock().unwrap().take()
        {
            refer(&self.store, model, 99, [&late, &late]);
        }
        if *self.fails.lock().unwrap() {
            return Err(StoreErrorKind::Busy.into());
        }
        self.store.data(of, model, after, limit)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        let archived = self.store.archive(change)?;
        let is_silent = self.is_silent.load(Ordering::Relaxed);
        if is_silent { Err(StoreErrorKind::OutcomeUnknown.into()) } else { Ok(archived) }
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        if let Some(other) = self.other.lock().unwrap().take() {
            at(&self.store, self.store.summary()?.last_id + 1);
            other.record(&self.store)?;
        }
        self.store.summary()
    }
}

/// Returns a folder with pairs of one model, and files without a reference.
fn crowded(pairs: u32, left: u32) -> (TempDir, Folder, Hooked<Counting>) {
    let place = tempfile::tempdir().unwrap();
    let owner = Hooked::<Counting>::default();
    let folder = Folder::open(root(&place), &owner).unwrap().with_min_age(Duration::ZERO);
    for id in 1..=pairs {
        let contents = [keep(&folder, model(1)), keep(&folder, model(1))];
        refer(&owner.store, model(1), id, [&contents[0], &contents[1]]);
    }
    (0..left).for_each(|_| drop(keep(&folder, model(1))));
    (place, folder, owner)
}

#[test]
fn a_sweep_reads_the_data_of_a_model_once_and_once_more_before_it_removes() {
    for (pairs, left, reads) in [(1, 0, 1), (20, 0, 1), (20, 1, 2), (20, 20, 2)] {
        let (place, folder, owner) = crowded(pairs, left);
        assert_eq!(folder.sweep(&owner).unwrap(), removed(left.into()));
        assert_eq!(owner.asked.load(Ordering::Relaxed), reads, "{pairs} pairs, {left} left");
        assert_eq!(contents(&place).len(), 2 * pairs as usize);
    }
}

/// An upload that ends while a sweep examines its model has released its lock and committed its pair.
#[test]
fn place_2_a_file_that_is_referred_to_meanwhile_stays() {
    let (place, folder, owner) = crowded(1, 2);
    let late = folder.leftovers(&owner).unwrap().remove(0).name;
    owner.asked.store(0, Ordering::Relaxed);
    *owner.late.lock().unwrap() = Some(late.clone());
    assert_eq!(folder.sweep(&owner).unwrap(), removed(1));
    assert!(contents(&place).contains(&late));
}

#[test]
fn a_sweep_of_an_idle_store_asks_it_for_nothing() {
    let (_place, folder, owner) = crowded(3, 0);
    let reads = |owner: &Counting| owner.asked.swap(0, Ordering::Relaxed);
    folder.sweep(&owner).unwrap();
    assert_eq!(reads(&owner), 1);
    folder.sweep(&owner).unwrap();
    assert_eq!(reads(&owner), 0);
    // This process changed the files.
    keep(&folder, model(1));
    assert_eq!(folder.sweep(&owner).unwrap(), removed(1));
    assert_eq!(reads(&owner), 2);
    folder.sweep(&owner).unwrap();
    assert_eq!(reads(&owner), 0);
    // Another process changed the store: its leftovers may be in any organisation with new events.
    at(&owner.store, 77);
    let (other, limit) = (Folder::open(folder.root(), &owner).unwrap(), Duration::ZERO);
    keep(&other.with_min_age(limit), model(1));
    let organisation = acme();
    let counters = Record::Organisation { organisation, models: 1, last_event: 4, first_event: 5 };
    owner.archive(ArchiveChange::Import(vec![counters])).unwrap();
    assert_eq!(folder.sweep(&owner).unwrap(), removed(1));
}

#[test]
fn a_sweep_looks_again_at_what_it_could_not_remove_yet() {
    let (place, folder, owner) = crowded(1, 1);
    let patient = folder.clone().with_min_age(Folder::MIN_AGE);
    assert_eq!(patient.sweep(&owner).unwrap(), removed(0));
    let left = folder.leftovers(&owner).unwrap().remove(0).name;
    age(&place, 1, &left);
    assert_eq!(patient.sweep(&owner).unwrap(), removed(1));
}

#[test]
fn place_2_a_record_of_another_process_does_not_make_the_store_a_copy() {
    let (_place, folder, owner) = crowded(1, 0);
    folder.record(&owner).unwrap();
    for open in [Folder::open, Folder::open_read_only] {
        *owner.other.lock().unwrap() = Some(folder.clone());
        let opened = open(folder.root(), &owner).unwrap();
        assert_eq!(opened.standing(), FolderStanding::Owned);
        *owner.other.lock().unwrap() = Some(folder.clone());
        assert_eq!(folder.sweep(&owner).unwrap(), removed(0));
    }
}

/// Whichever of the two writes fails, the mark has the store's lineage.
#[test]
fn place_2_a_record_that_failed_leaves_the_store_its_folder() {
    let (place, folder, owner) = crowded(1, 0);
    let lineage = || owner.summary().unwrap().lineage;
    for round in 1..4 {
        at(&owner.store, 2 * round);
        let before = lineage();
        // No mark can be written while its name is taken.
        let aside = root(&place).join("custom-models.json.part");
        fs::create_dir(&aside).unwrap();
        assert_eq!(kind(folder.sweep(&owner)), StoreErrorKind::Failed);
        assert_eq!(lineage(), before);
        fs::remove_dir(aside).unwrap();
        assert_eq!(folder.sweep(&owner).unwrap(), removed(0));
        at(&owner.store, 2 * round + 1);
        let before = lineage();
        owner.is_silent.store(true, Ordering::Relaxed);
        assert_eq!(kind(folder.sweep(&owner)), StoreErrorKind::OutcomeUnknown);
        assert_ne!(lineage(), before);
        owner.is_silent.store(false, Ordering::Relaxed);
        assert_eq!(folder.sweep(&owner).unwrap(), removed(0));
    }
}

#[test]
fn place_2_an_adoption_of_unknown_outcome_is_ended_by_the_next_opening() {
    let (_place, folder, owner) = crowded(1, 0);
    owner.is_silent.store(true, Ordering::Relaxed);
    assert_eq!(kind(Folder::adopt(folder.root(), &owner)), StoreErrorKind::OutcomeUnknown);
    owner.is_silent.store(false, Ordering::Relaxed);
    let opened = Folder::open(folder.root(), &owner).unwrap();
    assert_eq!(opened.standing(), FolderStanding::Owned);
}

#[test]
fn a_sweep_ends_with_the_error_of_the_store() {
    let (place, folder, owner) = crowded(1, 1);
    *owner.fails.lock().unwrap() = true;
    assert_eq!(kind(folder.sweep(&owner)), StoreErrorKind::Busy);
    assert_eq!(contents(&place).len(), 3);
}
