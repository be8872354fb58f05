//! Tests of object storage alone: parts, markers, and a service that fails.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::{ArchiveStore, StoreErrorKind};
use custom_models_training_data::{ContentStore, Folder, FolderStanding, Kept, Objects, digest};

use crate::between::Between;
use crate::fixture::{InBucket, PART, Place};
use crate::proxy::{Fault, Proxy};
use crate::stores::{acme, at, keep, kind, model, refer, removed, store};

/// A case, by its name.
type Case = (&'static str, fn(&InBucket));

pub(crate) const CASES: [Case; 17] = [
    ("place_2_of_a_writer_and_a_sweep_that_meet_at_a_marker_one_is_refused", met),
    ("place_2_a_service_without_conditions_is_looked_at_before_each_change", without_conditions),
    ("place_2_a_whole_bucket_is_a_place_too", whole_bucket),
    ("place_2_a_store_takes_either_lineage_that_two_processes_give_it", in_the_middle),
    ("place_5_an_upload_has_no_name_in_the_folder_of_the_host", unnamed),
    ("data_3_a_large_content_is_sent_in_parts_some_at_a_time", parts),
    ("data_3_parts_whose_connection_breaks_or_that_are_not_taken_are_sent_again", broken_parts),
    ("data_4_an_upload_that_cannot_be_sent_leaves_nothing", unsent),
    ("data_4_a_lost_answer_to_the_completion_counts_for_nothing", lost_completion),
    ("data_4_an_object_that_is_not_whole_is_refused", not_whole),
    ("data_3_an_answer_that_breaks_off_is_read_on_or_is_a_fault", half_answers),
    ("place_2_the_upload_of_a_killed_writer_is_aborted_when_its_marker_lapsed", killed),
    ("place_2_what_is_held_is_not_swept_while_its_marker_is_young", held),
    ("place_2_an_upload_whose_marker_a_sweep_took_is_refused_at_its_commit", lapsed),
    ("place_2_a_lost_answer_to_a_mark_is_told_from_another_writer", lost_marks),
    ("place_3_a_service_that_is_away_is_no_empty_place", away),
    ("place_5_no_error_shows_a_credential", secrets),
];

/// Returns a folder that is reached through a proxy.
fn through(place: &InBucket, proxy: &Proxy, own: &custom_models_core::MemoryStore) -> Folder {
    Folder::open(place.objects(proxy.port()), own).unwrap()
}

/// Returns a content of two parts and a bit.
fn large() -> Vec<u8> {
    (0..(PART / 4 * 2 + 9)).flat_map(|it| u32::try_from(it).unwrap().to_be_bytes()).collect()
}

fn sent(
    folder: &Folder,
    bytes: &[u8],
) -> Result<Box<dyn Kept>, custom_models_core::store::StoreError> {
    let mut content = folder.begin(&acme(), model(1)).unwrap();
    content.write_all(bytes).unwrap();
    content.keep()
}

fn assert_whole(folder: &Folder, kept: &dyn Kept, bytes: &[u8]) {
    let opened = folder.open(&acme(), model(1), kept.name()).unwrap();
    assert_eq!(digest(opened).unwrap(), digest(bytes).unwrap());
}

fn parts(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    let bytes = large().repeat(4);
    let kept = sent(&folder, &bytes).unwrap();
    assert_eq!(proxy.seen("partNumber="), bytes.len().div_ceil(PART));
    assert!((1..=4).contains(&proxy.most_parts()), "{}", proxy.most_parts());
    assert_whole(&folder, &*kept, &bytes);
    assert!(place.names().contains(&format!("acme/1/{}.writing", kept.name())));
    drop(kept);
    drop(folder);
    assert_eq!(place.names().len(), 2, "the mark and the content");
    // A content of at most one part is sent with one request.
    let again = through(place, &proxy, &own);
    drop(sent(&again, &bytes[..PART]).unwrap());
    assert_eq!(proxy.seen("?uploads"), 1);
}

fn broken_parts(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    proxy.break_at("partNumber=1", Fault::Cut, 1);
    proxy.break_at("partNumber=2", Fault::Busy, 3);
    proxy.break_at("partNumber=3", Fault::Lost, 1);
    let bytes = large();
    let kept = sent(&folder, &bytes).unwrap();
    assert_eq!(proxy.seen("partNumber=2"), 4);
    assert_eq!(proxy.seen("partNumber=3"), 2);
    assert_whole(&folder, &*kept, &bytes);
    // A content sent with one request, too.
    for fault in [Fault::Cut, Fault::Busy, Fault::Lost] {
        proxy.break_at("PUT ", fault, 1);
        assert_whole(&folder, &*sent(&folder, b"seven b").unwrap(), b"seven b");
    }
}

fn unsent(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    keep(&folder, model(1));
    let before = place.names();
    for (text, bytes) in [("partNumber=2", &*large()), ("PUT ", b"seven b")] {
        proxy.break_at(text, Fault::Busy, 4);
        let fault = sent(&folder, bytes).unwrap_err();
        assert_eq!(fault.kind(), StoreErrorKind::Unavailable);
        let told = std::error::Error::source(&fault).unwrap().to_string();
        assert_eq!(told, "object storage: the service answered 503");
    }
    drop(folder);
    assert_eq!((place.names(), place.uploads()), (before, "0".to_owned()));
}

fn lost_completion(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    let bytes = large();
    for times in [1, 4] {
        proxy.break_at("?uploadId=", Fault::Lost, times);
        let kept = sent(&folder, &bytes).unwrap();
        assert_whole(&folder, &*kept, &bytes);
    }
    assert_eq!(place.uploads(), "0");
}

fn not_whole(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    // The completion fails.
    proxy.break_at("?uploadId=", Fault::Busy, 4);
    assert_eq!(kind(sent(&folder, &large())), StoreErrorKind::Unavailable);
    drop(folder);
    assert_eq!((place.names().len(), place.uploads()), (1, "0".to_owned()));
}

fn half_answers(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    let name = keep(&folder, model(1));
    for (times, is_read) in [(1, true), (99, false)] {
        proxy.break_at("GET /data/prefix", Fault::Half, times);
        let read = digest(folder.open(&acme(), model(1), &name).unwrap()).ok();
        assert_eq!(read, is_read.then(|| digest(&b"seven b"[..]).unwrap()));
    }
}

fn killed(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    keep(&folder, model(1));
    // From its completion on nothing gets through, as on a machine without a network.
    proxy.break_at("?uploadId=", Fault::Busy, 4);
    proxy.break_at("DELETE ", Fault::Busy, 99);
    proxy.break_at("HEAD ", Fault::Busy, 99);
    assert!(sent(&folder, &large()).is_err());
    proxy.die(true);
    drop(folder);
    let marker = place.names().into_iter().find(|name| name.ends_with(".writing")).unwrap();
    assert_eq!(place.uploads(), "1");
    let other = Folder::open(place.root(), &own).unwrap();
    assert_eq!(other.sweep(&own).unwrap(), removed(0));
    assert_eq!((place.names().len(), place.uploads()), (3, "1".to_owned()));
    place.age(&marker);
    assert_eq!(other.sweep(&own).unwrap().files, 1);
    assert_eq!((place.names().len(), place.uploads()), (2, "0".to_owned()));
}

fn held(place: &InBucket) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let kept = sent(&folder, &large()).unwrap();
    let name = format!("acme/1/{}", kept.name());
    // The age of an object counts from the beginning of its upload.
    place.age(&name);
    let other = Folder::open(place.root(), &own).unwrap();
    assert_eq!(other.sweep(&own).unwrap(), removed(0));
    other.remove_model(&acme(), model(1)).unwrap();
    assert!(place.names().contains(&name));
    kept.ensure_held().unwrap();
    drop(kept);
    drop(folder);
    other.sweep(&own).unwrap();
    assert_eq!(place.names().len(), 1, "the mark alone");
}

