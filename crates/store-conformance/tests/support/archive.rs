//! Export, import and erasure of everything in the store.

use custom_models_core::Organisation;
use custom_models_core::store::{
    AnswerLine, ArchiveChange, ArchiveStore, EventLine, Lineage, ModelLine, Record, Registration,
    StoreError, StoreErrorKind, StoreIdentity, StoreSummary,
};

use super::access::Access;
use super::life::Life;
use super::mutant::Mutant;
use super::state::State;
use super::store::QueuedStore;

impl ArchiveStore for QueuedStore {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mutant = self.mutant;
        let _waits = self.exporting.lock().unwrap();
        let records = self.shared.read(|state| Ok(state.records(mutant)))?;
        let (first, rest) = records.split_at(records.len() / 2);
        let first = if mutant == Some(Mutant::ExportsInTwoParts) {
            let mut earlier = self.shared.memory.lock().unwrap().before.records(mutant);
            earlier.retain(|record| !rest.contains(record));
            earlier
        } else {
            first.to_vec()
        };
        for record in first.into_iter().chain(rest.iter().cloned()) {
            let seen = each(record);
            if mutant != Some(Mutant::ExportsGoOn) {
                seen?;
            }
        }
        Ok(())
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        let mutant = self.mutant;
        let count = {
            let mut memory = self.shared.memory.lock().unwrap();
            if memory.is_closed && mutant != Some(Mutant::ReadsAfterClose) {
                return Err(StoreErrorKind::Closed.into());
            }
            memory.before = memory.now.clone();
            memory.now.archive(mutant, change)
        };
        if mutant != Some(Mutant::ImportsAreSavedLater) {
            self.shared.save_after_a_write()?;
        }
        Ok(count)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        let mutant = self.mutant;
        self.shared.read(|state| Ok(state.summary(mutant)))
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        let damage = (self.mutant == Some(Mutant::EverythingIsDamage)).then(|| "all".to_owned());
        self.shared.read(|_| Ok(damage.into_iter().collect()))
    }
}

impl State {
    fn records(&self, mutant: Option<Mutant>) -> Vec<Record> {
        let mut records = vec![Record::Start { last_id: self.last_id }];
        records.extend(self.access.records());
        records.extend(self.life.organisations().into_iter().map(|organisation| {
            let (mut first_event, last_event) = self.life.ends(&organisation);
            if mutant == Some(Mutant::HistoriesAreSaidToBeWhole) {
                first_event = 1;
            }
            let models = self.rows.keys().filter(|(of, _)| *of == organisation).count() as u64;
            Record::Organisation { organisation, models, last_event, first_event }
        }));
        let model = |((organisation, _), model): (&(Organisation, _), &_)| {
            let (organisation, model) = (Organisation::clone(organisation), Clone::clone(model));
            Record::Model(ModelLine { organisation, model })
        };
        let mut models: Vec<_> = self.rows.iter().collect();
        if mutant == Some(Mutant::ExportsInOrderOfIds) {
            models.sort_by_key(|((_, id), _)| *id);
        }
        records.extend(models.into_iter().map(model));
        records.extend(self.life.records(mutant));
        records
    }

    fn archive(&mut self, mutant: Option<Mutant>, change: ArchiveChange) -> u64 {
        match change {
            ArchiveChange::Begin(_)
                if mutant != Some(Mutant::ImportBeginsAnywhere)
                    && self.records(None) != [Record::Start { last_id: 0 }] =>
            {
                0
            }
            ArchiveChange::Import(records) | ArchiveChange::Begin(records) => {
                let count = records.len() as u64;
                match mutant {
                    Some(Mutant::IdentityIsThatOfTheImport) => self.identity = [1; 16],
                    Some(Mutant::LineageIsThatOfTheImport) => self.lineage = Some(Lineage::new(1)),
                    _ => {}
                }
                records.into_iter().for_each(|record| self.put(mutant, record));
                count
            }
            ArchiveChange::Erase { organisation, limit } => {
                let before = self.records(None).len();
                self.erase(mutant, &organisation, limit as usize);
                before.saturating_sub(self.records(None).len()) as u64
            }
            ArchiveChange::ReplaceIdentity { expected, new } => {
                self.replace_identity(mutant, expected, new)
            }
        }
    }

