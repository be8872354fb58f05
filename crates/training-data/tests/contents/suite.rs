//! The suite for every storage: contents are kept, read, removed and swept.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use custom_models_core::store::StoreErrorKind;
use custom_models_training_data::{ContentStore, Folder, KeptBack, Upload, UploadError, digest};

use crate::fixture::Place;
use crate::stores::{acme, at, keep, kept_back, kind, model, refer, removed, store};

/// A case, by its name.
pub(crate) type Case = (&'static str, fn(&dyn Place));

pub(crate) const CASES: [Case; 9] = [
    ("data_3_a_content_is_read_as_it_was_written", read_as_written),
    ("data_3_what_is_not_kept_is_nowhere", nowhere),
    ("data_4_a_pair_is_kept_whole_or_not_at_all", kept_whole),
    ("data_6_a_content_that_is_removed_is_gone", gone),
    ("edit_5_the_contents_of_a_model_and_of_an_organisation_are_removed", cleared),
    ("place_2_a_sweep_removes_what_is_old_and_referred_to_by_nothing", swept),
    ("place_2_what_a_killed_writer_left_is_swept_when_it_is_old", half_written),
    ("place_2_many_contents_are_swept_at_once", many),
    ("place_2_what_is_missing_is_counted", missing),
];

fn read_as_written(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    // More than one read returns.
    let bytes: Vec<u8> = (0..6_000_000_u32).flat_map(|it| (it % 251).to_be_bytes()).collect();
    let mut content = folder.begin(&acme(), model(1)).unwrap();
    content.write_all(&bytes).unwrap();
    content.seek(SeekFrom::Start(3)).unwrap();
    let mut read = [0; 9];
    content.read_exact(&mut read).unwrap();
    assert_eq!(read, bytes[3..12], "before it is kept");
    content.seek(SeekFrom::End(0)).unwrap();
    let kept = content.keep().unwrap();
    let again = Folder::open(place.root(), &own).unwrap();
    let mut opened = again.open(&acme(), model(1), kept.name()).unwrap();
    let length = opened.seek(SeekFrom::End(-5)).unwrap() + 5;
    let mut end = Vec::new();
    opened.read_to_end(&mut end).unwrap();
    assert_eq!((length, &*end), (bytes.len() as u64, &bytes[bytes.len() - 5..]));
    opened.seek(SeekFrom::Start(0)).unwrap();
    assert_eq!(digest(opened).unwrap(), digest(&*bytes).unwrap());
}

fn nowhere(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let mut content = folder.begin(&acme(), model(1)).unwrap();
    content.write_all(b"seven b").unwrap();
    let name = content.name().to_owned();
    assert_eq!(kind(folder.open(&acme(), model(1), &name)), StoreErrorKind::Damaged);
    drop(content);
    assert_eq!(kind(folder.open(&acme(), model(1), &name)), StoreErrorKind::Damaged);
    assert_eq!(kind(folder.open(&acme(), model(1), "../../x")), StoreErrorKind::Damaged);
    assert_eq!(place.names().into_iter().collect::<Vec<_>>(), ["custom-models.json"]);
}

fn kept_whole(place: &dyn Place) {
    let own = store(1);
    let folder = Arc::new(Folder::open(place.root(), &own).unwrap());
    let audio: &[u8] = include_bytes!("../audio/tone.flac");
    let upload = |transcript: &[u8]| {
        let mut upload = Upload::to(Arc::clone(&folder) as _, acme(), model(1));
        let parts = [
            ("type", None, "train".as_bytes()),
            ("audio_file", Some("a.flac"), audio),
            ("transcript_file", Some("a.txt"), transcript),
        ];
        for (name, filename, bytes) in parts {
            upload.part(name, filename).unwrap();
            upload.write(bytes).unwrap();
        }
        upload.finish()
    };
    assert!(matches!(upload(b"\0"), Err(UploadError::Invalid(_))));
    assert_eq!(place.names().len(), 1, "the mark alone");
    let uploaded = upload(b"The rhythm is regular.").unwrap();
    for file in [&uploaded.pair.audio, &uploaded.pair.transcript] {
        let found = digest(folder.open(&acme(), model(1), &file.content).unwrap()).unwrap();
        assert_eq!(found, (file.bytes, file.sha256));
    }
    uploaded.discard().unwrap();
    assert_eq!(place.names().len(), 1, "the mark alone");
}

fn gone(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let [name, other] = [keep(&folder, model(1)), keep(&folder, model(1))];
    folder.remove(&acme(), model(2), &name).unwrap();
    for _ in 0..2 {
        folder.remove(&acme(), model(1), &name).unwrap();
    }
    folder.remove(&acme(), model(1), "../../custom-models.json").unwrap();
    assert_eq!(kind(folder.open(&acme(), model(1), &name)), StoreErrorKind::Damaged);
    assert!(folder.open(&acme(), model(1), &other).is_ok());
    assert_eq!(place.names().len(), 2);
}

fn cleared(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let other = "acme-2".parse().unwrap();
    for number in [1, 1, 11, 2] {
        keep(&folder, model(number));
    }
    let mut content = folder.begin(&other, model(1)).unwrap();
    content.write_all(b"x").unwrap();
    drop(content.keep().unwrap());
    folder.remove_model(&acme(), model(1)).unwrap();
    let prefixes = |place: &dyn Place| {
        let names = place.names().into_iter().filter(|name| name.len() > 33);
        names.map(|name| name[..name.len() - 33].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(prefixes(place), ["acme-2/1", "acme/11", "acme/2"]);
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 2);
    assert_eq!(prefixes(place), ["acme-2/1"]);
    assert_eq!(folder.remove_organisation(&acme()).unwrap(), 0);
}

fn swept(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    let [audio, transcript, old, young] = [1, 1, 1, 1].map(|number| keep(&folder, model(number)));
    refer(&own, model(1), 1, [&audio, &transcript]);
    for name in [&audio, &transcript, &old] {
        place.age(&format!("acme/1/{name}"));
    }
    place.write("acme/1/notes.txt", "nothing of ours");
    place.age("acme/1/notes.txt");
    let leftovers = folder.leftovers(&own).unwrap();
    let mut found: Vec<_> = leftovers.iter().map(|left| (&left.name, left.is_due)).collect();
    found.sort();
    let mut expected = [(&old, true), (&young, false)];
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(folder.sweep(&own).unwrap(), removed(1));
    let left = ["acme/1/notes.txt".to_owned(), "custom-models.json".to_owned()].into_iter();
    let left = left.chain([&audio, &transcript, &young].map(|name| format!("acme/1/{name}")));
    assert_eq!(place.names(), left.collect());
    assert_eq!(folder.sweep(&own).unwrap(), removed(0));
}

fn half_written(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    keep(&folder, model(1));
    let content = "0123456789abcdef0123456789abcdef";
    let half = format!("acme/1/{}", place.half(content));
    place.write(&half, "{\"change\":\"1\"}");
    assert_eq!(kind(folder.open(&acme(), model(1), content)), StoreErrorKind::Damaged);
    assert_eq!(folder.sweep(&own).unwrap().files, 0);
    assert!(place.names().contains(&half), "it may be at work");
    place.age(&half);
    assert_eq!(folder.sweep(&own).unwrap().files, 1);
    assert_eq!(place.names().len(), 2, "the mark and a young content");
}

fn many(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap().with_min_age(Duration::ZERO);
    keep(&folder, model(1));
    // More than one page of a list, and more than one request removes.
    for number in 0..1100_u32 {
        place.write(&format!("acme/2/{number:032x}"), "seven b");
    }
    assert_eq!(folder.sweep(&own).unwrap(), removed(1101));
    assert_eq!(place.names().len(), 1);
}

fn missing(place: &dyn Place) {
    let own = store(1);
    let folder = Folder::open(place.root(), &own).unwrap();
    for number in [1, 2] {
        let contents = [keep(&folder, model(number)), keep(&folder, model(number))];
        refer(&own, model(number), 1, [&contents[0], &contents[1]]);
        place.remove(&format!("acme/{number}/{}", contents[0]));
    }
    assert_eq!(folder.missing(&own).unwrap(), 2);
    // Another store refers to none of it.
    let other = store(2);
    let adopted = Folder::adopt(place.root(), &other).unwrap();
    assert_eq!((adopted.0.missing(&other).unwrap(), adopted.1.len()), (0, 2));
    at(&other, 9);
    assert_eq!(adopted.0.sweep(&other).unwrap(), kept_back(KeptBack::Adopted));
}