fn met(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let writing = Folder::open(place.root(), &own).unwrap().with_min_age(Duration::ZERO);
    let kept: Arc<dyn Kept> = Arc::from(sent(&writing, &large()).unwrap());
    let [content, marker] = ["", ".writing"].map(|it| format!("acme/1/{}{it}", kept.name()));
    [&content, &marker].iter().for_each(|name| place.age(name));
    // The sweep has read the marker, and is about to take it.
    let writer = Arc::clone(&kept);
    proxy.before(&format!("PUT /data/{}", place.key(&marker)), move || {
        writer.ensure_held().unwrap()
    });
    assert_eq!(through(place, &proxy, &own).sweep(&own).unwrap(), removed(0));
    assert!(place.names().contains(&content) && place.names().contains(&marker));
    kept.ensure_held().unwrap();
}

fn lapsed(place: &InBucket) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    // A writer whose signs of life expire at once, like one that was delayed.
    let slow = folder.clone().with_min_age(Duration::ZERO);
    let kept = sent(&slow, &large()).unwrap();
    let [content, marker] = ["", ".writing"].map(|it| format!("acme/1/{}{it}", kept.name()));
    kept.ensure_held().unwrap();
    [&content, &marker].iter().for_each(|name| place.age(name));
    kept.ensure_held().unwrap();
    assert_eq!(folder.sweep(&own).unwrap().files, 0, "it gave a sign of life");
    [&content, &marker].iter().for_each(|name| place.age(name));
    assert_eq!(folder.sweep(&own).unwrap().files, 1);
    for _ in 0..2 {
        assert_eq!(kind(kept.ensure_held()), StoreErrorKind::Unavailable);
    }
    // A content sent with one request has no marker at first. Its age alone protects it, for a limited time.
    let small = sent(&slow, b"seven b").unwrap();
    assert_eq!(kind(small.ensure_held()), StoreErrorKind::Unavailable);
    let small = sent(&folder, b"seven b").unwrap();
    small.ensure_held().unwrap();
    // A marker that its writer left beside a content with a reference is removed alone.
    let other = sent(&folder, &large()).unwrap();
    refer(&own, model(1), 1, [small.name(), other.name()]);
    let [content, marker] = ["", ".writing"].map(|it| format!("acme/1/{}{it}", other.name()));
    place.age(&marker);
    place.age(&content);
    folder.sweep(&own).unwrap();
    assert!(place.names().contains(&content) && !place.names().contains(&marker));
}

