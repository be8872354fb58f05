//! Checks of histories and data: one event per change, and one pair per change of data.

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::model::{DataTotals, DataType, Event, EventType, TrainingStatus};
use custom_models_core::store::ModelStore;
use custom_models_core::{CustomModel, ModelId, Organisation};
use custom_models_training_data::ContentStore;

use crate::uploads::token_of_pair;
use crate::{BoxError, Token, ensure};

/// Returns the whole history of an organisation, and checks that it has no gaps (LOG-1).
pub(crate) fn history_of(
    store: &dyn ModelStore,
    of: &Organisation,
) -> Result<Vec<Event>, BoxError> {
    let page = store.events(of, 0, u32::MAX)?;
    ensure!(page.first == 1, "{of} has forgotten events before {}", page.first);
    let positions = page.events.iter().map(|event| event.position);
    ensure!(positions.eq(1..=page.last), "the history of {of} has gaps: {:?}", page.events);
    Ok(page.events)
}

/// The types of each model's events in an organisation's history, in order.
pub(crate) struct Lives<'a>(BTreeMap<ModelId, Vec<&'a EventType>>);

impl<'a> Lives<'a> {
    pub(crate) fn of(history: &'a [Event]) -> Self {
        let mut lives: BTreeMap<ModelId, Vec<&EventType>> = BTreeMap::new();
        for event in history {
            lives.entry(event.model_id).or_default().push(&event.event_type);
        }
        Lives(lives)
    }

    /// Checks that each model was created first and once, and that it was deleted last or still exists.
    pub(crate) fn check(&self, present: &BTreeSet<ModelId>) -> Result<(), BoxError> {
        for (id, events) in &self.0 {
            let is_first = events.first() == Some(&&EventType::Created);
            let count = events.iter().filter(|event| ***event == EventType::Created).count();
            ensure!(is_first && count == 1, "model {id} was created otherwise: {events:?}");
            let deleted = events.iter().position(|event| **event == EventType::Deleted);
            let is_last = deleted.is_none_or(|place| place + 1 == events.len());
            ensure!(is_last, "model {id} went on after its delete: {events:?}");
            let is_there = present.contains(id);
            ensure!(is_there == deleted.is_none(), "model {id} is there {is_there}: {events:?}");
        }
        Ok(())
    }

    /// Checks a model against its events: their number against its revision, and its data and status against
    /// the last of them.
    pub(crate) fn check_model(
        &self,
        store: &dyn ModelStore,
        contents: &dyn ContentStore,
        of: &Organisation,
        model: &CustomModel,
    ) -> Result<Vec<Token>, BoxError> {
        let id = model.id;
        let events = self.0.get(&id).ok_or_else(|| format!("model {id} has no event"))?;
        let is_change = |event: &&&EventType| {
            // A heartbeat does not raise the revision.
            !matches!(event, EventType::TrainingProgressed { .. })
        };
        let changes = events.iter().filter(is_change).count() as u64;
        let revision = model.revision().get();
        ensure!(changes == revision, "model {id} is at {revision}: {events:?}");
        let is_running = model.training_status() == TrainingStatus::Running;
        let last = events.iter().rev().find_map(|event| match event {
            EventType::TrainingStarted => Some(true),
            EventType::TrainingSucceeded
            | EventType::TrainingFailed { .. }
            | EventType::TrainingCancelled => Some(false),
            _ => None,
        });
        ensure!(is_running == last.unwrap_or(false), "model {id} runs {is_running}: {events:?}");
        check_data(store, contents, of, model, events)
    }
}

/// Checks that the data of a model agrees with its history and its totals, and that each pair is complete
/// (DATA-4).
fn check_data(
    store: &dyn ModelStore,
    contents: &dyn ContentStore,
    of: &Organisation,
    model: &CustomModel,
    events: &[&EventType],
) -> Result<Vec<Token>, BoxError> {
    let id = model.id;
    let mut there = BTreeSet::new();
    for event in events {
        match event {
            EventType::DataAdded { data_id } => {
                ensure!(there.insert(*data_id), "model {id} got pair {data_id} twice");
            }
            EventType::DataRemoved { data_id } => {
                ensure!(there.remove(data_id), "model {id} lost pair {data_id} twice");
            }
            _ => {}
        }
    }
    let pairs = store.data(of, id, 0, u32::MAX)?;
    let found = pairs.iter().map(|pair| pair.id);
    ensure!(found.eq(there.iter().copied()), "model {id} has {pairs:?}, by its history {there:?}");
    let mut totals = DataTotals { last_id: model.training.data().last_id, ..DataTotals::default() };
    for pair in &pairs {
        let (millis, count) = match pair.data_type {
            DataType::Train => (&mut totals.train_millis, &mut totals.train_pairs),
            DataType::Test => (&mut totals.test_millis, &mut totals.test_pairs),
        };
        *millis += pair.audio_millis;
        *count += 1;
    }
    ensure!(
        totals == *model.training.data(),
        "model {id} counts {:?} of {pairs:?}",
        model.training
    );
    pairs.iter().map(|pair| token_of_pair(contents, of, id, pair)).collect()
}
