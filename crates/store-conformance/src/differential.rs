//! A differential test: a store and the reference get the same operations, and must give the same results.

use std::collections::BTreeSet;
use std::time::Duration;

use custom_models_core::access::{Operation as Asked, RateLimit, Window, WindowKey};
use custom_models_core::model::{Edit, Expected, Fence, NewModel, Progress, Revision};
use custom_models_core::store::{
    AdmissionRequest, ArchiveChange, ArchiveStore, Filter, IdempotencyScope, ModelStore,
    NewIdempotencyRecord, Outcome, Purge, Purged, Record, Selection,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

use crate::client::{ALL, Client, create, fresh};
use crate::fixture::{five_hours, lease_time, metrics};
use crate::life::{actor, answer_key, at, data_id, digest, event, new_pair, update};
use crate::sample::{id, organisation, unfit};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, Place};

pub(crate) const ORGANISATIONS: [&str; 3] = ["acme", "acme-2", "ACME"];

/// A few keys, so that requests are repeated.
pub(crate) const KEYS: [&str; 2] = ["key", "KEY"];

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write(Write),
    Get { by: &'static str, of: Target },
    List { by: &'static str, filter: Filter, after: Option<Target>, skip: u64, limit: u32 },
    Events { by: &'static str, after: u64, limit: u32 },
    Data { by: &'static str, of: Target },
    Claimable { by: Option<&'static str>, second: i64, limit: u32 },
    Purge { before: Option<u64>, until: i64, limit: u32 },
    Reopen,
}

/// A model by its order of creation, including deleted ones; an index beyond the last is no model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target(pub(crate) usize);

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) by: &'static str,
    pub(crate) change: Change,
    /// The time of the operation, in milliseconds.
    pub(crate) millis: i64,
    /// The idempotency key of the request.
    pub(crate) key: Option<usize>,
    /// The limit of the window that the request has to be admitted to.
    pub(crate) limited: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Create { model: NewModel, limit: Option<u64> },
    Edit { of: Target, step: Step, expects: Expects },
}

/// An edit of a model in its state at that time.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sets the name, the description, or both from this model.
    Update {
        like: NewModel,
        is_named: bool,
        is_described: bool,
    },
    Add {
        is_enough: bool,
    },
    /// Removes a pair by its index among the model's pairs.
    Remove(usize),
    Run,
    Cancel,
    Claim,
    /// A report of a worker: under the last claim or, if it is late, under the one before.
    Work {
        word: Word,
        is_late: bool,
    },
    Expire,
    Delete,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Beat(u8),
    Succeed,
    Fail,
}

/// The revisions that a caller expects a model to have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expects {
    Anything,
    Current,
    Another,
}

pub(crate) struct Beside {
    place: Box<dyn Place>,
    store: Option<Client>,
    reference: MemoryStore,
    /// The assigned ids, in the order of creation.
    given: Vec<ModelId>,
    pairs: u32,
    keys: BTreeSet<(Organisation, IdempotencyScope)>,
}

impl Beside {
    /// Creates a store of the builder's kind and a reference, both with these records of [`ORGANISATIONS`].
    pub(crate) fn new(builder: &dyn Builder, records: &[Record]) -> Checked<Self> {
        let (place, store) = fresh(builder)?;
        let reference = MemoryStore::new();
        let import = || ArchiveChange::Import(records.to_vec());
        ensure_eq!(store.handle().archive(import())?, reference.archive(import())?, "imported");
        let given = records.iter().filter_map(|record| match record {
            Record::Model(line) => Some(line.model.id),
            _ => None,
        });
        let given = given.collect();
        Ok(Beside { place, store: Some(store), reference, given, pairs: 0, keys: BTreeSet::new() })
    }

    fn store(&self) -> Checked<&Client> {
        self.store.as_ref().ok_or_else(|| Stop::failed("a store that could not be opened again"))
    }

    fn id_of(&self, Target(place): Target) -> Checked<ModelId> {
        self.given.get(place).map_or_else(|| id(ModelId::MAX), |id| Ok(*id))
    }

    pub(crate) fn perform(&mut self, operation: &Operation) -> Checked {
        match operation {
            Operation::Write(write) => self.write(write),
            Operation::Get { by, of } => self.get(&organisation(by)?, self.id_of(*of)?),
            Operation::List { by, filter, after, skip, limit } => {
                let by = organisation(by)?;
                let after = after.map(|of| self.id_of(of)).transpose()?;
                let selection = Selection { filter: *filter, after, skip: *skip, limit: *limit };
                self.list(&by, &selection)
            }
            Operation::Events { by, after, limit } => {
                self.events(&organisation(by)?, *after, *limit)
            }
            Operation::Data { by, of } => self.data(&organisation(by)?, self.id_of(*of)?),
            Operation::Claimable { by, second, limit } => {
                let by = by.map(organisation).transpose()?;
                self.claimable(by.as_ref(), at(second * 1000), *limit)
            }
            Operation::Purge { before, until, limit } => self.purge(*before, *until, *limit),
            Operation::Reopen => {
                self.store()?;
                let store = self.store.take();
                self.store = store.map(|store| store.reopen(&*self.place)).transpose()?;
                self.reference = self.reference.reopen();
                self.compare_everything()
            }
        }
    }

