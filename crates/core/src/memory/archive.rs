//! Export, import and erasure of the records of a [`MemoryStore`].

use std::collections::BTreeSet;

use crate::memory::{MemoryStore, State};
use crate::store::{
    ArchiveChange, ArchiveStore, ModelLine, Record, Registration, StoreError, StoreIdentity,
    StoreSummary,
};
use crate::tenant::Organisation;

impl ArchiveStore for MemoryStore {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Exports under the lock, since nothing here is slow.
        self.open_state()?.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        let mut state = self.open_state()?;
        match change {
            ArchiveChange::Begin(_) if !state.is_empty()? => Ok(0),
            ArchiveChange::Import(records) | ArchiveChange::Begin(records) => {
                let count = records.len() as u64;
                records.into_iter().for_each(|record| state.import(record));
                Ok(count)
            }
            ArchiveChange::Erase { organisation, .. } => Ok(state.erase(&organisation)),
            ArchiveChange::ReplaceIdentity { expected, new: (identity, lineage) } => {
                let is_expected = expected == (state.identity(), state.lineage);
                if is_expected {
                    (state.identity, state.lineage) = (Some(identity), Some(lineage));
                }
                Ok(is_expected.into())
            }
        }
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        let state = self.open_state()?;
        Ok(StoreSummary {
            identity: state.identity(),
            lineage: state.lineage,
            last_id: state.last_id,
            events: state.records.all_events(),
            has_data: state.records.has_data(),
        })
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.open_state().map(|_| Vec::new())
    }
}

impl State {
    fn identity(&self) -> StoreIdentity {
        self.identity.unwrap_or(StoreIdentity::from_bytes([0; 16]))
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        let mut is_empty = true;
        self.export(&mut |record| {
            is_empty &= record == Record::Start { last_id: 0 };
            Ok(())
        })?;
        Ok(is_empty)
    }

    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        each(Record::Start { last_id: self.last_id })?;
        self.access.registrations().map(Record::from).try_for_each(&mut *each)?;
        self.access.all_keys().map(Record::from).try_for_each(&mut *each)?;
        let organisations: BTreeSet<&Organisation> =
            self.models.keys().chain(self.records.organisations()).collect();
        for organisation in &organisations {
            let (first_event, last_event) = self.records.ends(organisation);
            let models = self.models.get(*organisation).map_or(0, |models| models.len() as u64);
            let organisation = (*organisation).clone();
            each(Record::Organisation { organisation, models, last_event, first_event })?;
        }
        for organisation in &organisations {
            for model in self.models.get(*organisation).into_iter().flat_map(|it| it.values()) {
                let organisation = (*organisation).clone();
                each(Record::Model(ModelLine { organisation, model: model.clone() }))?;
            }
        }
        self.records.export(each)
    }

    fn import(&mut self, record: Record) {
        match record {
            Record::Start { last_id } => self.last_id = self.last_id.max(last_id),
            Record::Registration { organisation, plan } => {
                self.access.put_registration(Registration { organisation, plan });
            }
            Record::Key(key) => self.access.put_key(key.into()),
            Record::Organisation { organisation, models: _, last_event, first_event: _ } => {
                self.models.entry(organisation.clone()).or_default();
                self.records.put_last(organisation, last_event);
            }
            Record::Model(ModelLine { organisation, model }) => {
                self.models.entry(organisation).or_default().insert(model.id, model);
            }
            Record::Data { organisation, model, pair } => {
                self.records.put_data(organisation, model, pair);
            }
            Record::Event(event) => self.records.put_event(event),
            Record::Answer(answer) => self.records.put_answer(answer),
        }
    }

    /// Erases everything at once, since nothing here is slow.
    fn erase(&mut self, organisation: &Organisation) -> u64 {
        let models = self.models.remove(organisation).map_or(0, |it| it.len() as u64 + 1);
        self.access.erase(organisation) + models + self.records.erase(organisation)
    }
}
