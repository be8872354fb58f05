//! All rows of a store, in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::access::{KeyDigest, KeyId, KeyRecord, Window, WindowKey};
use crate::memory::row_change::RowChange;
use crate::model::{CustomModel, DataPair, Event, ModelId};
use crate::store::{
    Admission, IdempotencyRecord, IdempotencyScope, Lineage, ModelLine, Record, StoreIdentity,
};
use crate::tenant::{Organisation, PlanName};
use crate::time::UnixMillis;

/// All rows of a store, in memory: the part of a durable store that judges writes and answers reads.
///
/// [`Tables::judge`] makes a write and keeps the changes of rows that it made, for the log of the store.
/// [`Tables::replay`] makes such changes again, at opening or in other tables.
///
/// ```
/// use custom_models_core::memory::{RowChange, Tables};
/// use custom_models_core::store::{AccessChange, Job, Registration, StoreIdentity};
///
/// let mut tables = Tables::with_identity(StoreIdentity::from_bytes([7; 16]));
/// let registration = Registration { organisation: "acme".parse()?, plan: "Gold".parse()? };
/// tables.judge(&Job::Access(AccessChange::Register(registration.clone())))?;
/// let log = serde_json::to_string(&tables.take_changes())?;
///
/// let mut again = Tables::default();
/// for change in serde_json::from_str::<Vec<RowChange>>(&log)? {
///     again.replay(change);
/// }
/// assert_eq!(again.registrations(), [registration]);
/// assert_eq!(again.summary(), tables.summary());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(super) identity: Option<StoreIdentity>,
    pub(super) lineage: Option<Lineage>,
    pub(super) last_id: u64,
    /// The number of events in erased histories.
    pub(super) erased_events: u64,
    pub(super) organisations: BTreeMap<Organisation, Rows>,
    pub(super) keys: BTreeMap<KeyId, KeyRecord>,
    /// INVARIANT: the digests of `keys`, each with the id of its key.
    pub(super) ids: HashMap<KeyDigest, KeyId>,
    pub(super) admissions: BTreeMap<Window, VecDeque<Admission>>,
    /// INVARIANT: the models whose training can be claimed at some time, by that time.
    pub(super) queue: BTreeSet<(UnixMillis, u64, Organisation)>,
    changes: Vec<RowChange>,
    /// True while changes are not kept, because nobody takes them.
    pub(super) is_unlogged: bool,
}

/// The rows of an organisation.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) plan: Option<PlanName>,
    pub(super) counts: Option<Counts>,
    pub(super) models: BTreeMap<u64, CustomModel>,
    pub(super) data: BTreeMap<(u64, u32), DataPair>,
    pub(super) events: BTreeMap<u64, Event>,
    pub(super) answers: BTreeMap<IdempotencyScope, IdempotencyRecord>,
}

/// The counters of an organisation, and the ends of its history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) models: u64,
    pub(super) first_event: u64,
    pub(super) last_event: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Counts { models: 0, first_event: 1, last_event: 0 }
    }
}

impl Tables {
    /// Creates empty tables with an identity, which is their first change. The identity of
    /// `Tables::default()` is all zeros.
    pub fn with_identity(identity: StoreIdentity) -> Self {
        let mut tables = Tables::default();
        tables.change(RowChange::Identify { identity: *identity.as_bytes(), lineage: None });
        tables
    }

    /// Takes the changes of rows since the last call, in order. Replayed ones are not among them.
    pub fn take_changes(&mut self) -> Vec<RowChange> {
        std::mem::take(&mut self.changes)
    }

    /// Makes a change, and keeps it for [`Tables::take_changes`], unless nobody takes it.
    pub(super) fn change(&mut self, change: RowChange) {
        if !self.is_unlogged {
            self.changes.push(change.clone());
        }
        self.replay(change);
    }

