//! Target `upload`: uploads of any parts, in chunks of any size.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use arbitrary::Arbitrary;
use custom_models_core::field::ViolationKind;
use custom_models_core::model::{DataFile, DataType};
use custom_models_core::{MemoryStore, ModelId, Organisation};
use custom_models_training_data::{
    AudioFault, ContentStore, Folder, Upload, UploadError, Uploaded, digest, measure,
};
use tempfile::TempDir;
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::audio::quiet;
use crate::stores::parent;

/// One second of sound in each format.
const TONES: [(&str, &[u8]); 6] = [
    ("mp3", include_bytes!("../../crates/training-data/tests/audio/tone.mp3")),
    ("wav", include_bytes!("../../crates/training-data/tests/audio/tone.wav")),
    ("flac", include_bytes!("../../crates/training-data/tests/audio/tone.flac")),
    ("m4a", include_bytes!("../../crates/training-data/tests/audio/tone.m4a")),
    ("aac", include_bytes!("../../crates/training-data/tests/audio/tone.aac")),
    ("ogg", include_bytes!("../../crates/training-data/tests/audio/tone.ogg")),
];

/// A part of an upload: a valid one, or any.
#[derive(Arbitrary, Debug)]
pub enum Part<'a> {
    /// `train`.
    Type,
    /// A tone under the name of its format.
    Audio(u8),
    /// A text.
    Transcript,
    /// A part of any kind, valid or invalid.
    Any(AnyPart<'a>),
}

/// A part that may be invalid.
#[derive(Arbitrary, Debug)]
pub struct AnyPart<'a> {
    name: Name<'a>,
    filename: Option<Filename<'a>>,
    pieces: Vec<Piece<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Type,
    Audio,
    Transcript,
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Filename<'a> {
    Audio(u8),
    Text,
    Long(u8),
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Train,
    Test,
    Tone(u8),
    Any(&'a [u8]),
}

impl Part<'_> {
    fn name(&self) -> &str {
        match self {
            Part::Type | Part::Any(AnyPart { name: Name::Type, .. }) => "type",
            Part::Audio(_) | Part::Any(AnyPart { name: Name::Audio, .. }) => "audio_file",
            Part::Transcript | Part::Any(AnyPart { name: Name::Transcript, .. }) => {
                "transcript_file"
            }
            Part::Any(AnyPart { name: Name::Any(name), .. }) => name,
        }
    }

    fn filename(&self) -> Option<String> {
        let filename = match self {
            Part::Type => return None,
            Part::Audio(at) => &Filename::Audio(*at),
            Part::Transcript => &Filename::Text,
            Part::Any(part) => part.filename.as_ref()?,
        };
        Some(match *filename {
            Filename::Audio(at) => format!("a.{}", TONES[index(at)].0),
            Filename::Text => "a.txt".to_owned(),
            Filename::Long(more) => format!("{}.txt", "a".repeat(200 + usize::from(more))),
            Filename::Any(name) => name.to_owned(),
        })
    }

    fn pieces(&self) -> Vec<&[u8]> {
        match self {
            Part::Type => vec![b"train"],
            Part::Audio(at) => vec![TONES[index(*at)].1],
            Part::Transcript => vec![b"The rhythm ", b"is regular."],
            Part::Any(part) => part.pieces.iter().map(Piece::bytes).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.pieces().concat()
    }
}

impl<'a> Piece<'a> {
    fn bytes(&self) -> &'a [u8] {
        match *self {
            Piece::Train => b"train",
            Piece::Test => b"test",
            Piece::Tone(at) => TONES[index(at)].1,
            Piece::Any(bytes) => bytes,
        }
    }
}

fn index(at: u8) -> usize {
    usize::from(at) % TONES.len()
}

