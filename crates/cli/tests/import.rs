//! Exports that are written, killed, piped, edited and brought in.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::Folder;

/// A store with a registration, a key, two models, a pair of data and a history, and its export.
fn filled() -> (Folder, Vec<String>) {
    let folder = Folder::new();
    folder.run(&["org", "add", "acme"]);
    folder.run(&["key", "create", "--org", "acme", "--scope", "custom_models:read"]);
    for name in ["one", "two"] {
        folder.create(&["--org", "acme", "--description", name]);
    }
    let audio = include_bytes!("../../training-data/tests/audio/tone.flac");
    std::fs::write(folder.path().join("tone.flac"), audio).unwrap();
    std::fs::write(folder.path().join("tone.txt"), "a tone").unwrap();
    let files = ["--type", "train", "--audio", "tone.flac", "--transcript", "tone.txt"];
    let added = folder.run(&[&["data", "add", "1", "--org", "acme"], &files[..]].concat());
    assert_eq!(added.code, 0, "{}", added.err);
    let exported = folder.run(&["export", "-"]);
    assert_eq!((exported.code, exported.err.as_str()), (0, ""));
    let lines: Vec<String> = exported.out.lines().map(str::to_owned).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line.split('"').nth(3).unwrap()).collect();
    let expected = [
        "start",
        "registration",
        "key",
        "organisation",
        "model",
        "model",
        "data",
        "event",
        "event",
        "event",
        "end",
    ];
    assert_eq!(kinds, expected);
    (folder, lines)
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

const ANSWER: &str = r#"{"record":"answer","organisation":"acme","operation":"delete","target":1,"key":"k","kept":{"request":"0000000000000000000000000000000000000000000000000000000000000000","at":1,"status":204,"revision":1,"body":"{}"}}"#;

const TO_NEW: [&str; 4] = ["import", "-", "--store", "sqlite:new.db"];