    fn write(&mut self, write: &Write) -> Checked {
        let by = organisation(write.by)?;
        let (change, asked, target) = self.change(&by, &write.change)?;
        let answer =
            write.key.map(|key| new_answer(key, write.millis, asked, target)).transpose()?;
        self.keys.extend(answer.iter().map(|answer| (by.clone(), answer.key.clone())));
        let actor = actor(&format!("actor-{}", write.millis))?;
        let at = at(write.millis);
        let admission = write.limited.map(|requests| admission(write.by, requests)).transpose()?;
        let organisation = by;
        let write = custom_models_core::store::Write {
            organisation,
            actor,
            at,
            change,
            idempotency: answer,
            admission,
        };
        let outcome = self.store()?.write_whole(write.clone())?;
        let of_the_change = match &outcome {
            Outcome::Admitted { outcome, .. } => outcome,
            outcome => outcome,
        };
        if let Outcome::Created(model) = of_the_change {
            self.take_note_of(model.id)?;
        }
        let shown = format!("{write:?}");
        ensure_eq!(outcome, self.reference.apply(write)?, "{shown}");
        Ok(())
    }

    /// Raises the last id of the reference to match, since ids may have gaps.
    fn take_note_of(&mut self, given: ModelId) -> Checked {
        let last = self.given.last();
        ensure!(Some(&given) > last, "id {given} after {last:?}");
        self.given.push(given);
        if given.get() > 1 {
            self.reference.raise_last_id(id(given.get() - 1)?);
        }
        Ok(())
    }

    /// Returns the change of a step, its operation, and its model.
    fn change(
        &mut self,
        by: &Organisation,
        change: &Change,
    ) -> Checked<(custom_models_core::store::Change, Asked, Option<ModelId>)> {
        let (of, step, expects) = match change {
            Change::Create { model, limit } => {
                return Ok((create(model, *limit), Asked::Create, None));
            }
            Change::Edit { of, step, expects } => (of, step, expects),
        };
        let id = self.id_of(*of)?;
        let now = self.reference.get(by, id)?;
        let (edit, asked) = self.edit(by, id, now.as_ref(), step)?;
        let revision = now.map_or(Revision::FIRST, |model| model.revision());
        let expected = match expects {
            Expects::Anything => Expected::Anything,
            Expects::Current => Expected::OneOf(vec![revision.next(), revision]),
            Expects::Another => Expected::OneOf(vec![revision.next()]),
        };
        let edit = Box::new(edit);
        Ok((custom_models_core::store::Change::Edit { id, edit, expected }, asked, Some(id)))
    }

    fn edit(
        &mut self,
        by: &Organisation,
        id: ModelId,
        now: Option<&CustomModel>,
        step: &Step,
    ) -> Checked<(Edit, Asked)> {
        let time = lease_time()?;
        Ok(match step {
            Step::Update { like, is_named, is_described } => {
                let name = is_named.then(|| like.name.clone());
                let description = is_described.then(|| like.description.clone());
                (update(name, description), Asked::Update)
            }
            Step::Add { is_enough } => {
                self.pairs += 1;
                let mut new = new_pair(self.pairs)?;
                if *is_enough {
                    new.audio_millis = five_hours(new.data_type).audio_millis;
                }
                (Edit::AddData(new), Asked::Upload)
            }
            Step::Remove(place) => {
                let data = self.reference.data(by, id, 0, u32::MAX)?;
                let pair = data.get(*place).map_or_else(|| data_id(7), |pair| Ok(pair.id))?;
                (Edit::RemoveData(pair), Asked::DeleteData)
            }
            Step::Run => (Edit::Run, Asked::Run),
            Step::Cancel => (Edit::Cancel, Asked::Cancel),
            Step::Claim => (Edit::Claim { time }, Asked::Work),
            Step::Expire => (Edit::Expire, Asked::Work),
            Step::Delete => (Edit::Delete, Asked::Delete),
            Step::Work { word, is_late } => {
                let lease = now.and_then(|model| model.training.run()?.lease.as_ref());
                let last = lease.map(|lease| lease.fence).unwrap_or_default();
                let late = Fence::new(last.get().saturating_sub(1));
                (word_of(*word, if *is_late { late } else { last })?, Asked::Work)
            }
        })
    }

