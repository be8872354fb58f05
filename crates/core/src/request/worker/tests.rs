//! TRAIN-3: the requests of workers, and their violations.

use super::*;

fn faults<T: std::fmt::Debug>(from_validated: Result<T, Violations>) -> Vec<(Field, String)> {
    let violations = from_validated.unwrap_err();
    violations.iter().map(|it| (it.field(), it.message().into_owned())).collect()
}

#[test]
fn what_is_right_is_taken_as_it_is_meant() {
    let time = LeaseTime::new(Duration::from_secs(86400)).unwrap();
    let claim = ClaimTraining::from_json(br#"{"lease_seconds":86400,"x":[]}"#);
    assert_eq!(claim, Ok(ClaimTraining { time }));
    assert_eq!(ClaimTraining::from_json(b"{}"), Ok(ClaimTraining::default()));
    let beat = Heartbeat::from_json(br#"{"f\u0065nce":7,"training_progress":100}"#).unwrap();
    assert_eq!((beat.fence.get(), beat.progress), (7, Progress::ALL));
    assert_eq!(beat.time, LeaseTime::default());
    let body = br#"{"fence":1,"training_metrics":{"word_error_rate":1e-2,"training_hours":-3}}"#;
    let metrics = TrainingSucceeded::from_json(body).unwrap().metrics;
    assert_eq!(metrics.get(&MetricName::WORD_ERROR_RATE).map(Figure::get), Some(0.01));
    assert_eq!(metrics.get(&MetricName::TRAINING_HOURS).map(Figure::get), Some(-3.0));
    assert_eq!(metrics.len(), 2);
    let failed = TrainingFailed::from_json(br#"{"fence":1,"error":"a\"b"}"#).unwrap();
    assert_eq!(failed.error, "a\"b");
}

#[test]
fn every_violation_is_told_at_once_and_kinds_are_told_apart() {
    let missing = Heartbeat::from_json(br#"{"fence":null}"#);
    assert_eq!(
        faults(missing),
        [
            (Field::Fence, "Fence is required".to_owned()),
            (Field::TrainingProgress, "Training progress is required".to_owned()),
        ]
    );
    let wrong = br#"{"fence":"1","training_progress":1.5,"lease_seconds":null}"#;
    assert_eq!(
        faults(Heartbeat::from_json(wrong)),
        [
            (Field::LeaseSeconds, "Lease seconds must be an integer".to_owned()),
            (Field::Fence, "Fence must be an integer".to_owned()),
            (Field::TrainingProgress, "Training progress must be an integer".to_owned()),
        ]
    );
    let beyond = br#"{"fence":-1,"training_progress":101,"lease_seconds":86401}"#;
    assert_eq!(
        faults(Heartbeat::from_json(beyond)),
        [
            (Field::LeaseSeconds, "Lease seconds must be an integer from 1 to 86400".to_owned()),
            (Field::Fence, "Fence must be an integer of at least 0".to_owned()),
            (
                Field::TrainingProgress,
                "Training progress must be an integer from 0 to 100".to_owned()
            ),
        ]
    );
    let twice = br#"{"fence":1,"fence":2,"error":" "}"#;
    assert_eq!(
        faults(TrainingFailed::from_json(twice)),
        [
            (Field::Fence, "Fence is given more than once".to_owned()),
            (Field::Error, "Error cannot be empty".to_owned()),
        ]
    );
    let error = TrainingFailed::from_json(br#"{"fence":1,"error":1}"#);
    assert_eq!(faults(error), [(Field::Error, "Error must be a string".to_owned())]);
    let body = ClaimTraining::from_json(b"[]");
    assert_eq!(faults(body), [(Field::Body, "Request body must be a JSON object".to_owned())]);
}

/// Parses a report of success with these metrics; the error is the message about them.
fn told_of(metrics: &str) -> Result<TrainingMetrics, String> {
    let body = format!(r#"{{"fence":1,"training_metrics":{metrics}}}"#);
    let from_validated = TrainingSucceeded::from_json(body.as_bytes());
    from_validated
        .map(|success| success.metrics)
        .map_err(|violations| violations.get(Field::TrainingMetrics).unwrap().to_string())
}

/// Creates `count` metrics besides the five named ones.
fn others(count: usize) -> String {
    let all: Vec<String> = (0..count).map(|number| format!(r#""m{number:02}":{number}"#)).collect();
    all.join(",")
}

#[test]
fn train_3_metrics_beside_the_five_are_taken() {
    let longest = "z".repeat(64);
    let names = ["loss", "0", "_", "bleu_4", &longest];
    for name in names {
        let metrics = told_of(&format!(r#"{{"{name}":-0.5}}"#)).unwrap();
        assert_eq!(metrics.get(&name.parse().unwrap()).map(Figure::get), Some(-0.5), "{name}");
    }
    let metrics = told_of(&format!(r#"{{{},"word_error_rate":0.5}}"#, others(31))).unwrap();
    assert_eq!(metrics.len(), TrainingMetrics::MAX);
    assert_eq!(told_of(&format!("{{{}}}", others(32))).unwrap().len(), TrainingMetrics::MAX);
    assert_eq!(told_of("{}"), Ok(TrainingMetrics::default()));
}

#[test]
fn train_3_a_metric_that_breaks_the_rule_is_named() {
    assert_eq!(told_of("null").unwrap_err(), "Training metrics is required");
    for wrong in ["1", "[]", "\"{}\"", "true"] {
        assert_eq!(told_of(wrong).unwrap_err(), "Training metrics must be an object", "{wrong}");
    }
    for value in ["1e999", "-1e999", "null", "\"1\"", "{}", "true"] {
        for name in ["loss", "word_error_rate"] {
            let text = format!("Training metrics must be finite numbers; '{name}' is not");
            let metrics = format!(r#"{{"cer":1,"{name}":{value}}}"#);
            assert_eq!(told_of(&metrics).unwrap_err(), text, "{metrics}");
        }
    }
    let too_long = "z".repeat(65);
    for name in ["", "Loss", "word-error", "a b", "ä", "é", &too_long] {
        let shown: String = name.chars().take(40).collect();
        let text = format!(
            "Training metrics cannot have '{shown}': a name is 1 to 64 characters of a-z, 0-9 and _"
        );
        assert_eq!(told_of(&format!(r#"{{"{name}":1}}"#)).unwrap_err(), text);
    }
    for name in ["loss", "word_error_rate"] {
        let text = format!("Training metrics cannot have '{name}' more than once");
        assert_eq!(told_of(&format!(r#"{{"{name}":1,"{name}":1}}"#)).unwrap_err(), text);
    }
    let many = told_of(&format!(r#"{{{},"word_error_rate":1}}"#, others(32))).unwrap_err();
    let text = "Training metrics cannot be more than 32; 'word_error_rate' is one too many";
    assert_eq!(many, text);
}

#[test]
fn messages_name_the_bounds_of_the_types() {
    let message = |field| Violation::new(field, ViolationKind::Unsupported).to_string();
    let lease = message(Field::LeaseSeconds);
    let (min, max) = (LeaseTime::MIN.as_secs(), LeaseTime::MAX.as_secs());
    assert!(lease.ends_with(&format!("from {min} to {max}")), "{lease}");
    let progress = message(Field::TrainingProgress);
    assert!(progress.ends_with(&format!("from 0 to {}", Progress::ALL.get())), "{progress}");
}

#[test]
fn train_3_a_whole_number_is_one_however_it_is_written() {
    let seconds = |value: &str| {
        let body = format!(r#"{{"lease_seconds":{value}}}"#);
        ClaimTraining::from_json(body.as_bytes()).map(|claim| claim.time.get().as_secs())
    };
    for (value, whole) in
        [("60", 60), ("60.0", 60), ("6e1", 60), ("6.00E+1", 60), ("86400.000", 86_400)]
    {
        assert_eq!(seconds(value).unwrap(), whole, "{value}");
    }
    for value in
        ["0", "-1", "-0.0", "86401", "1e400", "18446744073709551616", "0.5", "6e-1", "true"]
    {
        assert!(seconds(value).is_err(), "{value}");
    }
}