    /// Makes a change that a judged write made before.
    pub fn replay(&mut self, change: RowChange) {
        match change {
            RowChange::Put(record) => self.put(record),
            RowChange::RemoveModel { organisation, model } => {
                self.remove_model(&organisation, model);
            }
            RowChange::RemovePair { organisation, model, pair } => {
                self.rows_mut(organisation).data.remove(&(model.get(), pair.get()));
            }
            RowChange::RemoveEvents { organisation, first } => {
                let rows = self.rows_mut(organisation);
                rows.events = rows.events.split_off(&first);
                rows.counts.get_or_insert_default().first_event = first;
            }
            RowChange::RemoveAnswers { until, limit } => self.remove_answers(until, limit),
            RowChange::Admit { window, number, at } => {
                self.admissions.entry(window).or_default().push_back(Admission { number, at });
            }
            RowChange::RemoveAdmissions { window, count } => {
                let Some(all) = self.admissions.get_mut(&window) else { return };
                all.drain(..count.min(all.len()));
                if all.is_empty() {
                    self.admissions.remove(&window);
                }
            }
            RowChange::MoveAdmissions { now } => {
                let all = self.admissions.values_mut().flatten();
                all.for_each(|admission| admission.at = admission.at.min(now));
            }
            RowChange::Erase(organisation) => self.erase(&organisation),
            RowChange::Identify { identity, lineage } => {
                self.identity = Some(StoreIdentity::from_bytes(identity));
                self.lineage = lineage.map(Lineage::new);
            }
        }
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::Start { last_id } => self.last_id = self.last_id.max(last_id),
            Record::Registration { organisation, plan } => {
                self.rows_mut(organisation).plan = Some(plan);
            }
            Record::Key(line) => self.put_key(line.into()),
            Record::Organisation { organisation, models, last_event, first_event } => {
                let counts = Counts { models, first_event, last_event };
                self.rows_mut(organisation).counts = Some(counts);
            }
            Record::Model(ModelLine { organisation, model }) => {
                let since = model.training.claimable_at();
                let id = model.id.get();
                let before = self.rows_mut(organisation.clone()).models.insert(id, model);
                self.unqueue(&organisation, before.as_ref());
                self.queue.extend(since.map(|at| (at, id, organisation)));
            }
            Record::Data { organisation, model, pair } => {
                let key = (model.get(), pair.id.get());
                self.rows_mut(organisation).data.insert(key, pair);
            }
            Record::Event(line) => {
                let (organisation, position, model, event) = line.into_parts();
                self.rows_mut(organisation).events.insert(position, event.at(position, model));
            }
            Record::Answer(line) => {
                let (organisation, scope, kept) = line.into_parts();
                self.rows_mut(organisation).answers.insert(scope, kept);
            }
        }
    }

    fn rows_mut(&mut self, organisation: Organisation) -> &mut Rows {
        self.organisations.entry(organisation).or_default()
    }

    fn put_key(&mut self, key: KeyRecord) {
        if let Some(old) = self.ids.insert(key.digest, key.id) {
            self.keys.remove(&old);
        }
        let (id, digest) = (key.id, key.digest);
        if let Some(old) = self.keys.insert(id, key)
            && old.digest != digest
        {
            self.ids.remove(&old.digest);
        }
    }

    fn remove_model(&mut self, organisation: &Organisation, model: ModelId) {
        let Some(rows) = self.organisations.get_mut(organisation) else { return };
        let before = rows.models.remove(&model.get());
        let pairs = (model.get(), 0)..=(model.get(), u32::MAX);
        rows.data.extract_if(pairs, |_, _| true).for_each(drop);
        self.unqueue(organisation, before.as_ref());
    }

    fn unqueue(&mut self, organisation: &Organisation, model: Option<&CustomModel>) {
        let place = model.and_then(|it| Some((it.training.claimable_at()?, it.id.get())));
        if let Some((since, id)) = place {
            self.queue.remove(&(since, id, organisation.clone()));
        }
    }

    fn remove_answers(&mut self, until: UnixMillis, limit: u32) {
        let mut left = limit;
        for rows in self.organisations.values_mut() {
            rows.answers.retain(|_, kept| {
                let is_kept = left == 0 || kept.at > until;
                left -= u32::from(!is_kept);
                is_kept
            });
        }
    }

    fn erase(&mut self, organisation: &Organisation) {
        let erased = self.organisations.remove(organisation);
        let events = erased.and_then(|it| it.counts).map_or(0, |it| it.last_event);
        self.erased_events = self.erased_events.saturating_add(events);
        self.queue.retain(|(.., of)| of != organisation);
        for (id, key) in self.keys.extract_if(.., |_, key| key.organisation == *organisation) {
            self.ids.remove(&key.digest);
            self.admissions.retain(|window, _| window.key != WindowKey::from(id));
        }
    }
}