#[test]
fn a_store_is_moved_through_a_pipe() {
    let (folder, lines) = filled();
    let ended = folder.pasted(
        "custom-models export - | custom-models import - --store sqlite:new.db && custom-models \
        export - --store sqlite:new.db",
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(ended.out, format!("{{\"records\":10}}\n{}", text(&lines)));
    // A reader who leaves has what they wanted.
    let ended = folder.pasted("custom-models export - | head -c 1");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn a_pipe_that_is_cut_short_makes_no_store() {
    let (folder, lines) = filled();
    let all = text(&lines);
    for length in [0, 1, all.len() / 2, all.len() - 1] {
        let ended = folder.run_with_input(&TO_NEW, &all.as_bytes()[..length]);
        ended.is_wrong_usage("'-': line ");
        assert!(ended.err.contains("the export is cut short"), "{}", ended.err);
    }
    assert!(!folder.path().join("new.db").exists());
}

#[test]
fn a_line_that_contradicts_or_repeats_another_is_named() {
    let (folder, lines) = filled();
    let find = |kind: &str| lines.iter().position(|line| line.contains(kind)).unwrap();
    let (key, counters) = (find("\"record\":\"key\""), find("\"record\":\"organisation\""));
    let (model, data) = (find("\"record\":\"model\""), find("\"record\":\"data\""));
    let event = find("\"record\":\"event\"");
    let repeated = |at: usize| (at + 1, lines[at].clone());
    let changed = |at: usize, from: &str, to: &str| {
        assert!(lines[at].contains(from), "{from}: {}", lines[at]);
        lines[at].replace(from, to)
    };
    let id = lines[key].split("\"id\":\"").nth(1).unwrap()[..12].to_owned();
    let digest = lines[key].split("\"digest\":\"").nth(1).unwrap()[..64].to_owned();
    let content = lines[data].split("\"content\":\"").nth(1).unwrap()[..32].to_owned();
    // Where a line is put, the line, and what is said of it.
    let added = [
        (repeated(1), "a second registration of acme"),
        (repeated(key), "a second key"),
        ((key + 1, changed(key, &id, "000000000000")), "the digest of key 000000000000 is"),
        ((key + 1, changed(key, &digest, &"0".repeat(64))), "a second key"),
        ((key, changed(key, "acme", "zebra")), "a key of zebra, which is not registered"),
        (repeated(counters), "second counters of acme"),
        ((model + 2, lines[model].clone()), "more models of acme than it counts"),
        (
            (data, changed(data, "\"model\":1", "\"model\":9")),
            "data of model 9, which is not there",
        ),
        (repeated(data), "data 1 of model 1 behind data 1"),
        (repeated(event), "event 1 of acme in place of event 2"),
        ((event + 3, changed(event, "\"position\":1", "\"position\":4")), "beyond its last event"),
        ((model, lines[data].clone()), "data of model 1, which is not there"),
        (
            (data + 1, lines[1].replace("acme", "zebra")),
            "a record registration behind a record data",
        ),
        ((2, lines[0].clone()), "the record `start` has to be the first line, and only that"),
        ((model, changed(model, "acme", "zebra")), "no counters of zebra"),
    ];
    let replaced = [
        ((model, changed(model, "\"id\":1", "\"id\":3")), "model 3 is beyond the last id, 2"),
        ((model + 1, changed(model, "one", "two")), "a second model 1"),
        ((data, changed(data, &content, "../../../etc/passwd")), "32 hexadecimal digits"),
        ((data, changed(data, &content, "/etc/passwd")), "32 hexadecimal digits"),
        ((data, changed(data, &content, &content.to_uppercase()[..31])), "32 hexadecimal digits"),
        ((event, changed(event, "\"position\":1", "\"position\":2")), "in place of event 1"),
        ((0, changed(0, "\"last_id\":2", "\"last_id\":1")), "model 2 is beyond the last id, 1"),
        (
            (counters, changed(counters, "\"first_event\":1", "\"first_event\":9")),
            "the history of acme begins behind its end",
        ),
    ];
    let mut edited = Vec::new();
    for ((at, line), says) in added {
        let mut lines = lines.clone();
        lines.insert(at, line);
        edited.push((at, lines, says));
    }
    for ((at, line), says) in replaced {
        let mut lines = lines.clone();
        lines[at] = line;
        edited.push((if at == 0 { model + 1 } else { at }, lines, says));
    }
    for (at, lines, says) in edited {
        let ended = folder.run_with_input(&TO_NEW, text(&lines).as_bytes());
        ended.is_wrong_usage(&format!("'-': line {}: ", at + 1));
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
    assert!(!folder.path().join("new.db").exists());
}

#[test]
fn model_1_a_number_that_no_store_holds_is_named_and_no_store_is_made() {
    let (folder, mut lines) = filled();
    let last = lines.len();
    lines[last - 1] = ANSWER.to_owned();
    lines.push(format!(r#"{{"record":"end","lines":{last}}}"#));
    for (kind, from, to, says) in [
        ("start", "\"last_id\":2", "\"last_id\":9007199254740992", "last_id 9007199254740992 is"),
        ("start", "\"last_id\":2", "\"last_id\":9223372036854775808", "is beyond the largest"),
        ("start", "\"last_id\":2", "\"last_id\":18446744073709551616", "not a record"),
        ("start", "\"last_id\":2", "\"last_id\":-1", "not a record"),
        (
            "organisation",
            "\"models\":2",
            "\"models\":9007199254740992",
            "models 9007199254740992 is",
        ),
        (
            "organisation",
            "\"last_event\":3,\"first_event\":1",
            "\"last_event\":9007199254740992,\"first_event\":9007199254740992",
            "last_event 9007199254740992 is",
        ),
        ("model", "\"revision\":", "\"revision\":9999999999999999", "revision 9999999999999999"),
        ("data", "\"audio_millis\":", "\"audio_millis\":99999999999999", "audio_millis 99999999"),
        ("data", "\"bytes\":", "\"bytes\":99999999999999", "bytes 99999999999999"),
        (
            "answer",
            "\"revision\":1",
            "\"revision\":9007199254740992",
            "revision 9007199254740992 is",
        ),
        ("answer", "\"status\":204", "\"status\":0", "status 0 is none of HTTP"),
    ] {
        let kind = format!("{{\"record\":\"{kind}\"");
        let at = lines.iter().position(|line| line.starts_with(&kind)).unwrap();
        assert!(lines[at].contains(from), "{from}: {}", lines[at]);
        let mut lines = lines.clone();
        lines[at] = lines[at].replacen(from, to, 1);
        let ended = folder.run_with_input(&TO_NEW, text(&lines).as_bytes());
        ended.is_wrong_usage(&format!("'-': line {}: ", at + 1));
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
    assert!(!folder.path().join("new.db").exists());
    lines[0] = lines[0].replace("\"last_id\":2", "\"last_id\":9007199254740991");
    let ended = folder.run_with_input(&TO_NEW, text(&lines).as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.err);
}

/// A second line may come at any place: an answer that is kept under the same key.
#[test]
fn an_answer_that_is_kept_twice_is_named() {
    let (folder, mut lines) = filled();
    let end = lines.len() - 1;
    lines.splice(end..end, [ANSWER.to_owned(), ANSWER.to_owned()]);
    let ended = folder.run_with_input(&TO_NEW, text(&lines).as_bytes());
    ended.is_wrong_usage(&format!("'-': line {}: ", end + 2));
    assert!(ended.err.contains("a second answer of acme under one key"), "{}", ended.err);
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_that_is_killed_has_no_name_and_is_in_nobodys_way() {
    let (folder, lines) = filled();
    // An export of many models is long, whatever else there is.
    let mut many = vec![r#"{"record":"start","last_id":2000}"#.to_owned()];
    many.push(
        lines[3]
            .replace("\"models\":2", "\"models\":2000")
            .replace("\"last_event\":3", "\"last_event\":0"),
    );
    let model = lines[5].clone();
    assert!(model.contains("\"id\":2"), "{model}");
    many.extend((1..=2000).map(|id| model.replace("\"id\":2", &format!("\"id\":{id}"))));
    many.push(format!(r#"{{"record":"end","lines":{}}}"#, many.len()));
    let many = text(&many);
    assert_eq!(folder.run_with_input(&TO_NEW, many.as_bytes()).code, 0);
    // The system kills whatever writes a file of more than so many blocks.
    let line = "ulimit -f 200; exec custom-models export all.jsonl --store sqlite:new.db";
    let mut shell = std::process::Command::new("bash");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_custom-models"));
    let path =
        format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = shell.args(["-c", line]).current_dir(folder.path()).env("PATH", path).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), None, "it was to be killed: {output:?}");
    let there = |name: &str| folder.path().join(name).exists();
    assert!(!there("all.jsonl"), "half an export has the name of a whole one");
    assert!(there("all.jsonl.custom-models-part"), "{:?}", folder.files());
    let again = folder.run(&["export", "all.jsonl", "--store", "sqlite:new.db"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    assert!(!there("all.jsonl.custom-models-part"), "{:?}", folder.files());
    let written = std::fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    assert!(written == many, "it is not what was imported");
}

#[test]
fn of_two_imports_at_once_one_fills_the_store() {
    let (folder, lines) = filled();
    std::fs::write(folder.path().join("all.jsonl"), text(&lines)).unwrap();
    let started: Vec<_> = (0..4)
        .map(|_| folder.command(&["import", "all.jsonl", "--store", "sqlite:new.db"]).spawn())
        .collect();
    let mut filled = 0;
    for child in started {
        let ended = support::Ended::from(child.unwrap().wait_with_output().unwrap());
        if ended.code == 0 {
            filled += 1;
        } else {
            ended.is_wrong_usage("--store: the store is not empty");
        }
    }
    assert_eq!(filled, 1);
    let exported = folder.run(&["export", "-", "--store", "sqlite:new.db"]);
    assert_eq!(exported.out, text(&lines));
}

/// Digests of keys are in it, and what callers sent.
#[cfg(unix)]
#[test]
fn place_5_an_export_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, _) = filled();
    let ended = folder.pasted("umask 022; custom-models export all.jsonl");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let found = folder.path().join("all.jsonl").metadata().unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
}
