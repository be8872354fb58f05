use super::*;

fn said(line: &str) -> (Option<u8>, Option<String>, Option<String>) {
    match TrainerMessage::read(line.as_bytes()) {
        Some(TrainerMessage::Report { progress, metrics }) => {
            let shown = metrics.as_ref().map(|it| serde_json::to_string(&it.metrics).unwrap());
            (progress.map(Progress::get), shown, metrics.and_then(|it| it.rejected))
        }
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn lines_for_people_are_no_words() {
    for line in ["", "epoch 3", "{}", "[1]", "42", r#"{"epoch":3}"#, "{", r#"{"progress":"x"}"#] {
        assert_eq!(TrainerMessage::read(line.as_bytes()), None, "{line}");
    }
    assert_eq!(TrainerMessage::read(b"\xff"), None);
    for line in [r#"{"progress":101}"#, r#"{"progress":-1}"#, r#"{"progress":null}"#] {
        assert_eq!(TrainerMessage::read(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn train_3_a_line_has_progress_metrics_or_both_beside_anything_else() {
    assert_eq!(said(r#"{"progress":42}"#), (Some(42), None, None));
    assert_eq!(said(r#"{"progress":99.9,"epoch":3}"#), (Some(99), None, None));
    let both = said(r#" {"epoch":3,"progress":100,"metrics":{"loss":0.5,"word_error_rate":1}}"#);
    let shown = r#"{"word_error_rate":1.0,"loss":0.5}"#.to_owned();
    assert_eq!(both, (Some(100), Some(shown), None));
    assert_eq!(said(r#"{"metrics":{}}"#), (None, Some("{}".to_owned()), None));
}

#[test]
fn train_3_metrics_that_break_the_rule_are_left_out_and_named() {
    let line =
        r#"{"metrics":{"Loss":1,"a":1e999,"b":null,"c":"1","d":1,"d":2,"word_error_rate":0.5}}"#;
    let (_, shown, rejected) = said(line);
    assert_eq!(shown.unwrap(), r#"{"word_error_rate":0.5,"d":2.0}"#);
    assert_eq!(
        rejected.unwrap(),
        "'Loss' (a name is 1 to 64 characters of a-z, 0-9 and _), 'a' (not a finite number), \
        'c' (not a finite number), 'd' (given more than once, the last counts)"
    );
    let many: Vec<_> = (0..40).map(|number| format!(r#""m{number:02}":{number}"#)).collect();
    let (_, shown, rejected) =
        said(&format!(r#"{{"metrics":{{{},"training_hours":1}}}}"#, many.join(",")));
    let shown = shown.unwrap();
    assert!(shown.starts_with(r#"{"training_hours":1.0,"m00":0.0,"#), "{shown}");
    assert!(shown.ends_with(r#","m30":30.0}"#), "{shown}");
    let rejected = rejected.unwrap();
    assert!(rejected.starts_with("'m31' (more than 32), "), "{rejected}");
    assert!(rejected.ends_with("'m35' (more than 32), 4 more"), "{rejected}");
    let (_, _, long) = said(&format!(r#"{{"metrics":{{"{}":1}}}}"#, "語".repeat(9000)));
    assert!(long.unwrap().chars().count() < 100);
}

#[test]
fn train_3_metrics_that_cannot_be_read_are_no_lines_for_people() {
    for line in [
        r#"{"metrics": {"loss": NaN}}"#,
        "{'metrics': {'loss': 0.5}}",
        r#"{"metrics":[0.5]}"#,
        r#"{"metrics":0.5}"#,
        r#"{"metrics":{"loss":0.5}"#,
    ] {
        let word = TrainerMessage::read(line.as_bytes());
        assert!(matches!(word, Some(TrainerMessage::Unreadable(_))), "{line}: {word:?}");
    }
    let cut = TrainerMessage::of_cut_line(br#"{"metrics":{"a"#);
    assert_eq!(cut, Some(TrainerMessage::Unreadable("it is longer than 14 bytes".to_owned())));
    assert_eq!(TrainerMessage::of_cut_line(b"a long line about metrics"), None);
}