fn lost_marks(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    proxy.break_at("custom-models.json", Fault::Lost, 1);
    keep(&folder, model(1));
    // At a marker.
    proxy.break_at(".writing", Fault::Lost, 1);
    let kept = sent(&folder, &large()).unwrap();
    kept.ensure_held().unwrap();
    // At each mark of a change, and of an adoption.
    for number in 1..=3 {
        at(&own, number);
        proxy.break_at("PUT ", Fault::Lost, 2);
        folder.record(&own).unwrap();
    }
    proxy.break_at("PUT ", Fault::Lost, 2);
    let (taken, _) = Folder::adopt(place.objects(proxy.port()), &own).unwrap();
    assert_eq!(taken.standing(), FolderStanding::Owned);
    let other = store(2);
    assert_eq!(kind(Folder::open(place.root(), &other)), StoreErrorKind::ForeignData);
    assert_eq!(Folder::open(place.root(), &own).unwrap().standing(), FolderStanding::Owned);
}

fn away(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    let name = keep(&folder, model(1));
    proxy.die(true);
    assert_eq!(kind(folder.open(&acme(), model(1), &name)), StoreErrorKind::Unavailable);
    assert_eq!(kind(folder.sweep(&own)), StoreErrorKind::Unavailable);
    assert_eq!(kind(Folder::open(place.objects(proxy.port()), &own)), StoreErrorKind::Unavailable);
    proxy.die(false);
    assert!(folder.open(&acme(), model(1), &name).is_ok());
    // A missing bucket is not an empty one.
    let options = InBucket::options(proxy.port());
    let nowhere = Objects::at("s3://no-such-bucket/prefix", options).unwrap();
    assert_eq!(kind(Folder::open(nowhere, &own)), StoreErrorKind::Unavailable);
}