    fn list(&self, by: &Organisation, selection: &Selection) -> Checked {
        let found = self.store()?.list(by, selection)?;
        ensure_eq!(found, self.reference.list(by, selection)?, "{by}, {selection:?}");
        Ok(())
    }

    fn get(&self, by: &Organisation, id: ModelId) -> Checked {
        let found = self.store()?.get(by, id)?;
        ensure_eq!(found, self.reference.get(by, id)?, "{id} of {by}");
        Ok(())
    }

    fn data(&self, by: &Organisation, id: ModelId) -> Checked {
        let found = self.store()?.data(by, id, 0, u32::MAX)?;
        ensure_eq!(found, self.reference.data(by, id, 0, u32::MAX)?, "the data of {id}, of {by}");
        Ok(())
    }

    fn events(&self, by: &Organisation, after: u64, limit: u32) -> Checked {
        let found = self.store()?.events(by, after, limit)?;
        let right = self.reference.events(by, after, limit)?;
        ensure_eq!(found, right, "{limit} events of {by} behind {after}");
        Ok(())
    }

    /// Trainings that have waited equally long may be listed in any order.
    fn claimable(&self, by: Option<&Organisation>, until: UnixMillis, limit: u32) -> Checked {
        let found = self.store()?.claimable(by, until, limit)?;
        let all = self.reference.claimable(by, until, u32::MAX)?;
        let since = |(_, model): &(Organisation, CustomModel)| model.training.claimable_at();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let found_since: Vec<_> = found.iter().map(since).collect();
        let right: Vec<_> = all.iter().map(since).take(limit).collect();
        ensure_eq!(found_since, right, "what waits at {until}, of {by:?}");
        let ids: BTreeSet<_> = found.iter().map(|(_, model)| model.id).collect();
        ensure_eq!(ids.len(), found.len(), "different models in {found:?}");
        let stranger = found.iter().find(|waiting| !all.contains(waiting));
        ensure_eq!(stranger, None, "what does not wait at {until}, of {by:?}");
        Ok(())
    }

    /// Purges until nothing is left to purge, since each store decides where a limited call ends.
    fn purge(&self, before: Option<u64>, until: i64, limit: u32) -> Checked {
        let events_before = before.map(event).transpose()?.map(|event| event.created_at);
        let purge = Purge { events_before, idempotency_until: at(until), limit };
        loop {
            let purged = self.store()?.purge(purge)?;
            ensure_eq!(purged, self.reference.purge(purge)?, "{purge:?}");
            if purged == Purged::default() {
                return Ok(());
            }
        }
    }

    /// Compares everything that both stores show.
    pub(crate) fn compare_everything(&self) -> Checked {
        for by in ORGANISATIONS {
            let by = organisation(by)?;
            self.list(&by, &ALL)?;
            self.events(&by, 0, u32::MAX)?;
            self.claimable(Some(&by), UnixMillis::from_unix_millis(i64::MAX), u32::MAX)?;
            for id in &self.given {
                self.get(&by, *id)?;
                self.data(&by, *id)?;
            }
        }
        self.claimable(None, UnixMillis::from_unix_millis(i64::MAX), u32::MAX)?;
        for (of, key) in &self.keys {
            let found = self.store()?.idempotency_record(of, key)?;
            ensure_eq!(found, self.reference.idempotency_record(of, key)?, "{key:?} of {of}");
        }
        Ok(())
    }
}

fn word_of(word: Word, fence: Fence) -> Checked<Edit> {
    Ok(match word {
        Word::Beat(percent) => {
            let progress = Progress::new(percent).map_err(unfit)?;
            Edit::Heartbeat { fence, progress, time: lease_time()? }
        }
        Word::Succeed => Edit::Succeed { fence, metrics: metrics()? },
        Word::Fail => Edit::Fail { fence, error: "'\0 語\"".to_owned() },
    })
}

/// Returns a request of an organisation for a window of half a minute.
fn admission(by: &str, requests: u32) -> Checked<AdmissionRequest> {
    let key = WindowKey::new(by.as_bytes()).map_err(unfit)?;
    let limit = RateLimit::new(requests, Duration::from_secs(30)).map_err(unfit)?;
    Ok(AdmissionRequest { window: Window { key, operation: Asked::Create }, limit })
}

fn new_answer(
    key: usize,
    millis: i64,
    operation: Asked,
    target: Option<ModelId>,
) -> Checked<NewIdempotencyRecord> {
    let key = KEYS.get(key).copied().unwrap_or("another");
    let request = digest(&millis.to_string());
    Ok(NewIdempotencyRecord { key: answer_key(operation, target, key)?, request })
}
