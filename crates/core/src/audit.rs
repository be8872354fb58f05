//! Whether what a store holds agrees with itself.

use std::collections::BTreeMap;
use std::fmt;

use crate::{
    DataId, DataTotals, DataType, EventLine, EventType, ModelId, ModelLine, Organisation, Record,
    TrainingStatus,
};

/// Looks at the records of an export, one after the other, and says in the end what contradicts what.
///
/// Memory grows with the number of models, a few words each.
#[derive(Debug, Default)]
pub struct Audit {
    last_id: u64,
    registered: BTreeMap<Organisation, ()>,
    organisations: BTreeMap<Organisation, Counted>,
    models: BTreeMap<(Organisation, ModelId), Seen>,
    findings: Vec<Finding>,
}

/// What is counted of an organisation, and what was seen.
#[derive(Debug)]
struct Counted {
    models: u64,
    seen: u64,
    last_event: u64,
    next_event: u64,
}

/// What was seen of a model that is there, or once was.
#[derive(Debug, Default)]
struct Seen {
    /// Its status and its sums, if it is there.
    is: Option<(TrainingStatus, DataTotals)>,
    data: DataTotals,
    told: Told,
}

/// What events tell of a model.
#[derive(Debug, Default)]
struct Told {
    /// From its beginning on.
    is_whole: bool,
    is_deleted: bool,
    /// `None` if no event is about it.
    is_running: Option<bool>,
    pairs: i64,
}

/// Something that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A key of an organisation that is not registered (AUTH-2).
    KeyOfNobody(Organisation),
    /// The counter of an organisation's models is not their number (QUOTA-1).
    ModelsMiscounted {
        /// Whose.
        organisation: Organisation,
        /// What the counter says.
        counted: u64,
        /// How many there are.
        found: u64,
    },
    /// A model has an id beyond the last one that was given away (MODEL-1).
    IdBeyondTheLast(Organisation, ModelId),
    /// An event is not where it has to be (LOG-1).
    HistoryWithAGap {
        /// Whose.
        organisation: Organisation,
        /// The position that comes next, or that behind the last one.
        expected: u64,
        /// The one that is there, or the end.
        found: u64,
    },
    /// A pair of data belongs to no model (EDIT-5).
    DataOfNobody(Organisation, ModelId, DataId),
    /// The sums of a model's data are not those of its pairs (DATA-6).
    DataMiscounted(Organisation, ModelId),
    /// A model is there that was deleted, or is not there and was not.
    NotAsTold(Organisation, ModelId),
    /// A training runs, or does not, against what the last event says of it.
    StatusNotAsTold(Organisation, ModelId),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::KeyOfNobody(of) => write!(f, "{of}: a key, but no registration"),
            Finding::ModelsMiscounted { organisation, counted, found } => {
                write!(f, "{organisation}: {counted} models are counted, {found} are there")
            }
            Finding::IdBeyondTheLast(of, id) => {
                write!(f, "{of}: the id of model {id} was never given away")
            }
            Finding::HistoryWithAGap { organisation, expected, found } => {
                write!(f, "{organisation}: event {expected} is missing, {found} is there")
            }
            Finding::DataOfNobody(of, model, pair) => {
                write!(f, "{of}: pair {pair} belongs to model {model}, which is not there")
            }
            Finding::DataMiscounted(of, id) => {
                write!(f, "{of}: the sums of model {id} are not those of its data")
            }
            Finding::NotAsTold(of, id) => {
                write!(f, "{of}: model {id} is there, or not, against its history")
            }
            Finding::StatusNotAsTold(of, id) => {
                write!(f, "{of}: the training of model {id} is not as its history says")
            }
        }
    }
}

