//! Reads of tables. Each has the documentation of the method of a store with the same name.

use crate::access::{KeyDigest, KeyRecord, RateLimit, Window};
use crate::memory::draft::Windows;
use crate::memory::tables::{Counts, Rows, Tables};
use crate::model::{CustomModel, DataPair, EventPage, ModelId};
use crate::store::{
    AnswerLine, EventLine, Grant, IdempotencyRecord, IdempotencyScope, Listing, ModelLine, Record,
    Registration, Selection, StoreError, StoreIdentity, StoreSummary, WindowState, window_state,
};
use crate::tenant::Organisation;
use crate::time::UnixMillis;

impl Tables {
    /// Returns what [`ModelStore::get`](crate::store::ModelStore::get) does.
    pub fn get(&self, organisation: &Organisation, id: ModelId) -> Option<CustomModel> {
        self.organisations.get(organisation)?.models.get(&id.get()).cloned()
    }

    /// Returns what [`ModelStore::list`](crate::store::ModelStore::list) does.
    pub fn list(&self, organisation: &Organisation, selection: &Selection) -> Listing {
        let Some(rows) = self.organisations.get(organisation) else { return Listing::default() };
        let Selection { filter, after, skip, limit } = selection;
        let matches = |model: &&CustomModel| filter.matches(model);
        let total = if filter.is_empty() {
            rows.models.len()
        } else {
            rows.models.values().filter(matches).count()
        };
        let first = after.map_or(0, |id| id.get() + 1);
        let found = rows.models.range(first..).map(|(_, model)| model).filter(matches);
        let models = found.skip(size(*skip)).take(size(*limit)).cloned().collect();
        Listing { models, total: total as u64 }
    }

    /// Returns what [`ModelStore::events`](crate::store::ModelStore::events) does.
    pub fn events(&self, organisation: &Organisation, after: u64, limit: u32) -> EventPage {
        let Counts { first_event: first, last_event: last, .. } = self.counts(organisation);
        let rows = self.organisations.get(organisation).into_iter();
        let events = rows.flat_map(|rows| rows.events.range(after.saturating_add(1)..));
        let events = events.map(|(_, event)| event.clone()).take(size(limit)).collect();
        EventPage { events, last, first }
    }

