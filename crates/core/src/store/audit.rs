//! A check that the records of a store agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{KeyDigest, KeyId, KeyRecord};
use crate::model::{
    CustomModel, DataPair, DataTotals, DataType, EventType, ModelId, TrainingState, TrainingStatus,
};
use crate::store::archive::{EventLine, ModelLine, Record};
use crate::tenant::{Organisation, PlanName, Plans};
use crate::time::Timestamp;

mod finding;
mod replay;

pub use finding::Finding;
use replay::{Pairs, Replay, Training};

/// An audit of the records of an export. It takes them one after the other, and returns the contradictions at
/// the end.
///
/// Records written by the engine have no contradictions, whatever its clock showed. Memory grows with the
/// number of models and keys, by about half a KiB each.
#[derive(Debug, Default)]
pub struct Audit {
    plans: Option<Plans>,
    last_id: u64,
    registered: BTreeSet<Organisation>,
    keys: BTreeSet<KeyId>,
    digests: BTreeSet<KeyDigest>,
    organisations: BTreeMap<Organisation, Counted>,
    /// The organisations with records but without counters.
    uncounted: BTreeSet<Organisation>,
    models: BTreeMap<(Organisation, ModelId), Seen>,
    findings: Vec<Finding>,
}

/// The counters of an organisation, and the totals of its records so far.
#[derive(Debug)]
struct Counted {
    models: u64,
    seen: u64,
    last_event: u64,
    next_event: u64,
    /// The first and the last model with a creation event.
    created: Option<(ModelId, ModelId)>,
}

/// The records seen of a model that exists or existed.
#[derive(Debug, Default)]
struct Seen {
    /// `None` if the model does not exist.
    stored: Option<Box<StoredModel>>,
    data: DataTotals,
    pairs: Pairs,
    replay: Replay,
    is_out_of_place: bool,
}

