//! What a store keeps of the life of models beside the models: their history, their data, the answers
//! to requests that may be repeated, and which trainings wait for a worker.

use std::sync::Arc;

use crate::{
    AnswerKey, CustomModel, DataPair, EventPage, KeptAnswer, ModelId, ModelStore, Moment,
    Organisation, StoreError, Timestamp,
};

/// Shows what was written beside models, by [`ModelStore::submit`].
///
/// Every method may be called from any thread, and any number of threads at a time; reads wait for no
/// write, and see whatever was acknowledged before they began. A closed store answers
/// [`StoreErrorKind::Closed`](crate::StoreErrorKind::Closed).
pub trait LifeStore: Send + Sync {
    /// The events of an organisation behind a position, in order, `limit` at most, with the ends of
    /// its history, all from one consistent view of the store (LOG-1).
    ///
    /// Its cost does not grow with the events before `after`.
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Models whose training is claimable at `at` or was before, by
    /// [`Course::claimable_at`](crate::Course::claimable_at): those that have waited longest first,
    /// `limit` at most, of one organisation or of all.
    ///
    /// Its cost does not grow with the models that are not trained.
    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError>;

    /// The pairs of a model's data with larger numbers than `after`, in the order of their numbers, `limit` at
    /// most; none where there is no such model.
    ///
    /// Its cost does not grow with the pairs before `after`.
    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError>;

    /// The answer that is kept under a key, live or not (IDEM-1).
    fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError>;

    /// Forgets what is old, and returns when that is durable. Positions of events that are forgotten
    /// are not given again, and what an organisation forgets is the beginning of its history.
    fn purge(&self, purge: Purge) -> Result<Purged, StoreError>;
}

/// What is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Events that happened before this, up to the first of their organisation that did not; `None`
    /// keeps all.
    pub events_before: Option<Timestamp>,
    /// Kept answers of before this or at it.
    pub answers_until: Moment,
    /// How many rows of each kind at most, so that other writes need not wait for long.
    pub limit: u32,
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Kept answers.
    pub answers: u64,
}

impl<S: LifeStore + ?Sized> LifeStore for Arc<S> {
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        (**self).events(organisation, after, limit)
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        (**self).claimable(organisation, at, limit)
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        (**self).data(organisation, model, after, limit)
    }

    fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        (**self).answer(organisation, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        (**self).purge(purge)
    }
}

/// What an [`Engine`](crate::Engine) works on: a store of models and of their lives.
pub trait Records: ModelStore + LifeStore {}

impl<S: ModelStore + LifeStore + ?Sized> Records for S {}
