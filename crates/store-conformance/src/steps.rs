//! Successive edits of one model, with the events that they append.

use custom_models_core::CustomModel;
use custom_models_core::model::{Edit, Event, EventType, Fence, NewEvent};
use custom_models_core::store::Write;
use custom_models_core::tenant::Actor;
use custom_models_core::time::UnixMillis;

use crate::client::Client;
use crate::history::expect_history;
use crate::life::{at, data_id, edit};
use crate::sample::organisation;
use crate::verdict::Checked;

/// A model under edit, and the history of its organisation.
pub(crate) struct Steps<'a> {
    store: &'a Client,
    pub(crate) model: CustomModel,
    pub(crate) history: Vec<Event>,
    pub(crate) actor: Actor,
    pub(crate) at: UnixMillis,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(store: &'a Client, model: CustomModel, history: Vec<Event>) -> Self {
        Steps { store, model, history, actor: Actor::HOST, at: at(0) }
    }

    pub(crate) fn fence(&self) -> Fence {
        let lease = self.model.training.run().and_then(|run| run.lease.as_ref());
        lease.map(|lease| lease.fence).unwrap_or_default()
    }

    /// Makes an edit, and checks the number of events that it appended.
    #[track_caller]
    pub(crate) fn make(&mut self, step: Edit, events: usize) -> Checked {
        let acme = organisation("acme")?;
        let change = edit(self.model.id, step.clone());
        let write = Write::new(acme.clone(), self.actor.clone(), self.at, change);
        self.model = self.store.edited(&self.model, write)?;
        let event_type = match step {
            Edit::Update { .. } => EventType::Updated,
            Edit::Run => EventType::TrainingStarted,
            Edit::Cancel => EventType::TrainingCancelled,
            Edit::Succeed { .. } => EventType::TrainingSucceeded,
            Edit::Fail { error, .. } => EventType::TrainingFailed { error },
            Edit::RemoveData(data_id) => EventType::DataRemoved { data_id },
            Edit::Heartbeat { progress, .. } => {
                EventType::TrainingProgressed { training_progress: progress }
            }
            Edit::AddData(_) => {
                EventType::DataAdded { data_id: data_id(self.model.training.data().last_id)? }
            }
            _ => EventType::Created,
        };
        for _ in 0..events {
            let (created_at, actor) = (self.at.into(), self.actor.clone());
            let event = NewEvent { created_at, actor, event_type: event_type.clone() };
            self.history.push(event.at(self.history.len() as u64 + 1, self.model.id));
        }
        expect_history(self.store, &acme, &self.history)
    }
}