/// The fields of an existing model that an audit checks.
#[derive(Debug)]
struct StoredModel {
    training: Training,
    revision: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Audit {
    /// Also reports plans that are not among `plans`.
    #[must_use]
    pub fn with_plans(self, plans: Plans) -> Self {
        Audit { plans: Some(plans), ..self }
    }

    /// Takes the next record.
    pub fn look(&mut self, record: &Record) {
        match record {
            Record::Start { last_id } => self.last_id = *last_id,
            Record::Registration { organisation, plan } => {
                self.look_at_registration(organisation, plan);
            }
            Record::Key(key) => self.look_at_key(&key.clone().into()),
            Record::Organisation { organisation, models, last_event, first_event } => {
                let (models, last_event) = (*models, *last_event);
                let next_event = *first_event;
                let counted = Counted { models, seen: 0, last_event, next_event, created: None };
                if self.organisations.insert(organisation.clone(), counted).is_some() {
                    self.findings.push(Finding::Repeated(organisation.clone(), None));
                }
            }
            Record::Model(line) => self.look_at_model(line),
            Record::Data { organisation, model, pair } => {
                self.look_at_data(organisation, *model, pair);
            }
            Record::Event(line) => self.look_at_event(line),
            Record::Answer(line) => {
                let (organisation, model, revision) = line.about();
                self.look_for_counters(organisation);
                let Some(id) = model else { return };
                let seen = self.models.get(&(organisation.clone(), id));
                let stored = seen.and_then(|seen| seen.stored.as_ref());
                if stored.is_some_and(|stored| stored.revision < revision.get()) {
                    self.findings.push(Finding::AnswerAhead(organisation.clone(), id));
                }
                if id.get() > self.last_id && seen.is_none() {
                    self.findings.push(Finding::IdBeyondTheLast(organisation.clone(), id));
                }
            }
        }
    }

    fn look_at_registration(&mut self, organisation: &Organisation, plan: &PlanName) {
        if !self.registered.insert(organisation.clone()) {
            self.findings.push(Finding::Repeated(organisation.clone(), None));
        }
        let is_known = |plans: &Plans| plans.get(plan.as_str()).is_some();
        if !self.plans.as_ref().is_none_or(is_known) {
            self.findings.push(Finding::UnknownPlan(organisation.clone(), plan.clone()));
        }
    }

    fn look_at_key(&mut self, key: &KeyRecord) {
        if !self.registered.contains(&key.organisation) {
            self.findings.push(Finding::KeyOfNobody(key.organisation.clone()));
        }
        // Inserts both, even if the first one is a repeat.
        let is_new = [self.keys.insert(key.id), self.digests.insert(key.digest)];
        if is_new.contains(&false) {
            self.findings.push(Finding::KeyLikeAnother(key.organisation.clone(), key.id));
        }
    }

    fn look_for_counters(&mut self, organisation: &Organisation) {
        if !self.organisations.contains_key(organisation) {
            self.uncounted.insert(organisation.clone());
        }
    }

    fn look_at_model(&mut self, ModelLine { organisation, model }: &ModelLine) {
        self.look_for_counters(organisation);
        if let Some(counted) = self.organisations.get_mut(organisation) {
            counted.seen += 1;
        }
        let mut found = |finding: fn(Organisation, ModelId) -> Finding| {
            self.findings.push(finding(organisation.clone(), model.id));
        };
        if !is_in_order(model) {
            found(Finding::TimesOutOfOrder);
        }
        if !is_of_data(&model.training) {
            found(Finding::StatusNotOfData);
        }
        let stored = Some(Box::new(StoredModel {
            training: Training::from(&model.training),
            revision: model.revision().get(),
            created_at: model.created_at,
            updated_at: model.updated_at,
        }));
        let seen = Seen { stored, ..Seen::default() };
        if self.models.insert((organisation.clone(), model.id), seen).is_some() {
            self.findings.push(Finding::Repeated(organisation.clone(), Some(model.id)));
        }
    }

    fn look_at_data(&mut self, organisation: &Organisation, model: ModelId, pair: &DataPair) {
        self.look_for_counters(organisation);
        let seen = self.models.get_mut(&(organisation.clone(), model));
        let Some((Seen { data, pairs, .. }, updated_at)) = seen.and_then(|seen| {
            seen.stored.as_ref().map(|stored| stored.updated_at).map(|at| (seen, at))
        }) else {
            return self.findings.push(Finding::DataOfNobody(organisation.clone(), model, pair.id));
        };
        let (millis, number) = match pair.data_type {
            DataType::Train => (&mut data.train_millis, &mut data.train_pairs),
            DataType::Test => (&mut data.test_millis, &mut data.test_pairs),
        };
        *millis = millis.saturating_add(pair.audio_millis);
        *number = number.saturating_add(1);
        data.last_id = data.last_id.max(pair.id.get());
        pairs.add(pair.id);
        if pair.created_at > updated_at {
            self.findings.push(Finding::TimesOutOfOrder(organisation.clone(), model));
        }
    }

    fn look_at_event(&mut self, line: &EventLine) {
        let (organisation, position, model, event) = line.clone().into_parts();
        self.look_for_counters(&organisation);
        let mut is_in_order = true;
        if let Some(counted) = self.organisations.get_mut(&organisation) {
            let expected = counted.next_event;
            if position != expected {
                let organisation = organisation.clone();
                let found = position;
                self.findings.push(Finding::HistoryWithAGap { organisation, expected, found });
            }
            counted.next_event = position.saturating_add(1);
            is_in_order = event.event_type != EventType::Created || counted.create(model);
        }
        let seen = self.models.entry((organisation.clone(), model)).or_default();
        if !(seen.replay.take(&event) && is_in_order || seen.is_out_of_place) {
            // Later events may be out of place because of this one.
            seen.is_out_of_place = true;
            self.findings.push(Finding::EventOutOfPlace { organisation, position, model });
        }
    }

    /// Returns the findings, after the last record.
    pub fn findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        findings.extend(self.uncounted.into_iter().map(Finding::NotCounted));
        findings.extend(self.organisations.iter().flat_map(|(of, counted)| counted.findings(of)));
        let mut ids: BTreeMap<ModelId, u64> = BTreeMap::new();
        for (_, id) in self.models.keys() {
            *ids.entry(*id).or_default() += 1;
        }
        ids.retain(|_, organisations| *organisations > 1);
        for ((organisation, id), seen) in self.models {
            if id.get() > self.last_id {
                findings.push(Finding::IdBeyondTheLast(organisation.clone(), id));
            }
            let counted = self.organisations.get(&organisation);
            let first = counted.and_then(|counted| counted.created).map(|(first, _)| first);
            if first.is_some_and(|first| first < id) && !seen.replay.is_whole() {
                findings.push(Finding::CreationMissing(organisation.clone(), id));
            }
            if ids.contains_key(&id) {
                findings.push(Finding::IdOfTwo(organisation.clone(), id));
            }
            findings.extend(seen.findings().map(|finding| finding(organisation.clone(), id)));
        }
        findings
    }
}

