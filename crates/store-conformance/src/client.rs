//! A client of a store for the cases: it writes, waits and compares results.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use custom_models_core::model::{Edit, NewModel, Revision, transition};
use custom_models_core::store::{
    AccessChange, AccessOutcome, Change, Filter, Listing, Outcome, Selection, Store, StoreError,
    StoreErrorKind, Write,
};
use custom_models_core::tenant::Actor;
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::life::{at, edit, edit_at};
use crate::sample::unfit;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, Place};

/// Selects everything of an organisation.
pub(crate) const ALL: Selection = Selection {
    filter: Filter { status: None, language: None, base_model: None },
    after: None,
    skip: 0,
    limit: u32::MAX,
};

/// An open store.
pub(crate) struct Client {
    store: Arc<dyn Store>,
}

impl Client {
    /// Opens the store of a place.
    pub(crate) fn open(place: &dyn Place) -> Checked<Client> {
        let store = place.open()?;
        Ok(Client { store })
    }

    /// Closes the store and opens its place again.
    pub(crate) fn reopen(self, place: &dyn Place) -> Checked<Client> {
        self.store.close()?;
        drop(self);
        Client::open(place)
    }

    /// Returns the store, for an engine.
    pub(crate) fn handle(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(crate) fn submit(&self, organisation: &Organisation, change: Change) -> Answer {
        self.submit_whole(write(organisation, change))
    }

    /// Submits a write with all its parts.
    pub(crate) fn submit_whole(&self, write: Write) -> Answer {
        let (sender, receiver) = channel();
        // Nobody receives it after a case has failed.
        self.store.submit(write, Box::new(move |answer| drop(sender.send(answer))));
        Answer { receiver }
    }

    /// Makes a change, and waits for its outcome.
    #[track_caller]
    pub(crate) fn write(&self, organisation: &Organisation, change: Change) -> Checked<Outcome> {
        self.write_whole(write(organisation, change))
    }

    /// Makes a write with all its parts, and waits for its outcome.
    #[track_caller]
    pub(crate) fn write_whole(&self, write: Write) -> Checked<Outcome> {
        Ok(self.store.apply(write)?)
    }

    /// Makes an edit that must succeed, checks the model against the rules, and returns it.
    #[track_caller]
    pub(crate) fn edited(&self, before: &CustomModel, write: Write) -> Checked<CustomModel> {
        let Change::Edit { id, edit, expected } = &write.change else {
            return Err(Stop::failed("an edit is no edit"));
        };
        let removed = match edit.removed_pair() {
            Some(pair) => self.data(&write.organisation, *id, pair.get() - 1, 1)?.pop(),
            None => None,
        };
        let next = transition(before, edit, removed.as_ref(), expected, &write.actor, write.at);
        let next = next.map_err(unfit)?.model.ok_or_else(|| unfit("an edit that deletes"))?;
        let shown = format!("{:?}", write.change);
        let (model, removed) = (Box::new(next.clone()), removed.map(Box::new));
        ensure_eq!(self.write_whole(write)?, Outcome::Changed { model, removed }, "{shown}");
        Ok(next)
    }

    /// Makes a change of access, and waits for its outcome.
    #[track_caller]
    pub(crate) fn access(&self, change: AccessChange) -> Checked<AccessOutcome> {
        Ok(self.store.apply_access(change)?)
    }

    /// Makes a change of access that must succeed.
    #[track_caller]
    pub(crate) fn done(&self, change: AccessChange) -> Checked {
        let shown = format!("{change:?}");
        ensure_eq!(self.access(change)?, AccessOutcome::Done, "{shown}");
        Ok(())
    }

    /// Tries to create a model within a limit.
    #[track_caller]
    pub(crate) fn try_create(
        &self,
        organisation: &Organisation,
        model: &NewModel,
        limit: Option<u64>,
    ) -> Checked<Outcome> {
        let outcome = self.write(organisation, create(model, limit))?;
        if let Outcome::Created(created) = &outcome {
            ensure_eq!(*created, model.clone().with_id(created.id), "created");
        }
        Ok(outcome)
    }

    /// Creates a model without a limit.
    #[track_caller]
    pub(crate) fn create(
        &self,
        organisation: &Organisation,
        model: &NewModel,
    ) -> Checked<CustomModel> {
        match self.try_create(organisation, model, None)? {
            Outcome::Created(model) => Ok(model),
            other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
        }
    }

    /// Deletes an existing model.
    #[track_caller]
    pub(crate) fn delete(&self, organisation: &Organisation, model: &CustomModel) -> Checked {
        let outcome = self.write(organisation, delete_at(model.id, model.revision()))?;
        ensure_eq!(outcome, Outcome::Deleted, "deleting {}", model.id);
        Ok(())
    }

    /// Submits all changes before it waits for any outcome. Those that found the queue full are submitted
    /// again. Returns the outcomes in the order of the changes.
    pub(crate) fn burst(
        &self,
        changes: Vec<(Organisation, Change)>,
    ) -> Checked<Vec<Result<Outcome, StoreError>>> {
        let writes = changes.into_iter().map(|(organisation, change)| write(&organisation, change));
        self.burst_whole(&writes.collect::<Vec<_>>())
    }

    /// Makes a [`Client::burst`] of writes with all their parts.
    pub(crate) fn burst_whole(
        &self,
        writes: &[Write],
    ) -> Checked<Vec<Result<Outcome, StoreError>>> {
        let mut outcomes: Vec<Option<Result<Outcome, StoreError>>> = vec![None; writes.len()];
        while outcomes.iter().any(Option::is_none) {
            let answers: Vec<Option<Answer>> = writes
                .iter()
                .zip(&outcomes)
                .map(|(write, outcome)| {
                    let is_open = outcome.is_none();
                    is_open.then(|| self.submit_whole(write.clone()))
                })
                .collect();
            let mut has_progress = false;
            for (outcome, answer) in outcomes.iter_mut().zip(answers) {
                let Some(answer) = answer else { continue };
                match answer.wait()? {
                    Err(error) if error.kind() == StoreErrorKind::Busy => {}
                    other => {
                        *outcome = Some(other);
                        has_progress = true;
                    }
                }
            }
            ensure!(has_progress, "a store that nobody else uses stays busy");
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Makes a [`Client::burst`] of creates without a limit.
    pub(crate) fn create_all(
        &self,
        organisation: &Organisation,
        models: &[NewModel],
    ) -> Checked<Vec<CustomModel>> {
        let writes =
            models.iter().map(|model| (organisation.clone(), create(model, None))).collect();
        let mut created = Vec::new();
        for (outcome, model) in self.burst(writes)?.into_iter().zip(models) {
            match outcome? {
                Outcome::Created(found) => {
                    ensure_eq!(found, model.clone().with_id(found.id), "created");
                    created.push(found);
                }
                other => {
                    return Err(Stop::failed(format!("a create was answered by {other:?}")));
                }
            }
        }
        created.sort_by_key(|model| model.id);
        Ok(created)
    }

    pub(crate) fn get(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Checked<Option<CustomModel>> {
        Ok(self.store.get(organisation, id)?)
    }

    pub(crate) fn list(
        &self,
        organisation: &Organisation,
        selection: &Selection,
    ) -> Checked<Listing> {
        Ok(self.store.list(organisation, selection)?)
    }

    /// Checks that the organisation has exactly these models, in this order: in the list, in the counter and
    /// one by one.
    #[track_caller]
    pub(crate) fn expect(&self, organisation: &Organisation, models: &[CustomModel]) -> Checked {
        let listing = self.store.list(organisation, &ALL)?;
        ensure_eq!(ids_of(&listing.models), ids_of(models), "the ids of {organisation}");
        for (found, right) in listing.models.iter().zip(models) {
            ensure_eq!(found, right, "a model of {organisation}");
        }
        ensure_eq!(listing.total, models.len() as u64, "the counter of {organisation}");
        for model in models {
            let found = self.store.get(organisation, model.id)?;
            ensure_eq!(found.as_ref(), Some(model), "get {}", model.id);
        }
        Ok(())
    }
}

impl From<Arc<dyn Store>> for Client {
    fn from(store: Arc<dyn Store>) -> Self {
        Client { store }
    }
}

impl Deref for Client {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

fn ids_of(models: &[CustomModel]) -> Vec<u64> {
    models.iter().map(|model| model.id.get()).collect()
}

/// Creates a place and opens its store.
pub(crate) fn fresh(builder: &dyn Builder) -> Checked<(Box<dyn Place>, Client)> {
    let place = builder.new_place()?;
    let client = Client::open(&*place)?;
    Ok((place, client))
}

pub(crate) fn create(model: &NewModel, limit: Option<u64>) -> Change {
    Change::Create { model: model.clone(), limit }
}

/// Returns a delete of a model at any revision.
pub(crate) fn delete(id: ModelId) -> Change {
    edit(id, Edit::Delete)
}

/// Returns a delete of a model that expects this revision.
pub(crate) fn delete_at(id: ModelId, revision: Revision) -> Change {
    edit_at(id, revision, Edit::Delete)
}

/// Returns a write by the host, at the time at which the clocks begin.
pub(crate) fn write(organisation: &Organisation, change: Change) -> Write {
    Write::new(organisation.clone(), Actor::HOST, at(0), change)
}

/// The outcome of a submitted write.
///
/// A completion cannot be called twice, since it is an `FnOnce`. Dropping it without a call fails the case.
pub(crate) struct Answer {
    receiver: Receiver<Result<Outcome, StoreError>>,
}

impl Answer {
    /// Waits for the outcome, which is the inner result.
    #[track_caller]
    pub(crate) fn wait(self) -> Checked<Result<Outcome, StoreError>> {
        match self.receiver.recv() {
            Ok(answer) => Ok(answer),
            Err(_) => Err(Stop::failed("a completion was dropped without a call")),
        }
    }

    /// Returns the outcome, which must be there already.
    #[track_caller]
    pub(crate) fn take(self) -> Checked<Result<Outcome, StoreError>> {
        match self.receiver.try_recv() {
            Ok(answer) => Ok(answer),
            Err(TryRecvError::Empty) => Err(Stop::failed("a write is not answered yet")),
            Err(TryRecvError::Disconnected) => {
                Err(Stop::failed("a completion was dropped without a call"))
            }
        }
    }
}