impl Audit {
    /// Looks at the next record.
    pub fn look(&mut self, record: &Record) {
        match record {
            Record::Start { last_id } => self.last_id = *last_id,
            Record::Registration { organisation, .. } => {
                self.registered.insert(organisation.clone(), ());
            }
            Record::Key(key) => {
                if !self.registered.contains_key(key.organisation()) {
                    self.findings.push(Finding::KeyOfNobody(key.organisation().clone()));
                }
            }
            Record::Organisation { organisation, models, last_event, first_event } => {
                let (models, last_event) = (*models, *last_event);
                let counted = Counted { models, seen: 0, last_event, next_event: *first_event };
                self.organisations.insert(organisation.clone(), counted);
            }
            Record::Model(line) => self.look_at_model(line),
            Record::Data { organisation, model, pair } => {
                let seen = self.models.get_mut(&(organisation.clone(), *model));
                match seen.filter(|seen| seen.is.is_some()) {
                    Some(seen) => {
                        let data = &mut seen.data;
                        let (millis, pairs) = match pair.data_type {
                            DataType::Train => (&mut data.train_millis, &mut data.train_pairs),
                            DataType::Test => (&mut data.test_millis, &mut data.test_pairs),
                        };
                        *millis = millis.saturating_add(pair.audio_millis);
                        *pairs = pairs.saturating_add(1);
                        data.last_id = data.last_id.max(pair.id.get());
                    }
                    None => self.findings.push(Finding::DataOfNobody(
                        organisation.clone(),
                        *model,
                        pair.id,
                    )),
                }
            }
            Record::Event(line) => self.look_at_event(line),
            Record::Answer(_) => {}
        }
    }

    fn look_at_model(&mut self, ModelLine { organisation, model }: &ModelLine) {
        if model.id.get() > self.last_id {
            self.findings.push(Finding::IdBeyondTheLast(organisation.clone(), model.id));
        }
        match self.organisations.get_mut(organisation) {
            Some(counted) => counted.seen += 1,
            None => self.findings.push(Finding::ModelsMiscounted {
                organisation: organisation.clone(),
                counted: 0,
                found: 1,
            }),
        }
        let is = Some((model.training_status(), *model.course.data()));
        let seen = Seen { is, ..Seen::default() };
        self.models.insert((organisation.clone(), model.id), seen);
    }

    fn look_at_event(&mut self, line: &EventLine) {
        let (organisation, position, model, event) = line.clone().into_parts();
        if let Some(counted) = self.organisations.get_mut(&organisation) {
            let expected = counted.next_event;
            if position != expected {
                let organisation = organisation.clone();
                self.findings.push(Finding::HistoryWithAGap {
                    organisation,
                    expected,
                    found: position,
                });
            }
            counted.next_event = position.saturating_add(1);
        }
        let told = &mut self.models.entry((organisation, model)).or_default().told;
        match event.event_type {
            EventType::Created => told.is_whole = true,
            EventType::Deleted => told.is_deleted = true,
            EventType::DataAdded { .. } => told.pairs += 1,
            EventType::DataRemoved { .. } => told.pairs -= 1,
            EventType::TrainingStarted | EventType::TrainingProgressed { .. } => {
                told.is_running = Some(true);
            }
            EventType::TrainingSucceeded
            | EventType::TrainingFailed { .. }
            | EventType::TrainingCancelled => told.is_running = Some(false),
            EventType::Updated => {}
        }
    }

    /// What was found, when all records were looked at.
    pub fn findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        for (organisation, counted) in self.organisations {
            let Counted { models, seen, last_event, next_event } = counted;
            if models != seen {
                let organisation = organisation.clone();
                findings.push(Finding::ModelsMiscounted {
                    organisation,
                    counted: models,
                    found: seen,
                });
            }
            let behind = last_event.saturating_add(1);
            if next_event != behind {
                findings.push(Finding::HistoryWithAGap {
                    organisation,
                    expected: next_event,
                    found: behind,
                });
            }
        }
        for ((organisation, id), Seen { is, data, told }) in self.models {
            let is_told = told.is_whole || told.is_deleted;
            if is_told && is.is_some() == told.is_deleted {
                findings.push(Finding::NotAsTold(organisation.clone(), id));
            }
            let Some((status, totals)) = is else { continue };
            let pairs = i64::from(data.train_pairs) + i64::from(data.test_pairs);
            // The last number may be that of a pair which is not there any more.
            let is_sum = DataTotals { last_id: totals.last_id, ..data } == totals;
            if !is_sum || data.last_id > totals.last_id || told.is_whole && told.pairs != pairs {
                findings.push(Finding::DataMiscounted(organisation.clone(), id));
            }
            let is_running = status == TrainingStatus::Running;
            if told.is_running.is_some_and(|told| told != is_running) {
                findings.push(Finding::StatusNotAsTold(organisation, id));
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests;