/// Uploads the parts, and compares the result with a simple implementation of the rules.
pub fn check(parts: &[Part<'_>]) {
    quiet();
    let (contents, organisation, model) = place();
    let mut upload = Upload::to(contents.clone(), organisation.clone(), model);
    let mut only_digested = Upload::only_digested();
    for part in parts {
        let filename = part.filename();
        upload.part(part.name(), filename.as_deref()).unwrap();
        part.pieces().into_iter().for_each(|piece| upload.write(piece).unwrap());
        only_digested.part(part.name(), filename.as_deref()).unwrap();
        only_digested.write(&part.bytes()).unwrap();
    }
    let expected = expected(parts);
    match upload.finish() {
        Ok(uploaded) => {
            assert_eq!(expected, BTreeMap::new());
            assert_eq!(only_digested.digest(), Some(uploaded.request));
            check_kept(parts, &uploaded);
            uploaded.discard().unwrap();
        }
        Err(UploadError::Invalid(violations)) => {
            let found = violations.iter().map(|it| (it.field().as_str(), it.kind())).collect();
            assert_eq!(expected, found);
        }
        Err(other) => panic!("{other:?}"),
    }
    let left = contents.leftovers(&MemoryStore::new()).unwrap();
    assert_eq!(left, [], "files are left");
}

/// Returns the folder, organisation and model for every run.
fn place() -> (Arc<Folder>, Organisation, ModelId) {
    thread_local!(static FOLDER: TempDir =
        TempDir::with_prefix_in("custom-models-fuzz-", parent()).unwrap());
    let folder = FOLDER.with(|folder| folder.path().join("data"));
    let contents = Arc::new(Folder::open(folder, &MemoryStore::new()).unwrap());
    (contents, "acme".parse().unwrap(), ModelId::new(1).unwrap())
}

/// A function that returns the violation of a part that occurs once, if it has one.
type Judge = fn(&Part<'_>) -> Option<ViolationKind>;

/// Returns the violation of each invalid part (DATA-1, DATA-2).
fn expected(parts: &[Part<'_>]) -> BTreeMap<&'static str, ViolationKind> {
    let judges: [(&'static str, Judge); 3] =
        [("type", judge_type), ("audio_file", judge_audio), ("transcript_file", judge_transcript)];
    let judged = judges.into_iter().filter_map(|(name, judge)| {
        let fault = match all(parts, name)[..] {
            [] => Some(ViolationKind::Missing),
            [part] => judge(part),
            _ => Some(ViolationKind::Repeated),
        };
        Some((name, fault?))
    });
    judged.collect()
}

fn all<'a, 'b>(parts: &'a [Part<'b>], name: &str) -> Vec<&'a Part<'b>> {
    parts.iter().filter(|part| part.name() == name).collect()
}

fn judge_type(part: &Part<'_>) -> Option<ViolationKind> {
    let is_one = matches!(&part.bytes()[..], b"train" | b"test");
    (!is_one).then_some(ViolationKind::Unsupported)
}

/// Returns the violation of a file name, which must end with one of these extensions.
fn judge_name(name: &str, extensions: &[&str]) -> Option<ViolationKind> {
    let name = name.to_ascii_lowercase();
    let has = |it: &&str| name.len() > it.len() + 1 && name.ends_with(&format!(".{it}"));
    match name.len() {
        0 => Some(ViolationKind::NotAFile),
        256.. => Some(ViolationKind::TooLong),
        _ if extensions.iter().any(has) => None,
        _ => Some(ViolationKind::Unsupported),
    }
}

fn judge_audio(part: &Part<'_>) -> Option<ViolationKind> {
    let name = part.filename().unwrap_or_default();
    if let Some(fault) = judge_name(&name, &TONES.map(|(extension, _)| extension)) {
        return Some(fault);
    }
    let bytes = part.bytes();
    match measure(&mut Cursor::new(&bytes)) {
        _ if bytes.is_empty() => Some(ViolationKind::Blank),
        Ok(audio) if name.to_ascii_lowercase().ends_with(audio.format.extension()) => None,
        Ok(_) => Some(ViolationKind::OtherFormat),
        Err(AudioFault::NotAudio) => Some(ViolationKind::NotAudio),
        Err(AudioFault::OtherCodec(_)) => Some(ViolationKind::OtherCodec),
        Err(AudioFault::LowSampleRate(_)) => Some(ViolationKind::LowSampleRate),
        Err(fault) => panic!("{fault:?}"),
    }
}

fn judge_transcript(part: &Part<'_>) -> Option<ViolationKind> {
    let fault = judge_name(&part.filename().unwrap_or_default(), &["txt"]);
    fault.or_else(|| match String::from_utf8(part.bytes()) {
        Err(_) => Some(ViolationKind::NotText),
        Ok(text) if text.contains(|it: char| it.is_control() && !"\t\n\r\u{C}".contains(it)) => {
            Some(ViolationKind::NotText)
        }
        Ok(text) if !text.contains(is_visible) => Some(ViolationKind::Blank),
        Ok(_) => None,
    })
}

fn is_visible(character: char) -> bool {
    let is_format = get_general_category(character) == GeneralCategory::Format;
    !character.is_whitespace() && !is_format
}

/// Asserts that the stored data is the data sent.
fn check_kept(parts: &[Part<'_>], uploaded: &Uploaded) {
    let sent = |name| all(parts, name)[0];
    let pair = &uploaded.pair;
    let is_train = sent("type").bytes() == b"train";
    assert_eq!(pair.data_type == DataType::Train, is_train);
    let audio = measure(&mut Cursor::new(sent("audio_file").bytes())).unwrap();
    assert_eq!(pair.audio_millis, audio.millis);
    check_file(sent("audio_file"), &pair.audio);
    check_file(sent("transcript_file"), &pair.transcript);
}

fn check_file(sent: &Part<'_>, file: &DataFile) {
    let (contents, organisation, model) = place();
    let mut kept = Vec::new();
    let mut content = contents.open(&organisation, model, &file.content).unwrap();
    content.read_to_end(&mut kept).unwrap();
    assert_eq!(kept, sent.bytes());
    assert_eq!((file.bytes, file.sha256), digest(&kept[..]).unwrap());
    assert_eq!(Some(&file.filename), sent.filename().as_ref());
}