/// Returns true if the times of a model are in an order that a clock can produce.
fn is_in_order(model: &CustomModel) -> bool {
    let training = &model.training;
    let of_success = training.success().map(|it| (it.started_at, it.finished_at));
    let of_failure = training.failure().map(|it| (it.started_at, it.failed_at));
    let of_run = training.run().map(|run| (run.started_at, run.started_at));
    let trainings = [of_success, of_failure, of_run].into_iter().flatten();
    model.created_at <= model.updated_at
        && trainings.into_iter().all(|(start, end)| start <= end && end <= model.updated_at)
}

/// Returns true if the status fits the amount of data: not ready without enough, not waiting for more with
/// enough.
fn is_of_data(training: &TrainingState) -> bool {
    match training.status() {
        TrainingStatus::NotRunning => !training.data().is_enough(),
        TrainingStatus::ReadyToRun | TrainingStatus::Running => training.data().is_enough(),
        TrainingStatus::Success | TrainingStatus::Failed => true,
    }
}

impl Counted {
    /// Records the creation of a model; returns false if a model with a larger id was created before.
    fn create(&mut self, model: ModelId) -> bool {
        let (first, last) = self.created.unwrap_or((model, model));
        self.created = Some((first, last.max(model)));
        last <= model
    }

    fn findings(&self, organisation: &Organisation) -> impl Iterator<Item = Finding> + use<> {
        let Counted { models, seen, last_event, next_event, created: _ } = *self;
        let of_models = (models != seen).then(|| Finding::ModelsMiscounted {
            organisation: organisation.clone(),
            counted: models,
            found: seen,
        });
        let behind = last_event.saturating_add(1);
        let of_events = (next_event != behind).then(|| Finding::HistoryWithAGap {
            organisation: organisation.clone(),
            expected: next_event,
            found: behind,
        });
        of_models.into_iter().chain(of_events)
    }
}

impl Seen {
    fn findings(self) -> impl Iterator<Item = fn(Organisation, ModelId) -> Finding> {
        let Seen { stored, data, pairs, replay, is_out_of_place } = self;
        let agrees = replay.exists().is_none_or(|exists| exists == stored.is_some());
        let mut findings: Vec<fn(Organisation, ModelId) -> Finding> = Vec::new();
        if !agrees {
            findings.push(Finding::NotAsTold);
        }
        let Some(stored) = stored else { return findings.into_iter() };
        let totals = stored.training.data;
        // The last id may belong to a pair that was removed.
        let is_sum = DataTotals { last_id: totals.last_id, ..data } == totals;
        let is_counted = is_sum && data.last_id <= totals.last_id;
        // After an event out of place, the others are not compared with the model.
        let is_comparable = !is_out_of_place && agrees;
        if !is_counted || is_comparable && !replay.is_of_pairs(pairs, totals.last_id) {
            findings.push(Finding::DataMiscounted);
        }
        if is_comparable && !replay.is_of_training(&stored.training) {
            findings.push(Finding::StatusNotAsTold);
        }
        if is_comparable
            && !replay.is_of_changes(stored.revision, stored.created_at, stored.updated_at)
        {
            findings.push(Finding::ChangesNotAsTold);
        }
        findings.into_iter()
    }
}

#[cfg(test)]
mod tests;
