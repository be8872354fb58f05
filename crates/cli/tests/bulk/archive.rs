//! Archives: a zip with audio files and their transcripts.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{add, assert_counts, folder, pairs, report, wav, write};

/// An archive with these entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_archive_has_audio_files_and_their_transcripts() {
    let (first, second, third) = (wav(1), wav(2), wav(3));
    for (place, stored) in [("", false), ("corpus/", true)] {
        let folder = folder(0);
        let name = |name: &str| format!("{place}{name}");
        let transcripts = "\u{feff}a.wav\tfirst text\r\nno.wav\tmissing\na.wav\tagain\n\
            b.wav\tsecond\ttext\nno tab\nblank.wav\t\nnotes.md\tnotes\n";
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, content) in [
            (name("a.wav"), &first[..]),
            (name("b.wav"), &second),
            (name("blank.wav"), &third),
            (name("lone.wav"), &third),
            (name("notes.md"), b"notes"),
            (name("other.md"), b"passed over"),
            ("__MACOSX/._a.wav".to_owned(), b"passed over"),
            (name("._b.wav"), b"passed over"),
            (name("trans.txt"), transcripts.as_bytes()),
        ] {
            writer.start_file(name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        write(&folder, "a.zip", writer.finish().unwrap().into_inner());
        let run = || add(&folder, &["--archive", "a.zip", "--type", "test"]);
        let ended = run();
        assert_counts(&ended, [2, 0, 6]);
        let report = report(&ended);
        let lone = name("lone.wav");
        let reasons = [
            (Value::Null, lone.as_str(), "no line of trans.txt has this name"),
            (2.into(), "no.wav", "not in the archive"),
            (3.into(), "a.wav", "row 1 has the same audio"),
            (5.into(), "no tab", "no tab between name and text"),
            (6.into(), "blank.wav", "Transcript file"),
            (7.into(), "notes.md", "Audio file must be"),
        ];
        for ((row, name, reason), (number, audio, expected)) in report.iter().zip(reasons) {
            assert_eq!((row, name.as_str()), (&number, audio), "{report:?}");
            assert!(reason.contains(expected), "{row}: {reason} is not {expected}");
        }
        assert_counts(&run(), [0, 2, 6]);
        let found = pairs(&folder);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("b.wav".to_owned(), "b.txt".to_owned(), "test".to_owned()));
    }
}

#[test]
fn an_archive_without_one_list_of_transcripts_is_wrong_usage() {
    let folder = folder(0);
    let audio = wav(1);
    for (entries, says) in [
        (&[("a.wav", &audio[..])][..], "no trans.txt in it"),
        (&[("trans.txt", b"a.wav\ta"), ("b/trans.txt", b"a.wav\ta")], "more than one trans.txt"),
        (&[("../trans.txt", b"a.wav\ta")], "trans.txt: the name is a path out of the archive"),
    ] {
        write(&folder, "a.zip", zip(entries));
        add(&folder, &["--archive", "a.zip", "--type", "train"]).is_wrong_usage(says);
    }
}

/// The place of a header of an entry.
fn header(zip: &[u8], signature: &[u8], start: usize, name: &str) -> usize {
    let is_header = |at: &usize| {
        zip[*at..].starts_with(signature) && zip[at + start..].starts_with(name.as_bytes())
    };
    (0..zip.len() - start).find(is_header).unwrap()
}

/// Sets the bit that says that an entry is encrypted, in both of its headers.
fn encrypt(zip: &mut [u8], name: &str) {
    for (signature, flags, start) in [(b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)] {
        let at = header(zip, signature, start, name);
        zip[at + flags] |= 1;
    }
}

#[test]
fn data_3_entries_that_are_not_safe_to_read_are_refused_by_name() {
    let folder = folder(0);
    let (audio, zeros) = (wav(1), vec![0; 80 << 20]);
    let transcripts = "ok.wav\tok\nbomb.wav\tbomb\nsecret.wav\tsecret\n../out.wav\tout\nlink.wav\tlink\n\
        broken.wav\tbroken\nlonger.wav\tlonger\n";
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let stored = options.compression_method(CompressionMethod::Stored);
    for (name, options, content) in [
        ("trans.txt", options, transcripts.as_bytes()),
        ("ok.wav", options, &audio),
        ("bomb.wav", options, &zeros),
        ("secret.wav", options, &audio),
        ("../out.wav", options, &audio),
        ("../unlisted.wav", options, &audio),
        ("longer.wav", options, &audio),
        ("broken.wav", stored, b"RIFF that was changed"),
    ] {
        writer.start_file(name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.add_symlink("link.wav", "/etc/passwd", options).unwrap();
    let mut zip = writer.finish().unwrap().into_inner();
    encrypt(&mut zip, "secret.wav");
    // The size that the list of entries states.
    let size = header(&zip, b"PK\x01\x02", 46, "longer.wav") + 24;
    zip[size..size + 4].copy_from_slice(&1000_u32.to_le_bytes());
    let at = zip.windows(21).position(|it| it == b"RIFF that was changed").unwrap();
    zip[at + 10] ^= 1;
    write(&folder, "a.zip", zip);
    let ended = add(&folder, &["--archive", "a.zip", "--type", "train"]);
    assert_counts(&ended, [1, 0, 7]);
    let report = report(&ended);
    let reasons = [
        (Value::Null, "../unlisted.wav", "a path out of the archive"),
        (2.into(), "bomb.wav", "times its size, as a zip bomb does"),
        (3.into(), "secret.wav", "the entry is encrypted"),
        (4.into(), "../out.wav", "a path out of the archive"),
        (5.into(), "link.wav", "the entry is a link"),
        (6.into(), "broken.wav", "cannot be read: "),
        (7.into(), "longer.wav", "larger than its declared uncompressed size"),
    ];
    for ((row, name, reason), (number, audio, expected)) in report.iter().zip(reasons) {
        assert_eq!((row, name.as_str()), (&number, audio), "{report:?}");
        assert!(reason.contains(expected), "{row}: {reason} is not {expected}");
    }
}

#[test]
fn data_3_entries_that_share_their_bytes_are_a_bomb() {
    let folder = folder(0);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("trans.txt", &b"a.wav\ta"[..]), ("a.wav", &wav(1))] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.shallow_copy_file("a.wav", "b.wav").unwrap();
    write(&folder, "a.zip", writer.finish().unwrap().into_inner());
    add(&folder, &["--archive", "a.zip", "--type", "train"]).is_wrong_usage("share their bytes");
}
