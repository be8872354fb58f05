//! Judges writes by the rows of the draft, and changes them: the core's `Rows`, and the writes that the core does
//! not judge.

use std::borrow::{Borrow, BorrowMut};

use std::time::Duration;

use custom_models_core::access::{KeyDigest, KeyId, KeyRecord, Window, WindowKey};
use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::*;
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use super::Result;
use super::table::{Row, Table, hex, key_of, numbered, pair_key, pair_prefix, take, window_prefix};

/// Writes of every kind. Those that fail have changed nothing.
impl Table {
    pub(super) fn judge(&mut self, job: &Job) -> Result<JobOutcome> {
        Ok(match job {
            Job::Model(write) => JobOutcome::Model(apply(self, write)?),
            Job::Access(change) => JobOutcome::Access(apply_access(self, change)?),
            Job::Purge(purge) => JobOutcome::Purged(self.purge(purge)),
            Job::Archive(change) => JobOutcome::Archived(self.archive(change)?),
        })
    }

    fn sweep(&mut self, until: UnixMillis, now: UnixMillis, limit: u32) -> u64 {
        let (mut swept, mut changes) = (0, Vec::new());
        for (key, row) in self.range("w ", "w ") {
            match row {
                Row::Admission(at) if *at <= until && swept < u64::from(limit) => {
                    swept += 1;
                    changes.push((key.clone(), None));
                }
                Row::Admission(at) if *at > now => {
                    changes.push((key.clone(), Some(Row::Admission(now))))
                }
                _ => {}
            }
        }
        changes.into_iter().for_each(|(key, row)| self.set(key, row));
        swept
    }

    fn purge(&mut self, Purge { events_before, idempotency_until, limit }: &Purge) -> Purged {
        let mut purged = Purged::default();
        let limit = u64::from(*limit);
        let of_organisation =
            |record| take!(Some(record), Record::Organisation { organisation, .. } => organisation);
        let organisations: Vec<_> = self.records("3 ", "3 ").filter_map(of_organisation).collect();
        for of in organisations {
            let is_old =
                |event: &NewEvent| events_before.is_some_and(|before| event.created_at < before);
            purged.events += self.remove_events(&of, limit - purged.events, is_old);
        }
        let old = self.records("7 ", "7 ").filter(|record| {
            matches!(record, Record::Answer(line) if line.clone().into_parts().2.at <= *idempotency_until)
        });
        let old: Vec<_> = old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        purged.answers = old.len() as u64;
        old.iter().for_each(|record| self.set(key_of(record), None));
        purged
    }

    fn archive(&mut self, change: &ArchiveChange) -> Result<u64> {
        let is_start = |record: Record| record == Record::Start { last_id: 0 };
        match change {
            ArchiveChange::Begin(_) if !self.export().all(is_start) => Ok(0),
            ArchiveChange::Import(records) | ArchiveChange::Begin(records) => {
                records.iter().cloned().for_each(|record| self.import(record));
                Ok(records.len() as u64)
            }
            ArchiveChange::Erase { organisation, limit } => {
                Ok(self.erase(organisation, u64::from(*limit)))
            }
            ArchiveChange::ReplaceIdentity { expected, new: (identity, lineage) } => {
                let is_expected = self.identity()? == *expected;
                if is_expected {
                    let row = Row::Identity(*identity.as_bytes(), Some(lineage.get()));
                    self.set("identity".to_owned(), Some(row));
                }
                Ok(is_expected.into())
            }
        }
    }

    /// Imports a record as it is. The last id never decreases.
    fn import(&mut self, record: Record) {
        match record {
            Record::Start { last_id } => self.put_last_id(last_id),
            Record::Organisation { organisation, models, last_event, first_event } => {
                let counters = Counters { models, events: last_event };
                self.put_counts(&organisation, counters, first_event);
            }
            record => self.put(record),
        }
    }

    /// Erases rows of the first kind that is left. Keys go before the registration, counters go last, and change
    /// with their models and events.
    fn erase(&mut self, of: &Organisation, limit: u64) -> u64 {
        for kind in ["2", "1", "7", "5", "4", "6", "3"] {
            let prefix = format!("{kind} {of} ");
            if kind == "2" {
                self.erase_admissions(&prefix, limit);
            }
            let count = match kind {
                "6" => self.remove_events(of, limit, |_| true),
                _ => self.remove(&prefix, limit, |_| true),
            };
            if kind == "4" && count > 0 {
                let (counters, first) = self.counts(of);
                let models = counters.models.saturating_sub(count);
                self.put_counts(of, Counters { models, ..counters }, first);
            }
            if count > 0 {
                return count;
            }
        }
        0
    }

    fn erase_admissions(&mut self, keys: &str, limit: u64) {
        let keys = self.records(keys, keys).take(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids = keys.filter_map(
            |record| take!(Some(record), Record::Key(line) => KeyRecord::from(line).id),
        );
        for id in ids.collect::<Vec<_>>() {
            self.remove(&format!("w {} ", hex(WindowKey::from(id).as_bytes())), u64::MAX, |_| true);
        }
    }
}

/// The core's `apply` judges by these rows, and then changes them.
impl Rows for Table {
    type Error = StoreError;

    type Admissions<'r> = Windows<&'r mut Table>;

