use super::*;

fn output(lines: &[&str]) -> TrainerOutput {
    let output = SharedOutput::default();
    lines.iter().for_each(|line| output.note(Line::Whole(line.as_bytes())));
    output.take()
}

#[test]
fn of_all_words_the_last_metrics_and_the_largest_progress_count() {
    let said = output(&[
        r#"{"progress":3}"#,
        r#"{"metrics":{"loss":2}}"#,
        r#"{"progress":5}"#,
        r#"{"metrics":{"loss":1}}"#,
        r#"{"progress":4}"#,
    ]);
    assert_eq!(said.progress.get(), 5);
    let metrics = serde_json::to_string(&said.metrics.unwrap().metrics).unwrap();
    assert_eq!(metrics, r#"{"loss":1.0}"#);
}

#[test]
fn train_3_metrics_that_cannot_be_read_do_not_replace_those_that_can() {
    let (right, wrong) = (r#"{"metrics":{"loss":2}}"#, r#"{"metrics":{"loss":NaN}}"#);
    let said = output(&[right, wrong]);
    assert!(said.metrics.is_some() && said.unreadable.is_some());
    let said = output(&[wrong, right]);
    assert!(said.metrics.is_some() && said.unreadable.is_none());
    let said = output(&[wrong]);
    assert!(said.metrics.is_none() && said.unreadable.is_some());
}
