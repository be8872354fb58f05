//! The life of models: their history, their data, answers that are kept, trainings that wait.

use custom_models_core::{
    AnswerKey, CustomModel, DataPair, EventPage, Job, KeptAnswer, LifeStore, ModelId, Moment,
    Organisation, Purge, Purged, StoreError,
};
use rusqlite::Connection;

use crate::{SqliteStore, answer_rows, data_rows, event_rows, rows};

impl LifeStore for SqliteStore {
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        self.readers.read(|connection| event_rows::page(connection, organisation, after, limit))
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.readers.read(|connection| rows::claimable(connection, organisation, at, limit))
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.readers
            .read(|connection| data_rows::part(connection, organisation, model, after, limit))
    }

    fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        self.readers.read(|connection| answer_rows::get(connection, organisation, key))
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.commits()?.apply(Job::Purge(purge))?.purged()
    }
}

/// Forgets what is old, within a transaction.
pub(crate) fn forget(connection: &Connection, purge: &Purge) -> rusqlite::Result<Purged> {
    let Purge { events_before, answers_until, limit } = *purge;
    let mut purged = Purged::default();
    let old = match events_before {
        Some(before) => event_rows::old(connection, before, limit)?,
        None => Vec::new(),
    };
    for (organisation, until) in old {
        purged.events += event_rows::forget(connection, &organisation, until)?;
    }
    purged.answers = answer_rows::forget(connection, answers_until, limit)?;
    Ok(purged)
}
