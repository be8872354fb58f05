use std::collections::{BTreeMap, HashMap};
use std::thread::ThreadId;

use custom_models_core::access::Operation;
use custom_models_core::model::{DataChange, DataId, DataPair, Event, EventPage, NewEvent};
use custom_models_core::store::{
    IdempotencyKey, IdempotencyRecord, IdempotencyScope, Purge, Purged,
};
use custom_models_core::tenant::Actor;
use custom_models_core::time::UnixMillis;
use custom_models_core::{ModelId, Organisation};

use super::mutant::Mutant;

/// Histories, data and idempotency records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(super) histories: BTreeMap<Organisation, History>,
    pub(super) data: BTreeMap<(Organisation, ModelId), Vec<DataPair>>,
    pub(super) answers: HashMap<KeptUnder, IdempotencyRecord>,
    /// A record that a mutant stores with the next write.
    pub(super) late: Option<(KeptUnder, IdempotencyRecord)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) last: u64,
    pub(super) events: Vec<Event>,
}

pub(super) type KeptUnder = (Organisation, IdempotencyScope, Option<ThreadId>);

impl Life {
    /// Prepares the state for an opened store.
    pub(crate) fn open(&mut self, mutant: Option<Mutant>) {
        match mutant {
            Some(Mutant::EventsForgottenAtOpening) => self.histories.clear(),
            Some(Mutant::DataForgottenAtOpening) => self.data.clear(),
            Some(Mutant::AnswersForgottenAtOpening) => self.answers.clear(),
            Some(Mutant::PositionsFollowWhatIsKept) => {
                for history in self.histories.values_mut() {
                    history.last = history.events.last().map_or(0, |event| event.position);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn repeated(
        &mut self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        key: &IdempotencyScope,
        at: UnixMillis,
        thread: ThreadId,
    ) -> Option<IdempotencyRecord> {
        let key = kept_under(mutant, organisation, key, Some(thread));
        let kept = self.answers.get_mut(&key)?;
        let is_live = kept.is_live_at(at);
        if mutant == Some(Mutant::RepeatsRenewTheAnswer) && is_live {
            kept.at = kept.at.max(at);
        }
        let mut kept = kept.clone();
        if mutant == Some(Mutant::AnswersLiveLonger) && !is_live {
            kept.at = UnixMillis::from_unix_millis(kept.at.unix_millis() + 1);
        }
        Some(kept)
    }

    pub(crate) fn keep(
        &mut self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        key: &IdempotencyScope,
        mut kept: IdempotencyRecord,
        thread: ThreadId,
    ) {
        let key = kept_under(mutant, organisation, key, Some(thread));
        if mutant == Some(Mutant::BodiesAreAscii) {
            kept.body.retain(|character| character.is_ascii());
        }
        if mutant == Some(Mutant::AnswersAreOfWholeSeconds) {
            kept.at = whole_seconds(kept.at);
        }
        if mutant == Some(Mutant::AnswersKeptWithTheNextWrite) {
            self.late = Some((key, kept));
        } else {
            self.answers.insert(key, kept);
        }
    }

    pub(crate) fn log(
        &mut self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        model: ModelId,
        mut event: NewEvent,
    ) {
        let all_last = self.histories.values().map(|history| history.last).max();
        let history = self.histories.entry(organisation.clone()).or_default();
        history.last = match mutant {
            Some(Mutant::PositionsOverAllOrganisations) => all_last.unwrap_or_default() + 1,
            Some(Mutant::EveryTenthPositionIsSkipped) if history.last % 10 == 8 => history.last + 2,
            _ => history.last + 1,
        };
        if mutant == Some(Mutant::ActorsEndAt64Characters) {
            let kept: String = event.actor.as_str().chars().take(64).collect();
            event.actor = Actor::new(kept).unwrap();
        }
        let mut position = history.last;
        if mutant == Some(Mutant::EveryTenthEventIsBeforeTheNinth)
            && position.is_multiple_of(10)
            && let Some(before) = history.events.last_mut()
        {
            position = std::mem::replace(&mut before.position, position);
        }
        history.events.push(event.at(position, model));
        history.events.sort_by_key(|event| event.position);
    }

    pub(crate) fn change_data(
        &mut self,
        mutant: Option<Mutant>,
        model: &(Organisation, ModelId),
        change: DataChange,
    ) {
        let pairs = self.data.entry(model.clone()).or_default();
        match change {
            DataChange::Keep => {}
            DataChange::Add(mut pair) => {
                if mutant == Some(Mutant::FileNamesEndAtNul) {
                    let kept = pair.audio.filename.split('\0').next().unwrap().to_owned();
                    pair.audio.filename = kept;
                }
                if mutant == Some(Mutant::SizesAreFloats) {
                    pair.audio.bytes = pair.audio.bytes as f64 as u64;
                }
                if mutant == Some(Mutant::PairNumbersHave31Bits) {
                    pair.id = DataId::new(pair.id.get() & (u32::MAX >> 1)).unwrap_or(pair.id);
                }
                pairs.push(pair);
                if mutant == Some(Mutant::PairsInOrderOfTheirDigits) {
                    pairs.sort_by_key(|pair| pair.id.to_string());
                }
            }
            DataChange::Remove(id) if mutant == Some(Mutant::RemovesEarlierPairsToo) => {
                pairs.retain(|pair| pair.id > id);
            }
            DataChange::Remove(id) => pairs.retain(|pair| pair.id != id),
        }
    }

    pub(crate) fn pair(&self, of: &Organisation, model: ModelId, id: DataId) -> Option<DataPair> {
        let pairs = self.data.get(&(of.clone(), model))?;
        pairs.iter().find(|pair| pair.id == id).cloned()
    }

    pub(crate) fn forget_data(&mut self, mutant: Option<Mutant>, model: &(Organisation, ModelId)) {
        if mutant != Some(Mutant::DataStaysWithoutItsModel) {
            self.data.remove(model);
        }
    }

    pub(crate) fn data(
        &self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Vec<DataPair> {
        let is_asked_for = |(of, id): &(Organisation, ModelId)| {
            *id == model
                && (of == organisation || mutant == Some(Mutant::DataIgnoresTheOrganisation))
        };
        let found = self.data.iter().find(|(key, _)| is_asked_for(key));
        let is_again = |number| mutant == Some(Mutant::DataBeginsWithTheLastOne) && number == after;
        let pairs = found.into_iter().flat_map(|(_, pairs)| pairs);
        let pairs = pairs.filter(|pair| pair.id.get() > after || is_again(pair.id.get()));
        let limit = if mutant == Some(Mutant::DataIgnoresTheLimit) { u32::MAX } else { limit };
        pairs.take(limit as usize).cloned().collect()
    }

    pub(crate) fn events(
        &self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        after: u64,
        limit: u32,
    ) -> EventPage {
        let Some(history) = self.histories.get(organisation) else {
            let first = if mutant == Some(Mutant::EmptyHistoriesBeginAtZero) { 0 } else { 1 };
            return EventPage { events: Vec::new(), last: 0, first };
        };
        let is_behind = |position| match mutant {
            Some(Mutant::PagesBeginWithTheLastEventAgain) => position >= after,
            _ => position > after,
        };
        let events = history.events.iter().filter(|event| is_behind(event.position));
        let first = history.events.first().map_or(history.last + 1, |event| event.position);
        EventPage {
            events: events.take(limit as usize).cloned().collect(),
            last: history.last,
            first,
        }
    }

    pub(crate) fn idempotency_record(
        &self,
        mutant: Option<Mutant>,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Option<IdempotencyRecord> {
        let (of, key, _) = kept_under(mutant, organisation, key, None);
        let mut all = self.answers.iter().chain(self.late.iter().map(|(key, kept)| (key, kept)));
        all.find(|(found, _)| (&found.0, &found.1) == (&of, &key)).map(|(_, kept)| kept.clone())
    }

    pub(crate) fn purge(&mut self, mutant: Option<Mutant>, purge: Purge) -> Purged {
        let limit = match mutant {
            Some(Mutant::PurgesIgnoreTheirLimit) => u64::MAX,
            _ => purge.limit.into(),
        };
        let mut purged = Purged::default();
        for history in self.histories.values_mut() {
            if mutant == Some(Mutant::PurgesTakeOneOrganisation) && purged.events > 0 {
                break;
            }
            let mut is_beginning = true;
            history.events.retain(|event| {
                let is_old = purge.events_before.is_some_and(|before| event.created_at < before);
                is_beginning &= is_old || mutant == Some(Mutant::PurgesGoByTimeAlone);
                let is_kept = !is_old || !is_beginning || purged.events >= limit;
                purged.events += u64::from(!is_kept);
                is_kept
            });
        }
        self.answers.retain(|_, kept| {
            let is_old = match mutant {
                Some(Mutant::PurgesSpareTheMoment) => kept.at < purge.idempotency_until,
                _ => kept.at <= purge.idempotency_until,
            };
            let is_kept = !is_old || purged.answers >= limit;
            purged.answers += u64::from(!is_kept);
            is_kept
        });
        purged
    }
}

/// Returns the key under which a record is stored.
fn kept_under(
    mutant: Option<Mutant>,
    organisation: &Organisation,
    key: &IdempotencyScope,
    thread: Option<ThreadId>,
) -> KeptUnder {
    let (mut organisation, mut key) = (organisation.clone(), key.clone());
    match mutant {
        Some(Mutant::AnswersIgnoreTheOperation) => key.operation = Operation::Create,
        Some(Mutant::AnswersIgnoreCase) => {
            key.key = IdempotencyKey::new(key.key.as_str().to_lowercase()).unwrap();
        }
        Some(Mutant::AnswersIgnoreTheTarget) => key.target = None,
        Some(Mutant::AnswersIgnoreTheOrganisation) => organisation = "any".parse().unwrap(),
        _ => {}
    }
    let thread = thread.filter(|_| mutant == Some(Mutant::AnswersKeptByThread));
    (organisation, key, thread)
}

/// Returns a time without its milliseconds.
pub(super) fn whole_seconds(at: UnixMillis) -> UnixMillis {
    UnixMillis::from_unix_millis(at.unix_millis().div_euclid(1000) * 1000)
}
