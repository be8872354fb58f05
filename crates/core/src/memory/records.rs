//! The histories, the data and the idempotency records of a [`MemoryStore`](crate::MemoryStore).

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::model::{DataId, DataPair, Event, EventPage, ModelId};
use crate::store::{
    AnswerLine, EventLine, IdempotencyRecord, IdempotencyScope, Purge, Purged, Record, StoreError,
};
use crate::tenant::Organisation;

#[derive(Debug, Default)]
pub(crate) struct RecordsState {
    histories: HashMap<Organisation, History>,
    /// The number of events in erased histories.
    erased_events: u64,
    pub(crate) data: BTreeMap<(Organisation, ModelId), BTreeMap<DataId, DataPair>>,
    pub(crate) answers: BTreeMap<(Organisation, IdempotencyScope), IdempotencyRecord>,
}

/// INVARIANT: the positions of the events are consecutive, up to `last`.
#[derive(Debug, Default)]
struct History {
    last: u64,
    events: VecDeque<Event>,
}

impl RecordsState {
    /// Returns the position of an organisation's last event, 0 before the first.
    pub(crate) fn last_event(&self, organisation: &Organisation) -> u64 {
        self.histories.get(organisation).map_or(0, |history| history.last)
    }

    /// Appends an event after the last one.
    pub(crate) fn append(&mut self, organisation: &Organisation, event: Event) {
        let history = self.histories.entry(organisation.clone()).or_default();
        history.last = event.position;
        history.events.push_back(event);
    }

    /// Returns the organisations that have a history.
    pub(crate) fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.histories.keys()
    }

    /// Returns the number of events ever appended.
    pub(crate) fn all_events(&self) -> u64 {
        self.histories.values().map(|history| history.last).sum::<u64>() + self.erased_events
    }

    pub(crate) fn has_data(&self) -> bool {
        self.data.values().any(|pairs| !pairs.is_empty())
    }

    /// Returns the positions of the first stored event and of the last event.
    pub(crate) fn ends(&self, organisation: &Organisation) -> (u64, u64) {
        let ends =
            |history: &History| (history.last + 1 - history.events.len() as u64, history.last);
        self.histories.get(organisation).map_or((1, 0), ends)
    }

    /// Exports data, events and idempotency records, each kind in its order.
    pub(crate) fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for ((organisation, model), pairs) in &self.data {
            for pair in pairs.values().cloned() {
                each(Record::Data { organisation: organisation.clone(), model: *model, pair })?;
            }
        }
        let histories: BTreeMap<_, _> = self.histories.iter().collect();
        for (organisation, history) in histories {
            for event in &history.events {
                each(Record::Event(EventLine::new(organisation.clone(), event.clone())))?;
            }
        }
        for ((organisation, key), kept) in &self.answers {
            each(Record::Answer(AnswerLine::new(organisation.clone(), key.clone(), kept.clone())))?;
        }
        Ok(())
    }

    pub(crate) fn put_last(&mut self, organisation: Organisation, last: u64) {
        self.histories.entry(organisation).or_default().last = last;
    }

    pub(crate) fn put_data(&mut self, organisation: Organisation, model: ModelId, pair: DataPair) {
        self.data.entry((organisation, model)).or_default().insert(pair.id, pair);
    }

    /// Imports an event; events come in order. An event that exists already is not changed.
    pub(crate) fn put_event(&mut self, line: EventLine) {
        let (organisation, position, model, event) = line.into_parts();
        let history = self.histories.entry(organisation).or_default();
        if history.events.back().is_none_or(|last| last.position < position) {
            history.events.push_back(event.at(position, model));
        }
    }

    pub(crate) fn put_answer(&mut self, line: AnswerLine) {
        let (organisation, key, kept) = line.into_parts();
        self.answers.insert((organisation, key), kept);
    }

    /// Erases the data, the idempotency records and the history of an organisation. Returns the number of
    /// erased records; a history counts as one, besides its events.
    pub(crate) fn erase(&mut self, organisation: &Organisation) -> u64 {
        let before = self.data.len() + self.answers.len();
        self.data.retain(|(of, _), _| of != organisation);
        self.answers.retain(|(of, _), _| of != organisation);
        let gone = before - self.data.len() - self.answers.len();
        let history = self.histories.remove(organisation);
        self.erased_events += history.as_ref().map_or(0, |history| history.last);
        gone as u64 + history.map_or(0, |history| history.events.len() as u64 + 1)
    }

    pub(crate) fn purge(
        &mut self,
        Purge { events_before, idempotency_until, limit }: Purge,
    ) -> Purged {
        let mut purged = Purged::default();
        let limit = u64::from(limit);
        for history in self.histories.values_mut() {
            let is_old =
                |event: &Event| events_before.is_some_and(|before| event.created_at < before);
            while purged.events < limit && history.events.front().is_some_and(is_old) {
                history.events.pop_front();
                purged.events += 1;
            }
        }
        self.answers.retain(|_, kept| {
            let is_kept = purged.answers >= limit || kept.at > idempotency_until;
            purged.answers += u64::from(!is_kept);
            is_kept
        });
        purged
    }

    pub(crate) fn events(&self, organisation: &Organisation, after: u64, limit: u32) -> EventPage {
        let (first, last) = self.ends(organisation);
        let skipped = after.saturating_add(1).saturating_sub(first);
        let history = self.histories.get(organisation);
        let events = history
            .into_iter()
            .flat_map(|history| &history.events)
            .skip(usize::try_from(skipped).unwrap_or(usize::MAX))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect();
        EventPage { events, last, first }
    }

    pub(crate) fn data(
        &self,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Vec<DataPair> {
        let pairs = self.data.get(&(organisation.clone(), model));
        let first = after.checked_add(1).and_then(|number| DataId::new(number).ok());
        let Some(first) = first else { return Vec::new() };
        let behind = pairs.into_iter().flat_map(|pairs| pairs.range(first..));
        let behind = behind.map(|(_, pair)| pair.clone());
        behind.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
    }
}
