//! Adding many pairs at once, from a manifest or an archive.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod archive;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::time::{Duration, Instant};

use archive::zip;
use serde_json::Value;
use support::{Ended, Folder};

/// A recording of a tenth of a second, another one for each number.
fn wav(number: u32) -> Vec<u8> {
    recording(number, 800)
}

/// A recording of so many samples at 8000 Hz.
fn recording(number: u32, samples: u32) -> Vec<u8> {
    let samples: Vec<u8> =
        (0..samples).flat_map(|at| (((at * (number + 7)) % 2000) as i16).to_le_bytes()).collect();
    let mut wav = b"RIFF".to_vec();
    let length = u32::try_from(samples.len()).unwrap();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    wav
}

/// A folder with a model, and the recordings `0.wav` and so on in the folder `audio`.
fn folder(recordings: u32) -> Folder {
    let folder = Folder::new();
    folder.create(&[]);
    fs::create_dir(folder.path().join("audio")).unwrap();
    for number in 0..recordings {
        fs::write(folder.path().join(format!("audio/{number}.wav")), wav(number)).unwrap();
    }
    folder
}

fn write(folder: &Folder, name: &str, content: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), content).unwrap();
}

fn add(folder: &Folder, arguments: &[&str]) -> Ended {
    folder.run(&[&["data", "add", "1"], arguments].concat())
}

/// Asserts the result of a run: its exit code, and the numbers of rows that were added, present and refused.
fn assert_counts(ended: &Ended, counts: [u64; 3]) {
    let result: Value = serde_json::from_str(&ended.out).unwrap_or_default();
    let found = ["added", "present", "refused"].map(|name| result[name].as_u64().unwrap_or(999));
    assert_eq!(found, counts, "{ended:?}");
    assert_eq!(ended.code, i32::from(counts[2] > 0), "{ended:?}");
    assert_eq!(ended.err.lines().count() as u64, counts[2], "{ended:?}");
}

/// The report: row, audio and the message or the details of the refusal, by row and audio.
fn report(ended: &Ended) -> Vec<(Value, String, String)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let refusal = &line["refusal"];
        let reason = match refusal["details"].as_object() {
            Some(details) => details.values().map(|it| it.as_str().unwrap()).collect(),
            None => refusal["message"].as_str().unwrap().to_owned(),
        };
        (line["row"].clone(), line["audio"].as_str().unwrap_or_default().to_owned(), reason)
    };
    let mut report: Vec<_> = ended.err.lines().map(line).collect();
    report.sort_by_key(|(row, name, _)| (row.as_u64(), name.clone()));
    report
}

