//! Finding lines of an export that contradict or repeat an earlier line.

use std::collections::{HashMap, HashSet};

use custom_models_core::access::{KeyDigest, KeyId, KeyRecord};
use custom_models_core::model::DataPair;
use custom_models_core::store::{EventLine, IdempotencyScope, ModelLine, Record};
use custom_models_core::{ModelId, Organisation};
use custom_models_training_data::is_content_name;

/// Checks the records of an export in order, and refuses the first that contradicts or repeats an earlier one.
/// An `Audit` checks sums, which show only at the end.
#[derive(Debug, Default)]
pub(super) struct LineAudit {
    /// The kind of the last record, as an index into [`KINDS`].
    kind: usize,
    last_id: u64,
    organisations: HashMap<Organisation, SeenOrganisation>,
    key_ids: HashSet<KeyId>,
    key_digests: HashSet<KeyDigest>,
    models: HashMap<ModelId, SeenModel>,
    answers: HashSet<(usize, IdempotencyScope)>,
}

/// The facts about an organisation that earlier lines stated.
#[derive(Debug)]
struct SeenOrganisation {
    /// A short name for the organisation.
    number: usize,
    is_registered: bool,
    counters: Option<Counters>,
}

#[derive(Debug)]
struct Counters {
    models_left: u64,
    next_event: u64,
    last_event: u64,
}

#[derive(Debug)]
struct SeenModel {
    organisation: usize,
    last_data: u32,
}

/// The kinds of records, in the order in which an export has them.
const KINDS: [&str; 8] =
    ["start", "registration", "key", "organisation", "model", "data", "event", "answer"];

/// Refuses numbers beyond the largest id (MODEL-1), which stores and readers of JSON cannot represent.
fn check_numbers(record: &Record) -> Result<(), String> {
    let in_range = |name: &str, number: u64| match number {
        0..=ModelId::MAX => Ok(()),
        _ => Err(format!("{name} {number} is beyond the largest number, 2^53 - 1")),
    };
    match record {
        Record::Start { last_id } => in_range("last_id", *last_id),
        Record::Organisation { models, last_event, .. } => {
            in_range("models", *models)?;
            in_range("last_event", *last_event)
        }
        Record::Model(line) => in_range("revision", line.model.revision().get()),
        Record::Data { pair, .. } => {
            in_range("audio_millis", pair.audio_millis)?;
            in_range("bytes", pair.audio.bytes)?;
            in_range("bytes", pair.transcript.bytes)
        }
        Record::Answer(line) => {
            let (_, _, kept) = line.clone().into_parts();
            match kept.status {
                100..1000 => in_range("revision", kept.revision.get()),
                status => Err(format!("status {status} is none of HTTP")),
            }
        }
        // The position of an event is that which is expected.
        Record::Registration { .. } | Record::Key(_) | Record::Event(_) => Ok(()),
    }
}

impl LineAudit {
    /// Checks the next record. Returns its fault.
    pub(super) fn check(&mut self, record: &Record) -> Result<(), String> {
        self.in_order(record)?;
        check_numbers(record)?;
        match record {
            Record::Start { last_id } => {
                self.last_id = *last_id;
                Ok(())
            }
            Record::Registration { organisation, .. } => {
                let seen = self.seen(organisation);
                if std::mem::replace(&mut seen.is_registered, true) {
                    return Err(format!("a second registration of {organisation}"));
                }
                Ok(())
            }
            Record::Key(line) => self.key(&line.clone().into()),
            Record::Organisation { organisation, models, last_event, first_event } => {
                let behind = last_event.saturating_add(1);
                if *first_event == 0 || *first_event > behind {
                    return Err(format!("the history of {organisation} begins behind its end"));
                }
                let counters = Counters {
                    models_left: *models,
                    next_event: *first_event,
                    last_event: *last_event,
                };
                match self.seen(organisation).counters.replace(counters) {
                    Some(_) => Err(format!("second counters of {organisation}")),
                    None => Ok(()),
                }
            }
            Record::Model(line) => self.model(line),
            Record::Data { organisation, model, pair } => self.data(organisation, *model, pair),
            Record::Event(line) => self.event(line),
            Record::Answer(line) => {
                let (organisation, key, _) = line.clone().into_parts();
                let number = self.seen(&organisation).number;
                if !self.answers.insert((number, key)) {
                    return Err(format!("a second answer of {organisation} under one key"));
                }
                Ok(())
            }
        }
    }

