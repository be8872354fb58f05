//! DATA-2 with files of five hours of silence from ffmpeg: complete, truncated, damaged, renamed, and as a
//! program that never ends writes them.
//!
//! They run with `CUSTOM_MODELS_AUDIO_TESTS=1`, which `./test` sets after it has installed ffmpeg; otherwise
//! they are reported as ignored.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use custom_models_core::field::ViolationKind;
use custom_models_core::{MemoryStore, ModelId};
use custom_models_training_data::{
    Audio, AudioFault, AudioFormat, Folder, Upload, UploadError, measure,
};
use libtest_mimic::{Arguments, Trial};
use tempfile::TempDir;

/// A kind of file, with the ffmpeg options for it.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    format: AudioFormat,
    /// The options of ffmpeg before the name of the file.
    options: &'static [&'static str],
    /// ffmpeg's name of the format for a pipe.
    piped: &'static str,
    seconds: u64,
    /// The audio in the first three quarters of the file.
    cut: Cut,
    /// The least percentage of the audio with damage in the middle; `None` if it is refused then.
    scratched: Option<u64>,
}

#[derive(Clone, Copy)]
enum Cut {
    /// About three quarters of the audio.
    ThreeQuarters,
    /// Less of it: a large part of the file is tables, and those come first.
    Less,
    /// None: its tables are at the end.
    Nothing,
}

const HOURS_5: u64 = 5 * 3600;

const KINDS: [Kind; 10] = [
    kind("wav", AudioFormat::Wav, &["-c:a", "pcm_u8"], "wav"),
    kind("mp3", AudioFormat::Mp3, &["-c:a", "libmp3lame"], "mp3"),
    // It does not contain its length.
    kind(
        "mp3_without_length",
        AudioFormat::Mp3,
        &["-c:a", "libmp3lame", "-write_xing", "0"],
        "mp3",
    ),
    kind("flac", AudioFormat::Flac, &["-c:a", "flac"], "flac"),
    kind("vorbis", AudioFormat::Ogg, &["-c:a", "libvorbis"], "ogg"),
    // Its encoder is slow.
    Kind {
        seconds: 600,
        ..kind("opus", AudioFormat::Ogg, &["-c:a", "libopus", "-b:a", "8k"], "ogg")
    },
    kind("aac", AudioFormat::Aac, &["-c:a", "aac"], "adts"),
    // The middle is tables, since silence takes little else.
    Kind {
        cut: Cut::Nothing,
        scratched: None,
        ..kind("m4a", AudioFormat::M4a, &["-c:a", "aac"], "")
    },
    Kind {
        cut: Cut::Less,
        ..kind(
            "m4a_with_tables_first",
            AudioFormat::M4a,
            &["-c:a", "aac", "-movflags", "faststart"],
            "",
        )
    },
    // Boxes after a broken box are not found.
    Kind {
        scratched: Some(45),
        ..kind(
            "fragmented_m4a",
            AudioFormat::M4a,
            &["-c:a", "aac", "-movflags", "empty_moov", "-frag_duration", "5000000"],
            "ipod",
        )
    },
];

const fn kind(
    name: &'static str,
    format: AudioFormat,
    options: &'static [&'static str],
    piped: &'static str,
) -> Kind {
    Kind {
        name,
        format,
        options,
        piped,
        seconds: HOURS_5,
        cut: Cut::ThreeQuarters,
        scratched: Some(95),
    }
}

