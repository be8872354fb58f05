//! PLACE-2, PLACE-3 and PLACE-5: a folder belongs to one store, and a sweep removes what nothing refers to.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use custom_models_core::{
    AnswerKey, ArchiveChange, ArchiveStore, ContentDigest, CustomModel, DataFile, DataId, DataPair,
    DataType, EventPage, KeptAnswer, LifeStore, MemoryStore, ModelId, Moment, Organisation, Purge,
    Purged, Record, StoreError, StoreErrorKind, StoreIdentity, StoreSummary, Timestamp,
};
use custom_models_training_data::{
    ContentStore, ContentSweep, Folder, FolderStanding, KeptBack, Leftover,
};
use tempfile::TempDir;

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

fn model(number: u64) -> ModelId {
    ModelId::new(number).unwrap()
}

fn store(number: u8) -> MemoryStore {
    MemoryStore::with_identity(StoreIdentity::from_bytes([number; 16]))
}

/// Has the store give ids away up to one.
fn at(store: &MemoryStore, last_id: u64) {
    store.archive(ArchiveChange::Import(vec![Record::Start { last_id }])).unwrap();
}

/// Writes a content and lets go of it.
fn keep(folder: &Folder, model: ModelId) -> String {
    let mut content = folder.begin(&acme(), model).unwrap();
    content.write_all(b"seven b").unwrap();
    content.keep().unwrap().name().to_owned()
}

/// Has the store refer to two contents, in a pair.
fn refer(store: &MemoryStore, model: ModelId, id: u32, contents: [&str; 2]) {
    let file = |content: &str| DataFile {
        filename: "tone".to_owned(),
        bytes: 7,
        sha256: ContentDigest::from_bytes([7; 32]),
        content: content.to_owned(),
    };
    let pair = DataPair {
        id: DataId::new(id).unwrap(),
        data_type: DataType::Train,
        audio: file(contents[0]),
        audio_millis: 1000,
        transcript: file(contents[1]),
        created_at: Timestamp::from_unix_seconds(1).unwrap(),
    };
    let record = Record::Data { organisation: acme(), model, pair };
    store.archive(ArchiveChange::Import(vec![record])).unwrap();
}

/// A folder of a store that refers to a pair of model 1 in it.
fn owned(store: &MemoryStore) -> (TempDir, Folder, [String; 2]) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(root(&place), store).unwrap();
    assert_eq!(folder.standing(), FolderStanding::New);
    let contents = [keep(&folder, model(1)), keep(&folder, model(1))];
    refer(store, model(1), 1, [&contents[0], &contents[1]]);
    (place, folder, contents)
}

fn root(place: &TempDir) -> PathBuf {
    place.path().join("data")
}

fn unmark(place: &TempDir) {
    fs::remove_file(root(place).join("custom-models.json")).unwrap();
}

/// The contents in a folder.
fn contents(place: &TempDir) -> BTreeSet<String> {
    fn below(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                below(&path, found);
            } else if !name.starts_with("custom-models") {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    below(&root(place), &mut found);
    found
}

/// Makes a content older than the age from which it is removed.
fn age(place: &TempDir, model: u64, content: &str) {
    let path = root(place).join("acme").join(model.to_string()).join(content);
    let then = SystemTime::now() - Folder::MIN_AGE - Duration::from_secs(1);
    File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

fn removed(files: u64) -> ContentSweep {
    ContentSweep { files, bytes: 7 * files, kept_back: None }
}

fn kept_back(reason: KeptBack) -> ContentSweep {
    ContentSweep { kept_back: Some(reason), ..ContentSweep::default() }
}

fn kind<T>(done: Result<T, StoreError>) -> StoreErrorKind {
    done.err().unwrap().kind()
}

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
    // A copy from before: the same identity, and nothing of what came since.
    let copy = store(1);
    at(&copy, 4);
    let folder = Folder::open(root(&place), &copy).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(folder.standing(), FolderStanding::Behind);
    let behind = kept_back(KeptBack::Behind);
    assert_eq!(folder.sweep(&copy).unwrap(), behind);
    folder.remove_model(&acme(), model(1)).unwrap();
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 0);
    // It is not forgotten when the copy has come as far as the store was.
    at(&copy, 9);
    assert_eq!(folder.sweep(&copy).unwrap(), behind);
    let again = Folder::open(root(&place), &copy).unwrap();
    assert_eq!(again.standing(), FolderStanding::Behind);
    assert_eq!(contents(&place), names.clone().into());
    // Uploads go on meanwhile.
    let new = keep(&again, model(2));
    refer(&copy, model(2), 1, [&new, &new]);
    let (adopted, leftovers) = Folder::adopt(root(&place), &copy).unwrap();
    let left: BTreeSet<_> = leftovers.iter().map(|left| left.name.clone()).collect();
    assert_eq!(left, names.into());
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
    let folder = Folder::open(root(&place), &own).unwrap().with_min_age(Duration::ZERO);
    assert_eq!(folder.standing(), FolderStanding::Owned);
    assert_eq!(kind(Folder::open(root(&place), &store(2))), StoreErrorKind::ForeignData);
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    assert_eq!(contents(&place), names.into(), "{left} is gone");
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
    // An upload would make the folder look like one that the store refers to.
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
    // The place where a disk was mounted is as empty.
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

/// Counts how often it is asked for data, and what it answers with.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    asked: AtomicUsize,
    /// A content that is referred to from the second read on.
    late: Mutex<Option<String>>,
    fails: Mutex<bool>,
}

impl LifeStore for Counting {
    fn events(&self, of: &Organisation, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        self.store.events(of, after, limit)
    }

    fn claimable(
        &self,
        of: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.store.claimable(of, at, limit)
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

    fn answer(&self, of: &Organisation, key: &AnswerKey) -> Result<Option<KeptAnswer>, StoreError> {
        self.store.answer(of, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.store.purge(purge)
    }
}

impl ArchiveStore for Counting {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.store.archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.store.summary()
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.store.verify()
    }
}

/// A folder with pairs of one model, and files that nothing refers to.
fn crowded(pairs: u32, left: u32) -> (TempDir, Folder, Counting) {
    let place = tempfile::tempdir().unwrap();
    let owner = Counting::default();
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

/// An upload that ends while a sweep looks at its model has its lock gone and its pair committed.
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
    // This process touched the files.
    keep(&folder, model(1));
    assert_eq!(folder.sweep(&owner).unwrap(), removed(1));
    assert_eq!(reads(&owner), 2);
    folder.sweep(&owner).unwrap();
    assert_eq!(reads(&owner), 0);
    // Another one changed the store: what it left behind may be of any organisation that has new events.
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
fn a_sweep_ends_with_the_error_of_the_store() {
    let (place, folder, owner) = crowded(1, 1);
    *owner.fails.lock().unwrap() = true;
    assert_eq!(kind(folder.sweep(&owner)), StoreErrorKind::Busy);
    assert_eq!(contents(&place).len(), 3);
}