    fn in_order(&mut self, record: &Record) -> Result<(), String> {
        let kind = match record {
            Record::Start { .. } => 0,
            Record::Registration { .. } => 1,
            Record::Key(_) => 2,
            Record::Organisation { .. } => 3,
            Record::Model(_) => 4,
            Record::Data { .. } => 5,
            Record::Event(_) => 6,
            Record::Answer(_) => 7,
        };
        let name = |kind: usize| KINDS.get(kind).copied().unwrap_or_default();
        if kind < self.kind {
            return Err(format!("a record {} behind a record {}", name(kind), name(self.kind)));
        }
        self.kind = kind;
        Ok(())
    }

    fn seen(&mut self, organisation: &Organisation) -> &mut SeenOrganisation {
        let number = self.organisations.len();
        let new = || SeenOrganisation { number, is_registered: false, counters: None };
        self.organisations.entry(organisation.clone()).or_insert_with(new)
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<(usize, &mut Counters), String> {
        let seen = self.seen(organisation);
        let counters =
            seen.counters.as_mut().ok_or_else(|| format!("no counters of {organisation}"));
        Ok((seen.number, counters?))
    }

    fn key(&mut self, key: &KeyRecord) -> Result<(), String> {
        if !self.seen(&key.organisation).is_registered {
            return Err(format!("a key of {}, which is not registered", key.organisation));
        }
        if !self.key_ids.insert(key.id) {
            return Err(format!("a second key {}", key.id));
        }
        if !self.key_digests.insert(key.digest) {
            return Err(format!("the digest of key {} is that of another key", key.id));
        }
        Ok(())
    }

    fn model(&mut self, ModelLine { organisation, model }: &ModelLine) -> Result<(), String> {
        let id = model.id;
        if id.get() > self.last_id {
            return Err(format!("model {id} is beyond the last id, {}", self.last_id));
        }
        let (number, counters) = self.counters(organisation)?;
        let left = counters.models_left.checked_sub(1);
        counters.models_left =
            left.ok_or_else(|| format!("more models of {organisation} than it counts"))?;
        let seen = SeenModel { organisation: number, last_data: 0 };
        match self.models.insert(id, seen) {
            Some(_) => Err(format!("a second model {id}")),
            None => Ok(()),
        }
    }

    fn data(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
        pair: &DataPair,
    ) -> Result<(), String> {
        let number = self.seen(organisation).number;
        let model = self.models.get_mut(&id).filter(|model| model.organisation == number);
        let model = model.ok_or_else(|| format!("data of model {id}, which is not there"))?;
        let data = pair.id;
        if data.get() <= model.last_data {
            return Err(format!("data {data} of model {id} behind data {}", model.last_data));
        }
        model.last_data = data.get();
        if pair.audio.content == pair.transcript.content {
            return Err(format!("data {data} of model {id} has one file twice"));
        }
        for file in [&pair.audio, &pair.transcript] {
            if !is_content_name(&file.content) {
                return Err(format!(
                    "data {data} of model {id}: a content is named by 32 hexadecimal digits"
                ));
            }
        }
        Ok(())
    }

    fn event(&mut self, line: &EventLine) -> Result<(), String> {
        let (organisation, position, ..) = line.clone().into_parts();
        let (_, counters) = self.counters(&organisation)?;
        let expected = counters.next_event;
        if position != expected {
            return Err(format!("event {position} of {organisation} in place of event {expected}"));
        }
        if position > counters.last_event {
            return Err(format!("event {position} of {organisation} is beyond its last event"));
        }
        counters.next_event = position.saturating_add(1);
        Ok(())
    }
}
