//! The life of models: their history, their data, answers that are kept, trainings that wait.

use custom_models_core::{
    AnswerKey, CustomModel, DataPair, EventPage, Job, KeptAnswer, LifeStore, ModelId, Moment,
    Organisation, Purge, Purged, StoreError,
};

use crate::{PostgresStore, answer_rows, data_rows, event_rows, rows};

impl LifeStore for PostgresStore {
    fn events(
        &self,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        let of = organisation.clone();
        self.readers.read(async move |reader| event_rows::page(reader, &of, after, limit).await)
    }

    fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: Moment,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        let of = organisation.cloned();
        self.readers.read(async move |reader| rows::claimable(reader, of.as_ref(), at, limit).await)
    }

    fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        let of = organisation.clone();
        self.readers
            .read(async move |reader| data_rows::part(reader, &of, model, after, limit).await)
    }

    fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let (of, key) = (organisation.clone(), key.clone());
        self.readers.read(async move |reader| answer_rows::get(reader, &of, &key).await)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.commits()?.apply(Job::Purge(purge))?.purged()
    }
}
