//! The rows of the store under ordered keys, as any key-value store could hold them.

use std::collections::BTreeMap;
use std::sync::Arc;

use custom_models_core::access::{KeyDigest, KeyRecord, Window};
use custom_models_core::model::{DataPair, Event, NewEvent};
use custom_models_core::store::*;
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};
use serde::{Deserialize, Serialize};

use super::Result;

#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is a record, behind an `Arc`")]
pub(super) enum Row {
    /// Everything that an export shows, in the form that the core gives it.
    Record(Record),
    /// The time of an admission. Its key has the window and the number.
    Admission(UnixMillis),
    /// The number of events ever appended, erased ones included.
    Events(u64),
    Identity([u8; 16], Option<u64>),
    /// The key of another row. Links follow from rows and are not in the log.
    Link(String),
}

/// Returns the key of a record's row. Rows sort as an export does: by kind, organisation and number.
pub(super) fn key_of(record: &Record) -> String {
    match record {
        Record::Start { .. } => "0".to_owned(),
        Record::Registration { organisation: of, .. } => format!("1 {of} "),
        Record::Key(line) => {
            format!("2 {} {}", line.organisation(), KeyRecord::from(line.clone()).id)
        }
        Record::Organisation { organisation: of, .. } => format!("3 {of} "),
        Record::Model(line) => numbered("4", &line.organisation, line.model.id.get()),
        Record::Data { organisation: of, model, pair } => {
            pair_key(of, *model, pair.id.get().into())
        }
        Record::Event(line) => numbered("6", line.organisation(), line.clone().into_parts().1),
        Record::Answer(line) => {
            let (of, scope, _) = line.clone().into_parts();
            answer_key(&of, &scope)
        }
    }
}

pub(super) fn numbered(kind: &str, of: &Organisation, number: u64) -> String {
    format!("{kind} {of} {number:020}")
}

pub(super) fn pair_key(of: &Organisation, model: ModelId, pair: u64) -> String {
    format!("{}{pair:020}", pair_prefix(of, model))
}

pub(super) fn pair_prefix(of: &Organisation, model: ModelId) -> String {
    format!("{} ", numbered("5", of, model.get()))
}

fn answer_key(of: &Organisation, scope: &IdempotencyScope) -> String {
    let target = scope.target.map_or(0, ModelId::get);
    format!("7 {of} {} {target} {}", scope.operation, scope.key)
}

pub(super) fn window_prefix(window: &Window) -> String {
    format!("w {} {} ", hex(window.key.as_bytes()), window.operation)
}

fn claim_key(at: UnixMillis) -> String {
    format!("c {:020} ", at.unix_millis().abs_diff(i64::MIN))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes a value out of a row of the expected kind.
macro_rules! take {
    ($row:expr, $kind:pat => $value:expr) => {
        match $row {
            Some($kind) => Some($value),
            _ => None,
        }
    };
}
pub(super) use take;

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<String, Arc<Row>>,
    /// The changes that are not in the log yet.
    pub(super) changes: Vec<(String, Option<Arc<Row>>)>,
}

