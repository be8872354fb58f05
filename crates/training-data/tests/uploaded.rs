//! DATA-1 to DATA-4: an upload is stored completely, or all its violations are returned.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use custom_models_core::field::{Field, ViolationKind, is_format_character};
use custom_models_core::model::{ContentDigest, DataFile, DataType};
use custom_models_core::store::{NewIdempotencyRecord, StoreErrorKind};
use custom_models_core::{MemoryStore, ModelId, Organisation, Violations};
use custom_models_training_data::{ContentStore, Folder, Upload, UploadError, Uploaded};
use proptest::prelude::*;

const FLAC: &[u8] = include_bytes!("audio/tone.flac");
const MP3: &[u8] = include_bytes!("audio/tone.mp3");
const TEXT: &str = "The rhythm is regular, the rate is 72 – señal clara, 語.";

struct Part<'a> {
    name: &'a str,
    filename: Option<&'a str>,
    bytes: &'a [u8],
}

fn part<'a>(name: &'a str, filename: Option<&'a str>, bytes: &'a [u8]) -> Part<'a> {
    Part { name, filename, bytes }
}

fn right() -> [Part<'static>; 3] {
    [
        part("type", None, b"train"),
        part("audio_file", Some("dictation.flac"), FLAC),
        part("transcript_file", Some("dictation.txt"), TEXT.as_bytes()),
    ]
}

fn acme() -> Organisation {
    "acme".parse().unwrap()
}

fn model() -> ModelId {
    ModelId::new(7).unwrap()
}

