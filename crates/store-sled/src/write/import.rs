//! Imports and erasures of records.

use custom_models_core::Organisation;
use custom_models_core::access::{Operation, Window};
use custom_models_core::store::{
    AccessRows, ArchiveChange, Lineage, ModelLine, Record, Registration, StoreError, StoreIdentity,
};

use crate::rows::access::{KEYS, decode_key, registration_key};
use crate::rows::admissions::{newest_key, older_prefix};
use crate::rows::counters::Counter;
use crate::rows::identity::{lineage_from_rows, lineage_to_bytes};
use crate::rows::keys::{
    IDENTITY, LAST_ID, LINEAGE, counter_key, end_of, key_below, model_key, parts_of,
};
use crate::rows::models;
use crate::rows::overflow::{self, Edits};
use crate::rows::records::{
    HistoryBounds, answer_time_key, claim_key, decode_answer, event_key, event_to_bytes,
    history_key,
};
use crate::write::group::Group;

impl Group<'_> {
    /// Imports or erases records, all or none, and returns their number.
    pub(crate) fn archive(&mut self, change: &ArchiveChange) -> Result<u64, StoreError> {
        let (before, last_id) = (self.changes.clone(), self.last_id);
        let archived = match change {
            ArchiveChange::Begin(_) if !self.is_empty()? => Ok(0),
            ArchiveChange::Import(records) | ArchiveChange::Begin(records) => records
                .iter()
                .try_for_each(|record| self.put(record))
                .map(|()| records.len() as u64),
            ArchiveChange::Erase { organisation, limit } => self.erase(organisation, *limit),
            ArchiveChange::ReplaceIdentity { expected, new } => {
                self.replace_identity(*expected, *new)
            }
        };
        if archived.is_err() {
            (self.changes, self.last_id) = (before, last_id);
        }
        archived
    }

    /// Returns true if an export would have no record but a start at 0, and the group has changed
    /// nothing.
    fn is_empty(&self) -> Result<bool, StoreError> {
        let is_empty = self.last_id == 0 && self.changes.is_empty();
        Ok(is_empty && crate::read::export::is_empty(self.db)?)
    }

    fn put(&mut self, record: &Record) -> Result<(), StoreError> {
        let mut edits = Edits::new();
        match record {
            Record::Start { last_id } => {
                self.last_id = self.last_id.max(*last_id);
                edits.push((LAST_ID.to_vec(), Some(self.last_id.to_be_bytes().to_vec())));
            }
            Record::Registration { organisation, plan } => {
                let (organisation, plan) = (organisation.clone(), plan.clone());
                let registration = Registration { organisation, plan };
                return self.judge(|rows| rows.put_registration(&registration));
            }
            Record::Key(key) => return self.judge(|rows| rows.put_key(&key.clone().into())),
            Record::Organisation { organisation, models, last_event, first_event } => {
                let Counter { changes, .. } = self.counter(organisation)?;
                let counter = Counter { models: *models, changes: changes.wrapping_add(1) };
                edits.push((counter_key(organisation), Some(counter.to_bytes())));
                let history = HistoryBounds { first: *first_event, last: *last_event };
                edits.push((history_key(organisation), Some(history.to_bytes())));
            }
            Record::Model(ModelLine { organisation, model }) => {
                let before = self.value(&model_key(organisation, model.id.get()))?;
                let before = before.map(|it| models::from_bytes(model.id, &it)).transpose()?;
                self.put_model(&mut edits, organisation, before.as_ref(), Some(model))?;
            }
            Record::Data { organisation, model, pair } => {
                let key = crate::rows::records::data_key(organisation, *model, pair.id);
                let first = self.changes.row(self.db, &key)?;
                let pair = crate::rows::records::pair_to_bytes(pair)?;
                overflow::put(&mut edits, &key, pair, first.as_deref())?;
            }
            Record::Event(line) => {
                let (organisation, position, model, event) = line.clone().into_parts();
                let key = event_key(&organisation, position);
                let first = self.changes.row(self.db, &key)?;
                overflow::put(&mut edits, &key, event_to_bytes(&event, model)?, first.as_deref())?;
            }
            Record::Answer(line) => {
                let (organisation, key, kept) = line.clone().into_parts();
                self.put_answer(&mut edits, &organisation, &key, &kept)?;
            }
        }
        self.changes.set_all(self.db, edits)
    }

    fn replace_identity(
        &mut self,
        expected: (StoreIdentity, Option<Lineage>),
        (identity, lineage): (StoreIdentity, Lineage),
    ) -> Result<u64, StoreError> {
        let [made, since] = [IDENTITY, LINEAGE].map(|key| self.changes.row(self.db, key));
        if lineage_from_rows(made?.as_deref(), since?.as_deref())? != expected {
            return Ok(0);
        }
        let row = lineage_to_bytes(identity, lineage);
        self.changes.set(self.db, LINEAGE.to_vec(), Some(row)).map(|()| 1)
    }

    /// Erases at most `limit` rows, or a few more that belong together.
    fn erase(&mut self, organisation: &Organisation, limit: u32) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        let mut edits = Edits::new();
        self.erase_keys(&mut edits, organisation, limit)?;
        if edits.len() < limit {
            self.erase_row(&mut edits, registration_key(organisation))?;
        }
        for kind in [b"r", b"d", b"m", b"e"] {
            self.erase_kind(&mut edits, kind, organisation, limit)?;
        }
        if edits.len() < limit {
            self.erase_row(&mut edits, counter_key(organisation))?;
            self.erase_row(&mut edits, history_key(organisation))?;
        }
        let erased = edits.len() as u64;
        self.changes.set_all(self.db, edits)?;
        Ok(erased)
    }

    fn erase_row(&self, edits: &mut Edits, key: Vec<u8>) -> Result<(), StoreError> {
        if self.changes.row(self.db, &key)?.is_some() {
            edits.push((key, None));
        }
        Ok(())
    }

    fn erase_keys(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        limit: usize,
    ) -> Result<(), StoreError> {
        for (place, row) in self.changes.rows(self.db, KEYS)? {
            let key = decode_key(&place, &row)?;
            if key.organisation == *organisation && edits.len() < limit {
                for operation in Operation::ALL {
                    let window = Window { key: key.id.into(), operation };
                    for prefix in [older_prefix(&window), newest_key(&window)] {
                        let admissions = self.changes.rows(self.db, &prefix)?;
                        edits.extend(admissions.into_keys().map(|row| (row, None)));
                    }
                }
                edits.push((place, None));
            }
        }
        Ok(())
    }

    /// Erases rows of a kind that belong to the organisation, and their index entries.
    fn erase_kind(
        &self,
        edits: &mut Edits,
        kind: &[u8],
        organisation: &Organisation,
        limit: usize,
    ) -> Result<(), StoreError> {
        let Some(left) = limit.checked_sub(edits.len()).filter(|left| *left > 0) else {
            return Ok(());
        };
        let keys = key_below(kind, organisation, b"")..end_of(kind, organisation);
        let (mut models, mut events) = (0, 0);
        for (key, first) in self.changes.first_rows(self.db, keys, left)? {
            // The further rows of a long value go with its first one.
            overflow::remove(edits, &key, &first);
            if kind == b"r" && parts_of::<32>(&key).is_some() {
                let (_, kept) = decode_answer(&self.value(&key)?.unwrap_or_default())?;
                edits.push((answer_time_key(kept.at, &key), None));
            }
            if kind == b"m"
                && let Some(id) = crate::rows::keys::id_of(&key)
            {
                let model = models::from_bytes(id, &self.value(&key)?.unwrap_or_default())?;
                edits.extend(model.training.claimable_at().map(|at| (claim_key(at, id), None)));
                models += 1;
            }
            events += u64::from(kind == b"e" && parts_of::<8>(&key).is_some());
        }
        if events > 0 {
            let HistoryBounds { first, last } = self.history(organisation)?;
            let history = HistoryBounds { first: first.saturating_add(events), last };
            edits.push((history_key(organisation), Some(history.to_bytes())));
        }
        if models > 0 {
            let Counter { models: counted, changes } = self.counter(organisation)?;
            let counter = Counter {
                models: counted.saturating_sub(models),
                changes: changes.wrapping_add(1),
            };
            edits.push((counter_key(organisation), Some(counter.to_bytes())));
        }
        Ok(())
    }
}