/// The pairs of the model: audio, transcript and type.
fn pairs(folder: &Folder) -> Vec<(String, String, String)> {
    let listed: Value = serde_json::from_str(&folder.run(&["data", "list", "1"]).out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |pair: &Value| {
        let names = (text(&pair["audio"]["filename"]), text(&pair["transcript"]["filename"]));
        (names.0, names.1, text(&pair["data_type"]))
    };
    let mut pairs: Vec<_> = listed["result"].as_array().unwrap().iter().map(pair).collect();
    pairs.sort();
    pairs
}

#[test]
fn data_1_manifests_are_tsv_csv_or_json_lines_with_texts_or_paths_and_a_second_run_adds_nothing() {
    for (name, manifest) in [
        ("m.tsv", "audio/0.wav\ta \"quoted\" text\ttrain\naudio/1.wav\taudio/1.txt\ttest\n"),
        (
            "m.tsv",
            "\u{feff}type\taudio\tother\ttext\ntrain\taudio/0.wav\tx\tfirst.\ntest\taudio/1.wav\t\tsecond\r\n",
        ),
        (
            "m.csv",
            "audio/0.wav,\"a text, with \"\"commas\"\"\nand lines\",train\n\naudio/1.wav,audio/1.txt,test\n",
        ),
        (
            "m.CSV",
            "audio,type,transcript,text\naudio/0.wav,train,,first\naudio/1.wav,test,audio/1.TXT,\n",
        ),
        (
            "m.jsonl",
            "{\"audio\":\"audio/0.wav\",\"text\":\"named first.txt\",\"type\":\"train\",\"duration\":1}\n\n\
            {\"audio\":\"audio/1.wav\",\"transcript\":\"audio/1.txt\",\"type\":\"test\"}",
        ),
    ] {
        let folder = folder(2);
        // Paths are relative to the manifest, wherever the command runs.
        fs::create_dir(folder.path().join("corpus")).unwrap();
        fs::rename(folder.path().join("audio"), folder.path().join("corpus/audio")).unwrap();
        write(&folder, "corpus/audio/1.txt", "second");
        write(&folder, "corpus/audio/1.TXT", "second");
        write(&folder, &format!("corpus/{name}"), manifest);
        let path = format!("corpus/{name}");
        assert_counts(&add(&folder, &["--manifest", &path]), [2, 0, 0]);
        let pair = |audio: &str, transcript: &str, kind: &str| {
            (audio.to_owned(), transcript.to_owned(), kind.to_owned())
        };
        let found: Vec<_> = pairs(&folder)
            .into_iter()
            .map(|(audio, transcript, kind)| (audio, transcript.to_lowercase(), kind))
            .collect();
        assert_eq!(
            found,
            [pair("0.wav", "0.txt", "train"), pair("1.wav", "1.txt", "test")],
            "{manifest}"
        );
        assert_counts(&add(&folder, &["--manifest", &path]), [0, 2, 0]);
        assert_eq!(pairs(&folder).len(), 2);
    }
}

#[test]
fn data_2_wrong_rows_among_right_ones_are_reported_with_their_numbers() {
    let folder = folder(3);
    write(&folder, "no-audio.wav", "x");
    write(&folder, "blank.txt", " \n");
    let (long, shown) = ("x".repeat(2 << 20), "y".repeat(200));
    let manifest = format!(
        "audio/0.wav\tfirst\ttrain\n\
        \tsecond\ttrain\n\
        no.wav\tthird\ttrain\n\
        no-audio.wav\tfourth\ttrain\n\
        audio/1.wav\tfifth\texam\n\
        audio/1.wav\tsixth\ttrain\n\
        audio/0.wav\tseventh\ttrain\n\
        audio/2.wav\t \ttrain\n\
        {long}\n\
        ./audio/2.wav\tblank.txt\ttrain\n\
        ./audio/../audio/2.wav\ttext\ttrain\tand\n\
        audio\ttext\ttrain\n\
        {shown}\u{1b}{shown}.wav\ttext\ttrain\n\
        audio/2.wav\tlast\ttrain\n"
    );
    write(&folder, "m.tsv", manifest);
    let ended = add(&folder, &["--manifest", "m.tsv"]);
    assert_counts(&ended, [2, 0, 12]);
    let report = report(&ended);
    let reasons = [
        (2, "", "the row has no audio"),
        (3, "no.wav", "there is no such file"),
        (4, "no-audio.wav", "Audio file"),
        (5, "audio/1.wav", "Type "),
        (6, "audio/1.wav", "row 5 has the same audio"),
        (7, "audio/0.wav", "row 1 has the same audio"),
        (8, "audio/2.wav", "the row has no transcript"),
        (9, "", "the row is longer than 1 MiB"),
        (10, "./audio/2.wav", "Transcript file"),
        (11, "./audio/../audio/2.wav", "the row has 4 fields, not 3"),
        (12, "audio", "this is a folder"),
        // Neither long nor able to steer a terminal.
        (13, &format!("{shown}\\u{{1b}}{}", &shown[..99]), "cannot read"),
    ];
    for ((row, name, reason), (number, audio, expected)) in report.iter().zip(reasons) {
        assert_eq!((row, name.as_str()), (&number.into(), audio), "{report:?}");
        assert!(reason.contains(expected), "{row}: {reason} is not {expected}");
    }
}

#[test]
fn data_2_csv_and_json_rows_that_cannot_be_read_are_reported() {
    let folder = folder(1);
    write(&folder, "m.csv", b"audio/\xff.wav,text,train\naudio/0.wav,text,train\n");
    let ended = add(&folder, &["--manifest", "m.csv"]);
    assert_counts(&ended, [1, 0, 1]);
    assert_eq!(report(&ended)[0].2, "the row is not UTF-8");
    write(
        &folder,
        "m.jsonl",
        "[]\n{\"audio\":\"audio/0.wav\",\"text\":\"text\",\"type\":\"train\"}\n{\n",
    );
    let ended = add(&folder, &["--manifest", "m.jsonl"]);
    assert_counts(&ended, [0, 1, 2]);
    assert!(report(&ended).iter().all(|(_, _, reason)| reason.starts_with("not a row: ")));
    // A quote that is not closed does not take the rest of a large file into memory.
    let unclosed = format!("audio/0.wav,\"text\n{}", "more text\n".repeat(1 << 20));
    write(&folder, "m.csv", unclosed);
    add(&folder, &["--manifest", "m.csv"]).is_wrong_usage("is a quote not closed?");
}

#[test]
fn the_arguments_of_many_pairs_exclude_those_of_one() {
    let folder = folder(1);
    write(&folder, "m.txt", "");
    write(&folder, "a.zip", zip(&[("trans.txt", b"")]));
    for (arguments, says) in [
        (&["--manifest", "m.txt"][..], "has to end in .tsv, .csv or .jsonl"),
        (&["--manifest", "no.tsv"], "there is no such file"),
        (&["--manifest", "m.tsv", "--archive", "a.zip"], "cannot be used with"),
        (&["--manifest", "m.tsv", "--audio", "a.wav"], "cannot be used with"),
        (&["--archive", "a.zip", "--if-revision", "1"], "cannot be used with"),
        (&["--archive", "a.zip"], "the type is missing"),
        (&["--archive", "a.zip", "--type", "train", "--split", "80/20"], "cannot be used with"),
        (&["--archive", "m.txt", "--type", "train"], "not a zip"),
        (&["--archive", "a.zip", "--split", "80/30"], "two percentages"),
        (&["--archive", "a.zip", "--split", "100/0"], "two percentages"),
        (&["--archive", "a.zip", "--split", "80/20", "--jobs", "0"], "0 is not in 1..=64"),
        (&["--split", "80/20"], "required"),
    ] {
        add(&folder, arguments).is_wrong_usage(says);
    }
    let nobody = folder.run(&["data", "add", "7", "--archive", "a.zip", "--type", "test"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("MODEL_NOT_FOUND"), "{}", nobody.err);
}

#[test]
fn a_split_is_by_name_and_the_same_in_every_run() {
    let folder = folder(200);
    let manifest = |numbers: &mut dyn Iterator<Item = u32>| {
        numbers.map(|it| format!("audio/{it}.wav\ttext {it}\n")).collect::<String>()
    };
    write(&folder, "all.tsv", manifest(&mut (0..200)));
    write(&folder, "again.tsv", manifest(&mut (0..200).rev().step_by(3)));
    assert_counts(&add(&folder, &["--manifest", "all.tsv", "--split", "80/20"]), [200, 0, 0]);
    let test = pairs(&folder).iter().filter(|(_, _, kind)| kind == "test").count();
    assert!((20..=60).contains(&test), "{test} of 200");
    // Other rows around a name do not change its type, which would be refused.
    assert_counts(&add(&folder, &["--manifest", "again.tsv", "--split", "80/20"]), [0, 67, 0]);
    let other = add(&folder, &["--manifest", "again.tsv", "--split", "20/80"]);
    assert_eq!(other.code, 1);
    assert!(
        other.err.contains("the model has these files already, to train with"),
        "{}",
        other.err
    );
}

#[test]
fn the_same_files_under_two_names_are_one_pair() {
    let folder = folder(1);
    fs::copy(folder.path().join("audio/0.wav"), folder.path().join("copy.wav")).unwrap();
    write(&folder, "m.tsv", "audio/0.wav\tsame\ttrain\ncopy.wav\tsame\ttrain\n");
    assert_counts(&add(&folder, &["--manifest", "m.tsv"]), [1, 1, 0]);
    assert_counts(&add(&folder, &["--manifest", "m.tsv"]), [0, 2, 0]);
    // Another text makes another pair, and a type of another run is no reason to move one.
    write(&folder, "m.tsv", "audio/0.wav\tother\ttrain\ncopy.wav\tsame\ttest\n");
    let ended = add(&folder, &["--manifest", "m.tsv"]);
    assert_counts(&ended, [1, 0, 1]);
    assert_eq!(report(&ended)[0].2, "the model has these files already, to train with");
}

#[test]
fn a_run_that_was_killed_is_continued() {
    const ROWS: u32 = 400;
    let folder = folder(ROWS);
    let manifest: String =
        (0..ROWS).map(|it| format!("audio/{it}.wav\ttext {it}\ttrain\n")).collect();
    write(&folder, "m.tsv", manifest);
    let run = ["data", "add", "1", "--manifest", "m.tsv", "--jobs", "3"];
    let mut child = folder.command(&run).spawn().unwrap();
    let begun = Instant::now();
    while pairs(&folder).len() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no pair is added");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = pairs(&folder).len() as u64;
    assert!(before < u64::from(ROWS), "the run ended before it was killed");
    assert_counts(&folder.run(&run), [u64::from(ROWS) - before, before, 0]);
    let mut names: Vec<_> = pairs(&folder).into_iter().map(|(audio, ..)| audio).collect();
    names.dedup();
    assert_eq!(names.len(), ROWS as usize);
}

#[test]
fn a_run_ends_with_the_first_failure_that_concerns_every_row() {
    let folder = folder(3);
    let rows: String = (0..3).map(|it| format!("audio/{it}.wav\ttext {it}\ttrain\n")).collect();
    write(&folder, "m.tsv", rows);
    // No folder can be made there.
    write(&folder, "taken", "");
    let ended = add(&folder, &["--manifest", "m.tsv", "--data", "taken"]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
}

#[test]
fn a_listing_has_hours_what_is_missing_and_duplicates() {
    let folder = folder(2);
    write(&folder, "audio/0.wav", recording(0, 28_800));
    write(&folder, "m.tsv", "audio/0.wav\tfirst\ttrain\naudio/1.wav\tsecond\ttest\n");
    assert_counts(&add(&folder, &["--manifest", "m.tsv"]), [2, 0, 0]);
    write(&folder, "first.txt", "first");
    let again = ["--type", "train", "--audio", "audio/0.wav", "--transcript", "first.txt"];
    assert_eq!(add(&folder, &again).code, 0);
    let listed: Value = serde_json::from_str(&folder.run(&["data", "list", "1"]).out).unwrap();
    // Twice 3.6 s, and 0.1 s.
    assert_eq!(
        (&listed["train_hours"], &listed["test_hours"], &listed["missing_hours"]),
        (&0.002.into(), &0.0.into(), &4.998.into())
    );
    let duplicates = serde_json::json!([{"id": 3, "duplicate_of": listed["result"]
        .as_array().unwrap().iter().find(|it| it["audio"]["filename"] == "0.wav").unwrap()["id"]}]);
    assert_eq!(listed["duplicates"], duplicates);
}
