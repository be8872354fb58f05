//! TRAIN-3 and READ-4: the metrics of a training, the five named ones and any others.

use custom_models_core::model::{
    Edit, Figure, InvalidMetricName, MetricName, TooManyMetrics, TrainingMetrics, TrainingState,
    TrainingStatus,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::config;
use crate::training::{claimed, report};

/// Creates `count` metrics besides the five named ones.
fn others(count: usize) -> impl Iterator<Item = (MetricName, Figure)> {
    let name = |number| MetricName::new(&format!("m{number:02}")).unwrap();
    (0..count).map(move |number| (name(number), Figure::new(0.5).unwrap()))
}

#[test]
fn train_3_and_read_4_all_metrics_are_shown_the_five_first() {
    let (engine, _, acme, of) = claimed();
    let figure = Figure::new(0.25).unwrap();
    let names =
        ["zeta", "test_word_error_rate", "0", "word_error_rate", "_", "training_hours", "loss"];
    let named = names.map(|name| (MetricName::new(name).unwrap(), figure));
    let metrics = TrainingMetrics::new(named).unwrap();
    let done = report(&engine, &of, Edit::Succeed { fence: of.fence, metrics }).unwrap();
    let shown = serde_json::to_string(&done).unwrap();
    let end = r#""training_metrics":{"word_error_rate":0.25,"training_hours":0.25,"test_word_error_rate":0.25,"0":0.25,"_":0.25,"loss":0.25,"zeta":0.25}}"#;
    assert!(shown.ends_with(end), "{shown}");
    assert_eq!(engine.get(&acme, done.id).unwrap(), done);
    assert!(MetricName::TRAINING_HOURS < MetricName::new("loss").unwrap());
}

#[test]
fn train_3_a_training_has_32_metrics_at_most() {
    let mut metrics = TrainingMetrics::new(others(32)).unwrap();
    assert!(metrics.iter().map(|(name, figure)| (name.clone(), figure)).eq(others(32)));
    let figure = Figure::new(1.0).unwrap();
    assert_eq!(metrics.insert(MetricName::WORD_ERROR_RATE, figure), Err(TooManyMetrics));
    let first = MetricName::new("m00").unwrap();
    assert_eq!(metrics.insert(first.clone(), figure), Ok(Figure::new(0.5).ok()), "in its place");
    assert_eq!((metrics.len(), metrics.get(&first)), (32, Some(figure)));
    assert_eq!(TrainingMetrics::new(others(33)), Err(TooManyMetrics));
}

/// Returns the stored text of a training that succeeded with these metrics.
fn record(metrics: &str) -> String {
    let (engine, _, acme, of) = claimed();
    let edit = Edit::Succeed { fence: of.fence, metrics: TrainingMetrics::default() };
    report(&engine, &of, edit).unwrap();
    let training = engine.get(&acme, of.model.id).unwrap().training;
    let record = training.to_record().unwrap().unwrap();
    assert!(record.contains(r#""metrics":{}"#), "{record}");
    record.replace(r#""metrics":{}"#, &format!(r#""metrics":{metrics}"#))
}

fn kept(metrics: &str) -> Option<TrainingMetrics> {
    let training =
        TrainingState::from_record(TrainingStatus::Success, Some(&record(metrics))).ok()?;
    training.success().map(|success| success.metrics.clone())
}

#[test]
fn train_3_records_without_other_metrics_are_read_and_wrong_ones_are_not() {
    let five = r#"{"word_error_rate":0.1,"character_error_rate":2.0,"accuracy_improvement":-3.5,"training_hours":1e300,"test_word_error_rate":0.0}"#;
    let metrics = kept(five).unwrap();
    assert_eq!(
        serde_json::to_value(&metrics).unwrap(),
        serde_json::from_str::<Value>(five).unwrap()
    );
    assert!(kept("{}").unwrap().is_empty());
    assert!(kept(r#"{"loss":0.1}"#).is_some());
    let many: Vec<String> = (0..33).map(|number| format!(r#""m{number}":1"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    for wrong in [r#"{"Loss":1}"#, r#"{"":1}"#, r#"{"a":null}"#, r#"{"a":1,"a":1}"#, "[]", &many] {
        assert_eq!(kept(wrong), None, "{wrong}");
    }
}

proptest! {
    #![proptest_config(config())]

    /// A name is accepted exactly if every character follows the rule.
    #[test]
    fn train_3_names_of_metrics_keep_to_the_rule(name in "[a-z0-9_A-Zé. -]{0,3}|[a-z_]{60,68}") {
        let is_right = (1..=64).contains(&name.chars().count())
            && name.chars().all(|it| "abcdefghijklmnopqrstuvwxyz0123456789_".contains(it));
        let judged = MetricName::new(&name);
        prop_assert_eq!(judged.is_ok(), is_right);
        match judged {
            Ok(judged) => prop_assert_eq!(judged.as_str(), name),
            Err(fault) => prop_assert_eq!(fault, InvalidMetricName),
        }
    }

    /// Stored and serialised numbers keep their exact value.
    #[test]
    fn train_3_figures_come_back_to_the_bit(bits in any::<u64>(), five in 0usize..10) {
        let Ok(figure) = Figure::new(f64::from_bits(bits)) else { return Ok(()) };
        let name = MetricName::NAMED.get(five).cloned();
        let name = name.unwrap_or_else(|| MetricName::new("other").unwrap());
        let metrics = TrainingMetrics::new([(name.clone(), figure)]).unwrap();
        let text = serde_json::to_string(&metrics).unwrap();
        let again: TrainingMetrics = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(again.get(&name).unwrap().get().to_bits(), bits, "{}", text);
        let body = format!(r#"{{"fence":1,"training_metrics":{text}}}"#);
        let told = custom_models_core::request::TrainingSucceeded::from_json(body.as_bytes()).unwrap();
        prop_assert_eq!(told.metrics.get(&name).unwrap().get().to_bits(), bits, "{}", body);
    }
}
