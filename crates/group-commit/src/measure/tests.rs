use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::*;

/// The name of a histogram and a recorded value; `None` for a description.
type Note = (String, Option<f64>);

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Note>>>);

impl Notes {
    fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Recorder for Notes {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().push((name.as_str().to_owned(), None));
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Noted(self.clone(), key.name().to_owned())))
    }
}

struct Noted(Notes, String);

impl HistogramFn for Noted {
    fn record(&self, value: f64) {
        self.0.0.lock().unwrap().push((self.1.clone(), Some(value)));
    }
}

#[test]
fn a_group_is_recorded_under_the_names_that_are_described() {
    let (notes, duration, writes) = (
        Notes::default(),
        "custom_models_store_commit_duration_seconds".to_owned(),
        "custom_models_store_group_writes".to_owned(),
    );
    metrics::with_local_recorder(&notes, describe);
    assert_eq!(notes.take(), [(duration.clone(), None), (writes.clone(), None)]);
    metrics::with_local_recorder(&notes, || group(3, Duration::from_millis(250)));
    assert_eq!(notes.take(), [(duration, Some(0.25)), (writes, Some(3.0))]);
}
