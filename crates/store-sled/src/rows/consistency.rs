//! The check for damage that no record shows: rows that cannot be read, and rows that contradict
//! others.

use std::collections::BTreeMap;

use custom_models_core::store::{MOST_FINDINGS, StoreError};
use sled::Db;

use crate::error::{call_sled, damaged};
use crate::rows::access::{KEYS, REGISTRATIONS, decode_key, registration_from_bytes};
use crate::rows::counters::Counter;
use crate::rows::identity::lineage_from_rows;
use crate::rows::keys::{
    ALL_COUNTERS, ALL_MODELS, IDENTITY, LINEAGE, id_of, model_key, organisation_of, parts_of,
};
use crate::rows::range::range;
use crate::rows::records::{
    ANSWER_TIMES, CLAIMABLE, HISTORIES, HistoryBounds, answer_time_key, claim_key, decode_answer,
    decode_answer_time, decode_claim, decode_event, decode_pair,
};
use crate::rows::totals::Totals;
use crate::rows::{counters, models, overflow};

/// Finds rows that cannot be read or contradict others, and returns a sentence for each.
pub(crate) fn contradictions(db: &Db) -> Vec<String> {
    let mut check = Check { db, findings: Vec::new(), tallies: BTreeMap::new() };
    check.models();
    check.claims();
    check.data();
    check.events();
    check.answers();
    check.access();
    check.counts();
    check.identity();
    check.findings
}

/// The rows of an organisation as they were counted, and its counters as they are stored.
#[derive(Clone, Copy, Default)]
struct Tally {
    models: u64,
    counter: Option<Counter>,
    events: u64,
    /// The positions of the first and the last event.
    ends: Option<(u64, u64)>,
    history: Option<HistoryBounds>,
}

struct Check<'a> {
    db: &'a Db,
    findings: Vec<String>,
    tallies: BTreeMap<Vec<u8>, Tally>,
}

type Judgement = Result<(), StoreError>;