fn whole_bucket(place: &InBucket) {
    let own = store(1);
    let whole = Objects::at("s3://whole/", InBucket::options(place.server().port())).unwrap();
    assert_eq!(whole.url(), "s3://whole");
    let folder = Folder::open(whole.clone(), &own).unwrap().with_min_age(Duration::ZERO);
    let names = [(); 3].map(|()| keep(&folder, model(1)));
    refer(&own, model(1), 1, [&names[0], &names[1]]);
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    assert_eq!(kind(Folder::open(whole, &store(2))), StoreErrorKind::ForeignData);
}

fn without_conditions(place: &InBucket) {
    let own = store(1);
    let mut options = InBucket::options(place.server().port());
    options.settings.push(("aws_conditional_put".to_owned(), "disabled".to_owned()));
    let objects = Objects::at("s3://data/unconditional", options).unwrap();
    let folder = Folder::open(objects.clone(), &own).unwrap().with_min_age(Duration::ZERO);
    let kept = sent(&folder, &large()).unwrap();
    at(&own, 1);
    folder.record(&own).unwrap();
    kept.ensure_held().unwrap();
    let marker = format!("unconditional/acme/1/{}.writing", kept.name());
    place.server().told(&["put", &marker, "taken by a sweep"]);
    assert_eq!(kind(kept.ensure_held()), StoreErrorKind::Unavailable);
    assert_eq!(kind(Folder::open(objects, &store(2))), StoreErrorKind::ForeignData);
}

fn unnamed(place: &InBucket) {
    let (own, host) = (store(1), tempfile::tempdir().unwrap());
    let mut options = InBucket::options(place.server().port());
    options.temporary_folder = Some(host.path().to_owned());
    let objects = Objects::at("s3://data/unnamed", options.clone()).unwrap();
    let folder = Folder::open(objects, &own).unwrap();
    let mut content = folder.begin(&acme(), model(1)).unwrap();
    content.write_all(b"seven b").unwrap();
    assert_eq!(host.path().read_dir().unwrap().count(), 0);
    content.keep().unwrap();
    options.temporary_folder = Some(host.path().join("no/such"));
    let objects = Objects::at("s3://data/unnamed", options).unwrap();
    let elsewhere = Folder::open(objects, &own).unwrap();
    assert_eq!(kind(elsewhere.begin(&acme(), model(1))), StoreErrorKind::Unavailable);
}

/// Two processes give their store a lineage; the last one to write the mark is not the one whose lineage the
/// store takes.
fn in_the_middle(place: &InBucket) {
    let own = store(1);
    let [first, second] = [(); 2].map(|()| Folder::open(place.root(), &own).unwrap());
    keep(&first, model(1));
    // It has one already.
    first.record(&own).unwrap();
    at(&own, 1);
    let others = Between::store_with(&own, |own, of_the_first| {
        let first_goes_on = Between::store_with(own, |own, _| {
            own.archive(of_the_first.clone()).unwrap();
        });
        second.record(&first_goes_on).unwrap();
    });
    first.record(&others).unwrap();
    for folder in [&first, &second] {
        assert_eq!(folder.sweep(&own).unwrap(), removed(0));
    }
    assert_eq!(Folder::open(place.root(), &own).unwrap().standing(), FolderStanding::Owned);
}

fn secrets(place: &InBucket) {
    let (own, proxy) = (store(1), Proxy::to(place.server().port()));
    let folder = through(place, &proxy, &own);
    let objects = place.objects(proxy.port());
    let mut content = folder.begin(&acme(), model(1)).unwrap();
    content.write_all(b"seven b").unwrap();
    proxy.break_at("HTTP/1.1", Fault::Busy, 99);
    let fault = content.keep().unwrap_err();
    let opened = Folder::open(objects.clone(), &own).unwrap_err();
    let told = format!("{fault} {fault:?} {opened:?} {folder:?} {objects:?}").to_lowercase();
    assert!(!told.contains("opensesame"), "{told}");
}