    /// Returns what [`ModelStore::claimable`](crate::store::ModelStore::claimable) does.
    pub fn claimable(
        &self,
        organisation: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Vec<(Organisation, CustomModel)> {
        let waiting = self.queue.iter().take_while(|(since, ..)| *since <= at);
        let waiting = waiting.filter(|(.., of)| organisation.is_none_or(|wanted| wanted == of));
        let models = waiting.filter_map(|(_, id, of)| {
            Some((of.clone(), self.organisations.get(of)?.models.get(id)?.clone()))
        });
        models.take(size(limit)).collect()
    }

    /// Returns what [`ModelStore::data`](crate::store::ModelStore::data) does.
    pub fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Vec<DataPair> {
        let rows = self.organisations.get(organisation).into_iter();
        let pairs = rows.flat_map(|rows| {
            rows.data.range((model.get(), after)..=(model.get(), u32::MAX)).map(|(_, pair)| pair)
        });
        pairs.filter(|pair| pair.id.get() > after).take(size(limit)).cloned().collect()
    }

    /// Returns what [`ModelStore::idempotency_record`](crate::store::ModelStore::idempotency_record) does.
    pub fn idempotency_record(
        &self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Option<IdempotencyRecord> {
        self.organisations.get(organisation)?.answers.get(key).cloned()
    }

    /// Returns what [`AccessStore::registration`](crate::store::AccessStore::registration) does.
    pub fn registration(&self, organisation: &Organisation) -> Option<Registration> {
        let plan = self.organisations.get(organisation)?.plan.clone()?;
        Some(Registration { organisation: organisation.clone(), plan })
    }

    /// Returns what [`AccessStore::registrations`](crate::store::AccessStore::registrations) does.
    pub fn registrations(&self) -> Vec<Registration> {
        self.organisations.keys().filter_map(|of| self.registration(of)).collect()
    }

    /// Returns what [`AccessStore::key`](crate::store::AccessStore::key) does.
    pub fn key(&self, digest: &KeyDigest) -> Option<Grant> {
        let key = self.keys.get(self.ids.get(digest)?)?.clone();
        let plan = self.organisations.get(&key.organisation)?.plan.clone()?;
        Some(Grant { key, plan })
    }

    /// Returns what [`AccessStore::keys`](crate::store::AccessStore::keys) does.
    pub fn keys(&self, organisation: &Organisation) -> Vec<KeyRecord> {
        let keys = self.keys.values().filter(|key| key.organisation == *organisation);
        keys.cloned().collect()
    }

    /// Returns what [`AccessStore::window`](crate::store::AccessStore::window) does.
    ///
    /// # Errors
    ///
    /// None.
    pub fn window(
        &self,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        window_state(&mut Windows(self), window, limit, now)
    }

    /// Returns the records of [`ArchiveStore::export`](crate::store::ArchiveStore::export).
    pub fn export(&self) -> impl Iterator<Item = Record> {
        let mut keys: Vec<&KeyRecord> = self.keys.values().collect();
        keys.sort_by_key(|key| (&key.organisation, key.id));
        let start = Record::Start { last_id: self.last_id };
        std::iter::once(start)
            .chain(self.organisations.keys().filter_map(|of| Some(self.registration(of)?.into())))
            .chain(keys.into_iter().map(|key| key.clone().into()))
            .chain(self.organisations.iter().filter_map(|(of, rows)| rows.counts_of(of)))
            .chain(self.organisations.iter().flat_map(|(of, rows)| rows.models_of(of)))
            .chain(self.organisations.iter().flat_map(|(of, rows)| rows.data_of(of)))
            .chain(self.organisations.iter().flat_map(|(of, rows)| rows.events_of(of)))
            .chain(self.organisations.iter().flat_map(|(of, rows)| rows.answers_of(of)))
    }

    /// Returns what [`ArchiveStore::summary`](crate::store::ArchiveStore::summary) does.
    pub fn summary(&self) -> StoreSummary {
        let counts = self.organisations.values().filter_map(|rows| rows.counts);
        StoreSummary {
            identity: self.identity.unwrap_or(StoreIdentity::from_bytes([0; 16])),
            lineage: self.lineage,
            last_id: self.last_id,
            events: counts.map(|it| it.last_event).fold(self.erased_events, u64::saturating_add),
            has_data: self.organisations.values().any(|rows| !rows.data.is_empty()),
        }
    }

    pub(super) fn counts(&self, organisation: &Organisation) -> Counts {
        self.organisations.get(organisation).and_then(|it| it.counts).unwrap_or_default()
    }
}

/// The records of an organisation, by kind.
impl Rows {
    fn counts_of(&self, of: &Organisation) -> Option<Record> {
        let Counts { models, first_event, last_event } = self.counts?;
        Some(Record::Organisation { organisation: of.clone(), models, last_event, first_event })
    }

    fn models_of(&self, of: &Organisation) -> impl Iterator<Item = Record> {
        let models = self.models.values().cloned();
        models.map(|model| Record::Model(ModelLine { organisation: of.clone(), model }))
    }

    fn data_of(&self, of: &Organisation) -> impl Iterator<Item = Record> {
        self.data.iter().filter_map(|((model, _), pair)| {
            let (organisation, model) = (of.clone(), ModelId::new(*model).ok()?);
            Some(Record::Data { organisation, model, pair: pair.clone() })
        })
    }

    fn events_of(&self, of: &Organisation) -> impl Iterator<Item = Record> {
        let events = self.events.values().cloned();
        events.map(|event| Record::Event(EventLine::new(of.clone(), event)))
    }

    fn answers_of(&self, of: &Organisation) -> impl Iterator<Item = Record> {
        self.answers.iter().map(|(scope, kept)| {
            Record::Answer(AnswerLine::new(of.clone(), scope.clone(), kept.clone()))
        })
    }
}

pub(super) fn size(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}