    fn replace_identity(
        &mut self,
        mutant: Option<Mutant>,
        expected: (StoreIdentity, Option<Lineage>),
        (identity, lineage): (StoreIdentity, Lineage),
    ) -> u64 {
        let is_expected = match mutant {
            Some(Mutant::IdentityIsReplacedByAnyone) => true,
            Some(Mutant::LineageIsNotExpected) => expected.0.as_bytes() == &self.identity,
            _ => expected == (StoreIdentity::from_bytes(self.identity), self.lineage),
        };
        if is_expected {
            (self.identity, self.lineage) = (*identity.as_bytes(), Some(lineage));
        }
        is_expected.into()
    }

    fn put(&mut self, mutant: Option<Mutant>, record: Record) {
        match record {
            Record::Start { last_id } if mutant == Some(Mutant::ImportLowersTheLastId) => {
                self.last_id = last_id;
            }
            Record::Start { last_id } if mutant != Some(Mutant::LastIdIsNotBrought) => {
                self.last_id = self.last_id.max(last_id);
            }
            Record::Model(ModelLine { organisation, model })
                if mutant == Some(Mutant::ImportsKeepWhatIsThere) =>
            {
                self.rows.entry((organisation, model.id)).or_insert(model);
            }
            Record::Model(ModelLine { organisation, model }) => {
                self.rows.insert((organisation, model.id), model);
            }
            Record::Organisation { ref organisation, models, .. } => {
                self.counters.insert((organisation.to_string(), None), models);
                self.life.put(record);
            }
            Record::Registration { .. } | Record::Key(_) => self.access.put(record),
            _ => self.life.put(record),
        }
    }

    fn summary(&self, mutant: Option<Mutant>) -> StoreSummary {
        let lasts = self.life.histories.values().map(|history| match mutant {
            Some(Mutant::EventsFallWithAPurge) => history.events.len() as u64,
            _ => history.last,
        });
        let erased = match mutant {
            Some(Mutant::EventsFallWithAnErasure) => 0,
            _ => self.erased_events,
        };
        let is_said =
            |pairs: &Vec<_>| !pairs.is_empty() || mutant == Some(Mutant::DataIsSaidWhereItWas);
        StoreSummary {
            identity: StoreIdentity::from_bytes(match mutant {
                Some(Mutant::IdentityIsAlwaysTheSame) => [0; 16],
                _ => self.identity,
            }),
            lineage: self.lineage,
            last_id: match mutant {
                Some(Mutant::LastIdIsThatOfTheNewestModel) => self.newest_id(),
                _ => self.last_id,
            },
            events: lasts.sum::<u64>() + erased,
            has_data: self.life.data.values().any(is_said),
        }
    }

    /// Erases one kind after the other.
    fn erase(&mut self, mutant: Option<Mutant>, of: &Organisation, limit: usize) {
        if self.access.erase(mutant, of, limit) || self.life.erase_data(mutant, of) {
            return;
        }
        let gone: Vec<_> =
            self.rows.keys().filter(|(it, _)| it == of).take(limit).cloned().collect();
        if mutant != Some(Mutant::ErasureKeepsCounters) {
            let counter = self.counters.entry((of.to_string(), None)).or_default();
            *counter = counter.saturating_sub(gone.len() as u64);
        }
        gone.iter().for_each(|key| drop(self.rows.remove(key)));
        if gone.is_empty() {
            let history = self.life.histories.remove(of);
            self.erased_events += history.map_or(0, |history| history.last);
        }
    }
}