    fn idempotency_record(
        &mut self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>> {
        Ok(self.find_answer(of, key))
    }

    fn counters(&mut self, of: &Organisation) -> Result<Counters> {
        Ok(self.counts(of).0)
    }

    fn model(&mut self, of: &Organisation, id: ModelId) -> Result<Option<CustomModel>> {
        Ok(self.find_model(of, id))
    }

    fn pair(
        &mut self,
        of: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>> {
        Ok(self.pairs(of, model, pair.get().into()).next().filter(|found| found.id == pair))
    }

    fn last_pair(&mut self, of: &Organisation, model: ModelId) -> Result<Option<DataId>> {
        Ok(self.pairs(of, model, 0).next_back().map(|pair| pair.id))
    }

    fn next_id(&mut self) -> Result<ModelId> {
        let next = self.last_id().saturating_add(1);
        ModelId::new(next).map_err(|_| StoreErrorKind::IdsExhausted.into())
    }

    fn insert_model(&mut self, of: &Organisation, model: &CustomModel) -> Result<()> {
        self.put_last_id(model.id.get());
        self.replace_model(of, model, model)
    }

    fn replace_model(
        &mut self,
        of: &Organisation,
        _: &CustomModel,
        after: &CustomModel,
    ) -> Result<()> {
        let (organisation, model) = (of.clone(), after.clone());
        self.put(Record::Model(ModelLine { organisation, model }));
        Ok(())
    }

    fn delete_model(&mut self, of: &Organisation, before: &CustomModel) -> Result<()> {
        self.set(numbered("4", of, before.id.get()), None);
        self.remove(&pair_prefix(of, before.id), u64::MAX, |_| true);
        Ok(())
    }

    fn insert_pair(&mut self, of: &Organisation, model: ModelId, pair: &DataPair) -> Result<()> {
        self.put(Record::Data { organisation: of.clone(), model, pair: pair.clone() });
        Ok(())
    }

    fn delete_pair(&mut self, of: &Organisation, model: ModelId, pair: DataId) -> Result<()> {
        self.set(pair_key(of, model, pair.get().into()), None);
        Ok(())
    }

    fn append_event(
        &mut self,
        of: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<()> {
        self.put(Record::Event(EventLine::new(of.clone(), event.clone().at(position, model))));
        Ok(())
    }

    fn insert_idempotency_record(
        &mut self,
        of: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<()> {
        self.put(Record::Answer(AnswerLine::new(of.clone(), key.clone(), kept.clone())));
        Ok(())
    }

    fn set_counters(&mut self, of: &Organisation, counters: Counters) -> Result<()> {
        let first_event = self.counts(of).1;
        self.put_counts(of, counters, first_event);
        Ok(())
    }

    fn admissions(
        &mut self,
        _: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Windows<&mut Table>, UnixMillis)> {
        Ok((Windows(self), at))
    }
}

impl AccessRows for Table {
    fn registration(&mut self, of: &Organisation) -> Result<Option<Registration>> {
        Ok(self.find_registration(of))
    }

    fn put_registration(&mut self, registration: &Registration) -> Result<()> {
        self.put(registration.clone().into());
        Ok(())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<KeyRecord>> {
        Ok(self.find_key(&format!("9 {id}")))
    }

    fn key_id(&mut self, digest: &KeyDigest) -> Result<Option<KeyId>> {
        Ok(self.find_key(&format!("8 {}", hex(digest.as_bytes()))).map(|key| key.id))
    }

    fn put_key(&mut self, key: &KeyRecord) -> Result<()> {
        self.put(key.clone().into());
        Ok(())
    }

    fn sweep_windows(&mut self, longest: Duration, now: UnixMillis, limit: u32) -> Result<u64> {
        Ok(self.sweep(now.earlier(longest), now, limit))
    }
}

/// The admissions of a table, which is borrowed for reading or for writing.
pub(super) struct Windows<T>(pub(super) T);

impl<T: Borrow<Table>> Windows<T> {
    fn from(
        &self,
        window: &Window,
        number: u64,
    ) -> impl DoubleEndedIterator<Item = Admission> + use<'_, T> {
        let prefix = window_prefix(window);
        let rows = self.0.borrow().range(&prefix, &format!("{prefix}{number:020}"));
        let number_in = |key: &str| key.rsplit(' ').next().and_then(|number| number.parse().ok());
        rows.filter_map(move |(key, row)| match row {
            Row::Admission(at) => Some(Admission { number: number_in(key)?, at: *at }),
            _ => None,
        })
    }
}

impl<T: Borrow<Table>> AdmissionRows for Windows<T> {
    type Error = StoreError;

    fn last(&mut self, window: &Window) -> Result<Option<Admission>> {
        Ok(self.from(window, 0).next_back())
    }

    fn first_after(&mut self, window: &Window, after: UnixMillis) -> Result<Option<Admission>> {
        Ok(self.from(window, 0).find(|admission| admission.at > after))
    }

    fn numbered(&mut self, window: &Window, number: u64) -> Result<Option<Admission>> {
        Ok(self.from(window, number).next())
    }
}

impl<T: BorrowMut<Table>> AdmissionRowsMut for Windows<T> {
    fn insert(&mut self, window: &Window, Admission { number, at }: Admission) -> Result<()> {
        let key = format!("{}{number:020}", window_prefix(window));
        self.0.borrow_mut().set(key, Some(Row::Admission(at)));
        Ok(())
    }

    fn delete_first(&mut self, window: &Window, until: UnixMillis, most: u32) -> Result<()> {
        let is_old = |row: &Row| matches!(row, Row::Admission(at) if *at <= until);
        self.0.borrow_mut().remove(&window_prefix(window), most.into(), is_old);
        Ok(())
    }
}