impl Check<'_> {
    fn found(&mut self, finding: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Checks the values of a range, up to the first whose rows cannot be read.
    fn each(
        &mut self,
        (what, keys): (&str, std::ops::Range<&[u8]>),
        mut judge: impl FnMut(&mut Self, &[u8], &[u8]) -> Judgement,
    ) {
        for value in overflow::values(range(self.db, keys)) {
            match value {
                Ok((key, value)) => {
                    if let Err(error) = judge(self, &key, &value) {
                        let place = place(&key);
                        self.found(format!("{what}{place}: {}", cause(&error)));
                    }
                }
                Err(error) => {
                    self.found(format!("{what}, some or all of them: {}", cause(&error)));
                    return;
                }
            }
        }
    }

    fn tally(&mut self, organisation: &[u8]) -> &mut Tally {
        self.tallies.entry(organisation.to_vec()).or_default()
    }

    fn models(&mut self) {
        let mut largest = 0;
        self.each(("model", ALL_MODELS), |check, key, value| {
            let whose =
                organisation_of(key).ok_or_else(|| damaged("a model without an organisation"))?;
            check.tally(whose).models += 1;
            let id = id_of(key).ok_or_else(|| damaged("an id out of range"))?;
            largest = largest.max(id.get());
            let model = models::from_bytes(id, value)?;
            if let Some(since) = model.training.claimable_at()
                && check.get(&claim_key(since, id))?.is_none_or(|row| row != whose)
            {
                return Err(damaged("its training waits, but is not in the queue"));
            }
            Ok(())
        });
        match counters::last_id(self.db) {
            Ok(last) if last >= largest => {}
            Ok(last) => {
                self.found(format!("the last id is {last}, but there is a model {largest}"))
            }
            Err(error) => self.found(format!("the last id: {}", cause(&error))),
        }
    }

    fn claims(&mut self) {
        self.each(("claim", CLAIMABLE..b"r"), |check, key, row| {
            let (since, whose, id) = decode_claim(key, row)?;
            let key = model_key(&whose, id.get());
            let first = check.get(&key)?.ok_or_else(|| damaged("a queue entry without a model"))?;
            let model =
                models::from_bytes(id, &overflow::whole(&key, first, |key| check.get(key))?)?;
            let is_right = model.training.claimable_at() == Some(since);
            if is_right {
                Ok(())
            } else {
                Err(damaged("a queue entry of a model that does not wait then"))
            }
        });
    }

    fn data(&mut self) {
        self.each(("data", b"d"..b"e"), |check, key, value| {
            decode_pair(key, value)?;
            let owner = parts_of::<12>(key).and_then(|(whose, which)| {
                Some([&b"m"[..], whose, &b"\0"[..], &which.first_chunk::<8>()?[..]].concat())
            });
            let owner = owner.ok_or_else(|| damaged("data without an organisation"))?;
            let has_owner = check.get(&owner)?.is_some();
            if has_owner { Ok(()) } else { Err(damaged("data without a model")) }
        });
    }

    fn events(&mut self) {
        self.each(("event", b"e"..b"f"), |check, key, value| {
            let (whose, position) =
                parts_of(key).ok_or_else(|| damaged("an event without an organisation"))?;
            let position = u64::from_be_bytes(position);
            let tally = check.tally(whose);
            tally.events += 1;
            tally.ends = Some((tally.ends.map_or(position, |(first, _)| first), position));
            decode_event(key, value).map(drop)
        });
        self.each(("history", HISTORIES..b"y"), |check, key, row| {
            let history = HistoryBounds::from_row(Some(row))?;
            check.tally(key.get(1..).unwrap_or_default()).history = Some(history);
            Ok(())
        });
    }

    fn answers(&mut self) {
        self.each(("answer", b"r"..b"s"), |check, key, value| {
            let (_, kept) = decode_answer(value)?;
            let is_timed = check.get(&answer_time_key(kept.at, key))?.is_some();
            if is_timed {
                Ok(())
            } else {
                Err(damaged("an answer without an entry in the index of times"))
            }
        });
        self.each(("time of an answer", ANSWER_TIMES..b"u"), |check, key, _| {
            let (_, answer) =
                decode_answer_time(key).ok_or_else(|| damaged("an answer without a time"))?;
            let is_there = check.get(&answer)?.is_some();
            if is_there { Ok(()) } else { Err(damaged("an answer is missing")) }
        });
    }

    fn access(&mut self) {
        self.each(("registration", REGISTRATIONS..b"p"), |_, key, row| {
            registration_from_bytes(key, row).map(drop)
        });
        self.each(("key", KEYS..b"l"), |check, key, row| {
            let key = decode_key(key, row)?;
            let registration = crate::rows::access::registration_key(&key.organisation);
            let is_known = check.get(&registration)?.is_some();
            if is_known { Ok(()) } else { Err(damaged("a key of an unregistered organisation")) }
        });
    }

    /// Compares stored counters with the rows that were counted.
    fn counts(&mut self) {
        self.each(("counter", ALL_COUNTERS), |check, key, row| {
            let counter = Counter::from_row(Some(row))?;
            check.tally(key.get(1..).unwrap_or_default()).counter = Some(counter);
            Ok(())
        });
        let (mut models, mut events) = (0, 0);
        for (whose, tally) in std::mem::take(&mut self.tallies) {
            let whose = String::from_utf8_lossy(&whose).into_owned();
            let counted = tally.counter.unwrap_or_default().models;
            models += counted;
            if counted != tally.models {
                let there = tally.models;
                self.found(format!("{whose}: {counted} models are counted, {there} are there"));
            }
            let HistoryBounds { first, last } =
                tally.history.unwrap_or(HistoryBounds { first: 1, last: 0 });
            events += last;
            let is_whole = match tally.ends {
                Some(ends) => ends == (first, last) && tally.events == last - first + 1,
                None => last < first,
            };
            if !is_whole {
                let there = tally.events;
                self.found(format!("{whose}: of the events {first} to {last}, {there} are there"));
            }
        }
        match Totals::read(self.db) {
            Ok(totals) if totals.models == models && totals.events >= events => {}
            Ok(totals) => self.found(format!(
                "{} models and {} events are counted in all, {models} and {events} by organisation",
                totals.models, totals.events
            )),
            Err(error) => self.found(cause(&error)),
        }
    }

    fn identity(&mut self) {
        let rows = self.get(IDENTITY).and_then(|made| Ok((made, self.get(LINEAGE)?)));
        let read = |(made, since): (Option<Vec<u8>>, Option<Vec<u8>>)| {
            lineage_from_rows(made.as_deref(), since.as_deref())
        };
        if let Err(error) = rows.and_then(read) {
            self.found(cause(&error));
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(call_sled(|| self.db.get(key))?.map(|row| row.to_vec()))
    }
}

/// The number and the organisation in a key, as text for a finding. Digests are left out.
fn place(key: &[u8]) -> String {
    let Some((kind, rest)) = key.split_first() else { return String::new() };
    if !b"cdemox".contains(kind) {
        return String::new();
    }
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let whose = parts.next().unwrap_or_default().escape_ascii();
    match parts.next().and_then(|which| which.first_chunk::<8>()) {
        Some(number) => format!(" {} of {whose}", u64::from_be_bytes(*number)),
        None => format!(" of {whose}"),
    }
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