impl Access {
    fn records(&self) -> Vec<Record> {
        let registrations = self.registrations().into_iter().map(Record::from);
        let mut keys = self.keys.clone();
        keys.sort_by(|a, b| (&a.organisation, a.id).cmp(&(&b.organisation, b.id)));
        registrations.chain(keys.into_iter().map(Record::from)).collect()
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::Registration { organisation, plan } => {
                let Registration { organisation, plan } = Registration { organisation, plan };
                self.plans.insert(organisation, plan);
            }
            Record::Key(line) => {
                let key = custom_models_core::access::KeyRecord::from(line);
                self.keys.retain(|other| other.id != key.id);
                self.keys.push(key);
                self.keys.sort_by_key(|key| key.id);
            }
            _ => {}
        }
    }

    /// Erases at most `limit` keys of an organisation, or its plan if it has none. Returns true if it erased
    /// something.
    fn erase(&mut self, mutant: Option<Mutant>, of: &Organisation, limit: usize) -> bool {
        let all = mutant == Some(Mutant::ErasureTakesAllKeys);
        let (before, mut left) = (self.keys.len(), limit);
        let mut gone = Vec::new();
        self.keys.retain(|key| {
            let goes = (key.organisation == *of || all) && left > 0;
            left -= usize::from(goes);
            gone.extend(goes.then_some(key.id));
            !goes
        });
        if mutant != Some(Mutant::ErasedKeysKeepTheirAdmissions) {
            self.forget_admissions(&gone);
        }
        before > self.keys.len() || self.plans.remove(of).is_some()
    }
}

impl Life {
    fn organisations(&self) -> Vec<Organisation> {
        self.histories.keys().cloned().collect()
    }

    fn ends(&self, of: &Organisation) -> (u64, u64) {
        self.histories.get(of).map_or((1, 0), |history| {
            (history.last + 1 - history.events.len() as u64, history.last)
        })
    }

    fn records(&self, mutant: Option<Mutant>) -> Vec<Record> {
        let mut records = Vec::new();
        for ((organisation, model), pairs) in &self.data {
            records.extend(pairs.iter().cloned().map(|pair| Record::Data {
                organisation: organisation.clone(),
                model: *model,
                pair,
            }));
        }
        for (organisation, history) in &self.histories {
            let line = |event| Record::Event(EventLine::new(organisation.clone(), event));
            records.extend(history.events.iter().cloned().map(line));
        }
        if mutant != Some(Mutant::AnswersAreNotShown) {
            let mut answers: Vec<_> = self.answers.iter().collect();
            answers.sort_by_key(|((organisation, ..), _)| organisation);
            for ((organisation, key, _), kept) in answers {
                let line = AnswerLine::new(organisation.clone(), key.clone(), kept.clone());
                records.push(Record::Answer(line));
            }
        }
        records
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::Organisation { organisation, last_event, .. } => {
                self.histories.entry(organisation).or_default().last = last_event;
            }
            Record::Data { organisation, model, pair } => {
                let pairs = self.data.entry((organisation, model)).or_default();
                pairs.retain(|other| other.id != pair.id);
                pairs.push(pair);
                pairs.sort_by_key(|pair| pair.id);
            }
            Record::Event(line) => {
                let (organisation, position, model, event) = line.into_parts();
                let history = self.histories.entry(organisation).or_default();
                history.events.retain(|other| other.position != position);
                history.events.push(event.at(position, model));
                history.events.sort_by_key(|event| event.position);
            }
            Record::Answer(line) => {
                let (organisation, key, kept) = line.into_parts();
                self.answers.insert((organisation, key, None), kept);
            }
            _ => {}
        }
    }

    /// Erases the data and the idempotency records of an organisation. Returns true if it erased something.
    fn erase_data(&mut self, mutant: Option<Mutant>, of: &Organisation) -> bool {
        let count =
            |life: &Life| life.data.values().map(Vec::len).sum::<usize>() + life.answers.len();
        let before = count(self);
        self.data.retain(|(it, _), _| it != of);
        if mutant != Some(Mutant::ErasureLeavesAnswers) {
            self.answers.retain(|(it, ..), _| it != of);
        }
        before > count(self)
    }
}