fn sent(upload: &mut Upload, parts: &[Part<'_>], chunk: usize) -> Result<(), UploadError> {
    for part in parts {
        upload.part(part.name, part.filename)?;
        for bytes in part.bytes.chunks(chunk.max(1)) {
            upload.write(bytes)?;
        }
    }
    Ok(())
}

fn uploaded(contents: &Folder, parts: &[Part<'_>], chunk: usize) -> Result<Uploaded, UploadError> {
    let mut upload = Upload::to(Arc::new(contents.clone()), acme(), model());
    sent(&mut upload, parts, chunk)?;
    upload.finish()
}

fn digested(parts: &[Part<'_>], chunk: usize) -> Option<ContentDigest> {
    let mut upload = Upload::only_digested();
    sent(&mut upload, parts, chunk).unwrap();
    upload.digest()
}

fn violations(contents: &Folder, parts: &[Part<'_>]) -> BTreeMap<Field, ViolationKind> {
    match uploaded(contents, parts, 1 << 16) {
        Err(UploadError::Invalid(violations)) => kinds(&violations),
        other => panic!("{other:?}"),
    }
}

fn kinds(violations: &Violations) -> BTreeMap<Field, ViolationKind> {
    violations.iter().map(|it| (it.field(), it.kind())).collect()
}

fn files(place: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let Ok(entries) = std::fs::read_dir(place) else { return all };
    for entry in entries {
        let path = entry.unwrap().path();
        let is_content = path.extension().is_none_or(|it| it != "json" && it != "lock");
        if path.is_dir() {
            all.extend(files(&path))
        } else if is_content {
            all.push(path)
        }
    }
    all
}

fn folder() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let contents = Folder::open(place.path().join("data"), &MemoryStore::new()).unwrap();
    (place, contents)
}

#[test]
fn data_4_a_right_upload_is_kept_whole() {
    let (place, contents) = folder();
    let uploaded = uploaded(&contents, &right(), 1000).unwrap();
    let pair = &uploaded.pair;
    assert_eq!((pair.data_type, pair.audio_millis), (DataType::Train, 1000));
    assert_eq!(
        (&*pair.audio.filename, &*pair.transcript.filename),
        ("dictation.flac", "dictation.txt")
    );
    for (file, bytes) in [(&pair.audio, FLAC), (&pair.transcript, TEXT.as_bytes())] {
        assert_eq!(file.bytes, bytes.len() as u64);
        assert_eq!(file.sha256, NewIdempotencyRecord::digest(bytes));
        let mut kept = Vec::new();
        let mut content = contents.open(&acme(), model(), &file.content).unwrap();
        std::io::Read::read_to_end(&mut content, &mut kept).unwrap();
        assert_eq!(kept, bytes);
        let path = contents.path(&acme(), model(), &file.content).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), bytes);
    }
    assert_eq!(files(place.path()).len(), 2);
    uploaded.discard().unwrap();
    assert_eq!(files(place.path()).len(), 0);
}

#[test]
fn data_2_every_violation_is_said_at_once() {
    use ViolationKind::*;
    let (place, contents) = folder();
    let of = |parts: &[Part<'_>]| {
        let found = violations(&contents, parts);
        assert!(files(place.path()).is_empty());
        found
    };
    let [kind, audio, text] = [Field::Type, Field::AudioFile, Field::TranscriptFile];
    assert_eq!(of(&[]), [(kind, Missing), (audio, Missing), (text, Missing)].into());
    let wrong = [
        part("type", None, b"training"),
        part("audio_file", Some("a.txt"), FLAC),
        part("transcript_file", Some("a.flac"), TEXT.as_bytes()),
    ];
    assert_eq!(of(&wrong), [(kind, Unsupported), (audio, Unsupported), (text, Unsupported)].into());
    let empty = [
        part("type", None, b""),
        part("audio_file", Some("a.flac"), b""),
        part("transcript_file", Some("a.txt"), b" \n\t\xE2\x80\x83"),
    ];
    assert_eq!(of(&empty), [(kind, Unsupported), (audio, Blank), (text, Blank)].into());
    let other = [
        part("type", None, b"test"),
        part("audio_file", Some("a.wav"), MP3),
        part("transcript_file", Some("a.txt"), b"good \xFF bad"),
    ];
    assert_eq!(of(&other), [(audio, OtherFormat), (text, NotText)].into());
    let unnamed = [
        part("type", None, b"test"),
        part("audio_file", None, FLAC),
        part("transcript_file", Some(""), b"text"),
    ];
    assert_eq!(of(&unnamed), [(audio, NotAFile), (text, NotAFile)].into());
    let long = format!("{}.flac", "n".repeat(251));
    let cut = [
        part("type", None, b"test"),
        part("audio_file", Some(&long), FLAC),
        part("transcript_file", Some("a.txt"), &"é".as_bytes()[..1]),
    ];
    assert_eq!(of(&cut), [(audio, TooLong), (text, NotText)].into());
    let none = [
        part("type", None, b"test"),
        part("audio_file", Some("a.mp3"), b"no audio at all, but some text"),
        part("transcript_file", Some("a.txt"), b"text"),
    ];
    assert_eq!(of(&none), [(audio, NotAudio)].into());
}

#[test]
fn data_2_a_part_that_is_given_again_is_a_violation_and_others_are_ignored() {
    let (_place, contents) = folder();
    for (name, field) in [
        ("type", Field::Type),
        ("audio_file", Field::AudioFile),
        ("transcript_file", Field::TranscriptFile),
    ] {
        let again = right().into_iter().chain(right().into_iter().filter(|it| it.name == name));
        let parts: Vec<_> = again.collect();
        assert_eq!(violations(&contents, &parts), [(field, ViolationKind::Repeated)].into());
        assert_eq!(digested(&parts, 99), None);
    }
    let parts: Vec<_> = [part("comment", Some("x"), b"any")].into_iter().chain(right()).collect();
    uploaded(&contents, &parts, 99).unwrap();
}

/// The bound holds for every part; this one needs no disk, and no digest of 10 GiB.
#[test]
fn data_3_a_file_of_more_than_10_gib_is_refused_as_soon_as_it_is() {
    const CHUNK: usize = 64 << 20;
    assert_eq!(DataFile::MAX_BYTES, 10 * 1024 * 1024 * 1024);
    let mut upload = Upload::only_digested();
    upload.part("other", None).unwrap();
    let chunk = vec![0; CHUNK];
    for _ in 0..DataFile::MAX_BYTES / CHUNK as u64 {
        upload.write(&chunk).unwrap();
    }
    assert!(matches!(upload.write(b"x"), Err(UploadError::TooLarge)));
}

#[test]
fn data_3_an_upload_that_breaks_off_leaves_nothing() {
    let (place, contents) = folder();
    let mut upload = Upload::to(Arc::new(contents), acme(), model());
    sent(&mut upload, &right(), 1000).unwrap();
    assert_eq!(files(place.path()).len(), 2);
    drop(upload);
    assert_eq!(files(place.path()).len(), 0);
}

#[test]
fn data_4_the_same_file_again_is_another_content() {
    let (place, contents) = folder();
    let first = uploaded(&contents, &right(), 99).unwrap();
    let second = uploaded(&contents, &right(), 1001).unwrap();
    assert_ne!(first.pair.audio.content, second.pair.audio.content);
    assert_eq!(first.request, second.request);
    assert_eq!(files(place.path()).len(), 4);
}

#[test]
fn edit_5_the_contents_of_a_model_go_and_those_of_others_stay() {
    let (place, contents) = folder();
    let gone = uploaded(&contents, &right(), 99).unwrap();
    let mut upload = Upload::to(Arc::new(contents.clone()), acme(), ModelId::new(8).unwrap());
    sent(&mut upload, &right(), 99).unwrap();
    let stays = upload.finish().unwrap();
    drop((gone, stays));
    contents.remove_model(&acme(), model()).unwrap();
    assert_eq!(files(place.path()).len(), 2);
    contents.remove_model(&acme(), model()).unwrap();
}

/// A file that is just being created is not taken from its writer.
#[test]
fn edit_5_what_is_begun_while_its_model_goes_can_be_kept() {
    // In a folder in memory, many more are begun in the same time.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let place = place.unwrap();
    let contents = Folder::open(place.path().join("data"), &MemoryStore::new()).unwrap();
    let is_over = AtomicBool::new(false);
    let faults: Vec<StoreErrorKind> = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    contents.remove_model(&acme(), model()).unwrap();
                }
            });
        }
        let keep = |_| contents.begin(&acme(), model()).and_then(|new| new.keep()?.discard());
        let faults = (0..20_000).filter_map(|number| keep(number).err()).map(|fault| fault.kind());
        let faults = faults.collect();
        is_over.store(true, Ordering::Relaxed);
        faults
    });
    // A writer without success is told to retry.
    assert!(faults.iter().all(|kind| *kind == StoreErrorKind::Busy), "{faults:?}");
}