fn main() {
    let is_asked_for = std::env::var("CUSTOM_MODELS_AUDIO_TESTS").is_ok_and(|value| value == "1");
    let mut trials = Vec::new();
    let mut add = |name: String, test: fn(Kind), kind: Kind| {
        let run = move || {
            test(kind);
            Ok(())
        };
        trials.push(Trial::test(name, run).with_ignored_flag(!is_asked_for));
    };
    for kind in KINDS {
        add(format!("data_2_hours_of_{}_are_measured", kind.name), hours, kind);
        if !kind.piped.is_empty() {
            add(
                format!("data_2_{}_without_an_end_counts_as_far_as_it_goes", kind.name),
                endless,
                kind,
            );
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Returns an ffmpeg command that reads silence.
fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    let silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono"];
    command.args(["-nostdin", "-v", "error"]).args(silence).stdin(Stdio::null());
    command
}

fn measured(path: &Path) -> Result<Audio, AudioFault> {
    measure(&mut File::open(path).unwrap())
}

/// Returns true if a duration is right up to the encoder's padding.
fn is_about(millis: u64, seconds: u64) -> bool {
    (seconds * 1000..=seconds * 1000 + 1000).contains(&millis)
}

fn hours(kind: Kind) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(format!("silence.{}", kind.format.extension()));
    let length = kind.seconds.to_string();
    let made = ffmpeg().args(["-t", &length]).args(kind.options).arg(&path).status();
    assert!(made.unwrap().success());
    let whole = measured(&path).unwrap();
    assert!(whole.format == kind.format && is_about(whole.millis, kind.seconds), "{whole:?}");
    renamed(&path, kind.format, folder.path());
    damaged(&path, kind, whole.millis);
    cut(&path, kind, whole.millis);
    File::create(&path).unwrap();
    assert!(matches!(measured(&path), Err(AudioFault::NotAudio)));
}

/// Truncates a file to three quarters. Asserts that the duration of the rest is about right, and that it is
/// refused without its tables.
fn cut(path: &Path, kind: Kind, whole: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 4 * 3).unwrap();
    let left = measured(path);
    let percent = match kind.cut {
        Cut::ThreeQuarters => 65..=85,
        Cut::Less => 1..=85,
        Cut::Nothing => return assert!(matches!(left, Err(AudioFault::NotAudio)), "{left:?}"),
    };
    let left = left.unwrap();
    let is_left = percent.contains(&(left.millis * 100 / whole));
    assert!(left.format == kind.format && is_left, "{left:?} of {whole}");
}

/// Damages the middle of a copy.
fn damaged(path: &Path, kind: Kind, whole: u64) {
    let scratched = path.with_file_name("scratched");
    fs::copy(path, &scratched).unwrap();
    let mut file = File::options().write(true).open(&scratched).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(std::io::SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0x5A; 5000]).unwrap();
    match (measured(&scratched), kind.scratched) {
        (Ok(left), Some(percent)) => {
            let is_left = (percent..=100).contains(&(left.millis * 100 / whole));
            assert!(left.format == kind.format && is_left, "{left:?} of {whole}");
        }
        (Err(AudioFault::NotAudio), None) => {}
        (other, _) => panic!("{other:?}"),
    }
}

/// Asserts that it is refused under the name of any other format.
fn renamed(path: &Path, format: AudioFormat, place: &Path) {
    let audio = fs::read(path).unwrap();
    for other in AudioFormat::ALL {
        let contents = Arc::new(Folder::open(place.join("contents"), &MemoryStore::new()).unwrap());
        let model = ModelId::new(1).unwrap();
        let mut upload = Upload::to(contents, "acme".parse().unwrap(), model);
        let name = format!("silence.{}", other.extension());
        for (part, filename, bytes) in [
            ("type", None, &b"train"[..]),
            ("audio_file", Some(&*name), &audio),
            ("transcript_file", Some("silence.txt"), b"Nothing."),
        ] {
            upload.part(part, filename).unwrap();
            bytes.chunks(1 << 20).for_each(|piece| upload.write(piece).unwrap());
        }
        match upload.finish() {
            Ok(uploaded) if other == format => uploaded.discard().unwrap(),
            Err(UploadError::Invalid(violations)) if other != format => {
                let kinds: Vec<_> = violations.iter().map(|it| it.kind()).collect();
                assert_eq!(kinds, [ViolationKind::OtherFormat], "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Asserts that a stream is measured that came through a pipe until its reader stopped.
fn endless(kind: Kind) {
    const ENOUGH: u64 = 100_000;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("silence");
    let mut command = ffmpeg();
    command.args(kind.options).args(["-f", kind.piped, "pipe:1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let stream = child.stdout.take().unwrap();
    let came = std::io::copy(&mut stream.take(ENOUGH), &mut File::create(&path).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(came.unwrap(), ENOUGH);
    let audio = measured(&path).unwrap();
    assert!(audio.format == kind.format && audio.millis > 1000, "{audio:?}");
    let half = fs::read(&path).unwrap();
    fs::write(&path, &half[..half.len() / 2]).unwrap();
    let less = measured(&path).unwrap().millis;
    assert!(less < audio.millis * 7 / 10, "{less} of {audio:?}");
}