/// Reading.
impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Row> {
        match &**self.rows.get(key)? {
            Row::Link(key) => self.get(key),
            row => Some(row),
        }
    }

    /// Returns the rows under a prefix, from a key on.
    pub(super) fn range<'a>(
        &'a self,
        prefix: &str,
        from: &str,
    ) -> impl DoubleEndedIterator<Item = (&'a String, &'a Row)> + use<'a> {
        let keys = self.rows.range(from.to_owned()..format!("{prefix}\u{7f}"));
        keys.filter_map(|(key, _)| Some((key, self.get(key)?)))
    }

    pub(super) fn records<'a>(
        &'a self,
        prefix: &str,
        from: &str,
    ) -> impl Iterator<Item = Record> + use<'a> {
        self.range(prefix, from)
            .filter_map(|(_, row)| take!(Some(row), Row::Record(it) => it.clone()))
    }

    pub(super) fn pairs<'a>(
        &'a self,
        of: &Organisation,
        model: ModelId,
        from: u64,
    ) -> impl DoubleEndedIterator<Item = DataPair> + use<'a> {
        let rows = self.range(&pair_prefix(of, model), &pair_key(of, model, from));
        rows.filter_map(
            |(_, row)| take!(Some(row), Row::Record(Record::Data { pair, .. }) => pair.clone()),
        )
    }

    pub(super) fn find_model(&self, of: &Organisation, id: ModelId) -> Option<CustomModel> {
        let row = self.get(&numbered("4", of, id.get()));
        take!(row, Row::Record(Record::Model(line)) => line.model.clone())
    }

    pub(super) fn find_answer(
        &self,
        of: &Organisation,
        key: &IdempotencyScope,
    ) -> Option<IdempotencyRecord> {
        let row = self.get(&answer_key(of, key));
        take!(row, Row::Record(Record::Answer(line)) => line.clone().into_parts().2)
    }

    pub(super) fn find_key(&self, link: &str) -> Option<KeyRecord> {
        take!(self.get(link), Row::Record(Record::Key(line)) => line.clone().into())
    }

    pub(super) fn find_registration(&self, of: &Organisation) -> Option<Registration> {
        let row = self.get(&format!("1 {of} "));
        take!(row, Row::Record(Record::Registration { organisation, plan }) =>
            Registration { organisation: organisation.clone(), plan: plan.clone() })
    }

    /// Returns the counters of an organisation, and the position of its first event.
    pub(super) fn counts(&self, of: &Organisation) -> (Counters, u64) {
        let row = self.get(&format!("3 {of} "));
        let counts = take!(row, Row::Record(Record::Organisation { models, last_event, first_event, .. }) =>
            (Counters { models: *models, events: *last_event }, *first_event));
        counts.unwrap_or((Counters::default(), 1))
    }

    pub(super) fn last_id(&self) -> u64 {
        take!(self.get("0"), Row::Record(Record::Start { last_id }) => *last_id).unwrap_or(0)
    }

    fn all_events(&self) -> u64 {
        take!(self.get("events"), Row::Events(number) => *number).unwrap_or(0)
    }

    pub(super) fn models<'a>(
        &'a self,
        of: &Organisation,
        from: u64,
    ) -> impl Iterator<Item = CustomModel> + use<'a> {
        let models = self.records(&format!("4 {of} "), &numbered("4", of, from));
        models.filter_map(|record| take!(Some(record), Record::Model(line) => line.model))
    }

    pub(super) fn events<'a>(
        &'a self,
        of: &Organisation,
        from: u64,
    ) -> impl Iterator<Item = Event> + use<'a> {
        let events = self.records(&format!("6 {of} "), &numbered("6", of, from));
        events.filter_map(|record| {
            let (_, position, model, event) =
                take!(Some(record), Record::Event(line) => line.into_parts())?;
            Some(event.at(position, model))
        })
    }

    pub(super) fn claimable<'a>(
        &'a self,
        at: UnixMillis,
    ) -> impl Iterator<Item = (Organisation, CustomModel)> + use<'a> {
        let until = claim_key(at);
        let rows = self
            .range("c ", "c ")
            .take_while(move |(key, _)| key.get(..until.len()) <= Some(&*until));
        rows.filter_map(|(_, row)| {
            take!(Some(row), Row::Record(Record::Model(line)) =>
            (line.organisation.clone(), line.model.clone()))
        })
    }

    pub(super) fn registrations<'a>(&'a self) -> impl Iterator<Item = Registration> + use<'a> {
        let records = self.records("1 ", "1 ");
        records.filter_map(|record| {
            take!(Some(record), Record::Registration { organisation, plan } =>
            Registration { organisation, plan })
        })
    }

    pub(super) fn keys<'a>(
        &'a self,
        of: &Organisation,
    ) -> impl Iterator<Item = KeyRecord> + use<'a> {
        let prefix = format!("2 {of} ");
        let keys = self.records(&prefix, &prefix);
        keys.filter_map(|record| take!(Some(record), Record::Key(line) => line.into()))
    }

    pub(super) fn grant(&self, digest: &KeyDigest) -> Option<Grant> {
        let key = self.find_key(&format!("8 {}", hex(digest.as_bytes())))?;
        let plan = self.find_registration(&key.organisation)?.plan;
        Some(Grant { key, plan })
    }

    pub(super) fn export<'a>(&'a self) -> impl Iterator<Item = Record> + use<'a> {
        ["0", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 "]
            .into_iter()
            .flat_map(|kind| self.records(kind, kind))
    }

    pub(super) fn summary(&self) -> Result<StoreSummary> {
        let (identity, lineage) = self.identity()?;
        let (last_id, events) = (self.last_id(), self.all_events());
        let has_data = self.range("5 ", "5 ").next().is_some();
        Ok(StoreSummary { identity, lineage, last_id, events, has_data })
    }

    pub(super) fn identity(&self) -> Result<(StoreIdentity, Option<Lineage>)> {
        let found = take!(self.get("identity"), Row::Identity(bytes, lineage) =>
            (StoreIdentity::from_bytes(*bytes), lineage.map(Lineage::new)));
        found.ok_or_else(|| StoreErrorKind::Damaged.into())
    }
}