#[test]
fn a_content_is_removed_once_and_missing_ever_after() {
    let (_place, contents) = folder();
    let uploaded = uploaded(&contents, &right(), 99).unwrap();
    let name = &uploaded.pair.audio.content;
    contents.remove(&acme(), model(), name).unwrap();
    contents.remove(&acme(), model(), name).unwrap();
    let missing = contents.open(&acme(), model(), name).err().unwrap();
    assert_eq!(missing.kind(), StoreErrorKind::Damaged);
}

#[test]
fn a_place_that_cannot_be_is_said() {
    let place = tempfile::tempdir().unwrap();
    let missing = Folder::open(place.path().join("no/such"), &MemoryStore::new()).unwrap_err();
    assert_eq!(missing.kind(), StoreErrorKind::Unavailable);
    std::fs::write(place.path().join("file"), b"").unwrap();
    assert!(Folder::open(place.path().join("file"), &MemoryStore::new()).is_err());
}

fn is_invisible(character: char) -> bool {
    character.is_whitespace() || is_format_character(character)
}

proptest! {
    /// The chunks of a request and the order of its parts do not matter.
    #[test]
    fn data_3_chunks_and_order_do_not_matter(chunk in 1_usize..5000, order in Just([0, 1, 2]).prop_shuffle()) {
        let (_place, contents) = folder();
        let mut parts: Vec<_> = right().into_iter().map(Some).collect();
        let parts: Vec<_> = order.iter().filter_map(|&at| parts[at].take()).collect();
        let found = uploaded(&contents, &parts, chunk).unwrap();
        prop_assert_eq!(found.pair.audio.sha256, NewIdempotencyRecord::digest(FLAC));
        prop_assert_eq!(digested(&parts, chunk), Some(found.request));
        prop_assert_eq!(digested(&right(), 1 << 20), Some(found.request));
    }

    /// Any change of the sent data is another request.
    #[test]
    fn idem_1_another_name_or_content_is_another_request(at in any::<prop::sample::Index>(), which in 0..5) {
        let mut audio = FLAC.to_vec();
        let mut text = TEXT.as_bytes().to_vec();
        let mut names = ["dictation.flac", "dictation.txt"].map(str::to_owned);
        let mut kind = "train";
        match which {
            0 => { let at = at.index(audio.len()); audio[at] ^= 1; }
            1 => { let at = at.index(text.len()); text[at] ^= 1; }
            2 => names[0].insert(0, 'x'),
            3 => names[1].insert(0, 'x'),
            _ => kind = "test",
        }
        let changed = [
            part("type", None, kind.as_bytes()),
            part("audio_file", Some(&names[0]), &audio),
            part("transcript_file", Some(&names[1]), &text),
        ];
        prop_assert_ne!(digested(&changed, 777), digested(&right(), 777));
    }

    /// File names are data: they never affect the location of the files.
    #[test]
    fn data_4_no_name_of_a_file_is_a_path(name in "(\\.\\./|/|\\\\|[a-z]|\\.|\u{0}|é){0,20}") {
        let (place, contents) = folder();
        let (audio, text) = (format!("{name}.flac"), format!("{name}.txt"));
        let parts = [
            part("type", None, b"train"),
            part("audio_file", Some(&audio), FLAC),
            part("transcript_file", Some(&text), TEXT.as_bytes()),
        ];
        let found = uploaded(&contents, &parts, 4096);
        prop_assert_eq!(found.is_ok(), !name.is_empty());
        let files = files(place.path());
        prop_assert_eq!(files.len(), if name.is_empty() { 0 } else { 2 });
        prop_assert!(files.iter().all(|it| it.parent() == Some(&place.path().join("data/acme/7"))));
        if let Ok(found) = found {
            prop_assert_eq!(found.pair.audio.filename, audio);
        }
    }

    /// A transcript is validated alike however it is split.
    #[test]
    fn data_1_a_transcript_is_text_with_something_in_it(
        bytes in prop::collection::vec(prop_oneof![Just(b' '), Just(0xE2), Just(0x80), Just(0x83), any::<u8>()], 1..12),
        chunk in 1_usize..5,
    ) {
        let (_place, contents) = folder();
        let parts = [
            part("type", None, b"test"),
            part("audio_file", Some("a.flac"), FLAC),
            part("transcript_file", Some("a.txt"), &bytes),
        ];
        let expected = match str::from_utf8(&bytes) {
            Err(_) => Some(ViolationKind::NotText),
            Ok(text) if text.contains(|it: char| it.is_control() && !"\t\n\r\u{C}".contains(it)) => {
                Some(ViolationKind::NotText)
            }
            Ok(text) if text.trim_matches(is_invisible).is_empty() => Some(ViolationKind::Blank),
            Ok(_) => None,
        };
        let found = match uploaded(&contents, &parts, chunk) {
            Ok(_) => None,
            Err(UploadError::Invalid(violations)) => Some(violations.get(Field::TranscriptFile).unwrap().kind()),
            Err(other) => panic!("{other:?}"),
        };
        prop_assert_eq!(found, expected);
    }
}