/// Changing. Nothing here fails, so that a job whose judgement fails has changed nothing.
impl Table {
    pub(super) fn is_new(&self) -> bool {
        self.rows.is_empty()
    }

    /// Fills the rows of a new store.
    pub(super) fn begin(&mut self, identity: [u8; 16]) {
        self.set("identity".to_owned(), Some(Row::Identity(identity, None)));
        self.put_last_id(0);
    }

    pub(super) fn set(&mut self, key: String, row: Option<Row>) {
        let row = row.map(Arc::new);
        self.change(key.clone(), row.clone());
        self.changes.push((key, row));
    }

    pub(super) fn change(&mut self, key: String, row: Option<Arc<Row>>) {
        for link in self.rows.get(&key).map(|row| links(row)).unwrap_or_default() {
            self.rows.remove(&link);
        }
        let Some(row) = row else { return drop(self.rows.remove(&key)) };
        for link in links(&row) {
            self.rows.insert(link, Arc::new(Row::Link(key.clone())));
        }
        self.rows.insert(key, row);
    }

    pub(super) fn put(&mut self, record: Record) {
        if let Record::Key(line) = &record {
            // Its organisation may be another one than before.
            if let Some(old) = self.find_key(&format!("9 {}", KeyRecord::from(line.clone()).id)) {
                self.set(key_of(&old.into()), None);
            }
        }
        self.set(key_of(&record), Some(Row::Record(record)));
    }

    pub(super) fn put_last_id(&mut self, id: u64) {
        self.put(Record::Start { last_id: id.max(self.last_id()) });
    }

    pub(super) fn put_counts(&mut self, of: &Organisation, new: Counters, first_event: u64) {
        let more = new.events.saturating_sub(self.counts(of).0.events);
        if more > 0 {
            self.set(
                "events".to_owned(),
                Some(Row::Events(self.all_events().saturating_add(more))),
            );
        }
        let Counters { models, events: last_event } = new;
        self.put(Record::Organisation {
            organisation: of.clone(),
            models,
            last_event,
            first_event,
        });
    }

    /// Removes rows under a prefix, `limit` at most and as long as they match.
    pub(super) fn remove(
        &mut self,
        prefix: &str,
        limit: u64,
        matches: impl Fn(&Row) -> bool,
    ) -> u64 {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let old = self.range(prefix, prefix).take_while(|(_, row)| matches(row)).take(limit);
        let old: Vec<String> = old.map(|(key, _)| key.clone()).collect();
        let count = old.len() as u64;
        old.into_iter().for_each(|key| self.set(key, None));
        count
    }

    pub(super) fn remove_events(
        &mut self,
        of: &Organisation,
        limit: u64,
        is_old: impl Fn(&NewEvent) -> bool,
    ) -> u64 {
        let is_old = |row: &Row| matches!(row, Row::Record(Record::Event(line)) if is_old(&line.clone().into_parts().3));
        let count = self.remove(&format!("6 {of} "), limit, is_old);
        let (counters, first) = self.counts(of);
        if count > 0 {
            self.put_counts(of, counters, first.saturating_add(count));
        }
        count
    }
}

fn links(row: &Row) -> Vec<String> {
    match row {
        Row::Record(Record::Model(ModelLine { organisation, model })) => {
            let key = |at| format!("{}{:020} {organisation}", claim_key(at), model.id.get());
            model.training.claimable_at().map(key).into_iter().collect()
        }
        Row::Record(Record::Key(line)) => {
            let KeyRecord { id, digest, .. } = line.clone().into();
            vec![format!("8 {}", hex(digest.as_bytes())), format!("9 {id}")]
        }
        _ => Vec::new(),
    }
}
