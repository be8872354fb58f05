//! A store beside the reference: both are given the same operations, and must answer the same.

use std::collections::BTreeSet;

use custom_models_core::{
    AnswerForm, AnswerKey, Course, CustomModel, DataChange, Filter, LifeStore, MemoryStore,
    ModelId, ModelStore, Moment, NewAnswer, NewModel, Operation as Asked, Organisation, Outcome,
    Purge, Purged, Revision, Selection, Stamp,
};

use crate::client::{ALL, Client, create, delete, fresh};
use crate::life::{answer_key, at, digest, event, pair, with_data};
use crate::sample::{id, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, Place};

pub(crate) const ORGANISATIONS: [&str; 3] = ["acme", "acme-2", "ACME"];

/// Few keys, so that requests are repeated.
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

/// A model by the order in which all were created, deleted ones too; beyond the last, none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target(pub(crate) usize);

#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) by: &'static str,
    pub(crate) change: Change,
    /// The number of the event.
    pub(crate) event: Option<u64>,
    pub(crate) told: Option<Told>,
}

/// An answer that is to be kept: under which key, when, and whether it says the model or more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) key: usize,
    pub(crate) millis: i64,
    pub(crate) has_body: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Create {
        model: NewModel,
        limit: Option<u64>,
    },
    Update {
        of: Target,
        /// What its texts and times become.
        like: NewModel,
        /// What its course becomes, by its place among the courses that there are.
        course: usize,
        stamp: StampStep,
        /// Whether it is a word of a worker, which changes no revision.
        is_beat: bool,
        data: DataStep,
    },
    Delete {
        of: Target,
        stamp: StampStep,
    },
}

/// On which stamp a change was decided, beside that of the model as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StampStep {
    Current,
    OtherRevision,
    OtherBeats,
}

impl StampStep {
    fn of(self, stamp: Stamp) -> Stamp {
        match self {
            StampStep::Current => stamp,
            StampStep::OtherRevision => Stamp { revision: stamp.revision.next(), ..stamp },
            StampStep::OtherBeats => Stamp { beats: stamp.beats.wrapping_add(1), ..stamp },
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum DataStep {
    Keep,
    Add,
    /// Removes a pair by its place among those that the model has.
    Remove(usize),
}

pub(crate) struct Beside<'a> {
    place: Box<dyn Place>,
    store: Option<Client>,
    reference: MemoryStore,
    courses: &'a [Course],
    /// The ids that were given, in the order of their creation.
    given: Vec<ModelId>,
    pairs: u32,
    keys: BTreeSet<(Organisation, AnswerKey)>,
}

impl<'a> Beside<'a> {
    /// A new store of the builder's kind, beside a new reference; updates choose from the courses.
    pub(crate) fn new(builder: &dyn Builder, courses: &'a [Course]) -> Checked<Self> {
        let (place, store) = fresh(builder)?;
        Ok(Beside {
            place,
            store: Some(store),
            reference: MemoryStore::new(),
            courses,
            given: Vec::new(),
            pairs: 0,
            keys: BTreeSet::new(),
        })
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
        // Nothing is kept of deletes: there is no model afterwards to tell of.
        let told = write.told.filter(|_| asked != Asked::Delete);
        let answer = told.map(|told| new_answer(told, asked, target)).transpose()?;
        self.keys.extend(answer.iter().map(|answer| (by.clone(), answer.key.clone())));
        let write = custom_models_core::Write {
            organisation: by,
            change,
            event: write.event.map(event).transpose()?,
            answer,
        };
        let outcome = self.store()?.write_whole(write.clone())?;
        if let Outcome::Created(model) = &outcome {
            self.take_note_of(model.id)?;
        }
        let shown = format!("{write:?}");
        ensure_eq!(outcome, self.reference.apply(write)?, "{shown}");
        Ok(())
    }

    /// Ids may have gaps, so the reference is told to make the same.
    fn take_note_of(&mut self, given: ModelId) -> Checked {
        let last = self.given.last();
        ensure!(Some(&given) > last, "id {given} after {last:?}");
        self.given.push(given);
        if given.get() > 1 {
            self.reference.raise_last_id(id(given.get() - 1)?);
        }
        Ok(())
    }

    /// A change, what its caller asks for, and of which model.
    fn change(
        &mut self,
        by: &Organisation,
        change: &Change,
    ) -> Checked<(custom_models_core::Change, Asked, Option<ModelId>)> {
        match change {
            Change::Create { model, limit } => Ok((create(model, *limit), Asked::Create, None)),
            Change::Update { of, like, course, stamp, is_beat, data } => {
                let id = self.id_of(*of)?;
                let now = self.reference.get(by, id)?;
                let now = now.unwrap_or_else(|| like.clone().with_id(id));
                let next = match is_beat {
                    true => Stamp { beats: now.stamp.beats.wrapping_add(1), ..now.stamp },
                    false => now.revision().next().into(),
                };
                let course = course % self.courses.len().max(1);
                let after = CustomModel {
                    name: like.name.clone(),
                    description: like.description.clone(),
                    course: self.courses.get(course).cloned().unwrap_or_default(),
                    updated_at: like.created_at,
                    stamp: next,
                    ..now.clone()
                };
                let data = self.data_change(by, id, *data)?;
                let now = CustomModel { stamp: stamp.of(now.stamp), ..now };
                Ok((with_data(&now, &after, data), Asked::Upload, Some(id)))
            }
            Change::Delete { of, stamp } => {
                let id = self.id_of(*of)?;
                let now = self.reference.get(by, id)?.map(|model| model.stamp);
                let now = now.unwrap_or_else(|| Revision::FIRST.into());
                Ok((delete(id, stamp.of(now)), Asked::Delete, Some(id)))
            }
        }
    }

    fn data_change(
        &mut self,
        by: &Organisation,
        id: ModelId,
        step: DataStep,
    ) -> Checked<DataChange> {
        Ok(match step {
            DataStep::Keep => DataChange::Keep,
            DataStep::Add => {
                self.pairs += 1;
                DataChange::Add(pair(self.pairs)?)
            }
            DataStep::Remove(place) => {
                let data = self.reference.data(by, id, 0, u32::MAX)?;
                let removed = data.get(place);
                removed.map_or(DataChange::Keep, |pair| DataChange::Remove(pair.id))
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

    /// Those that have waited equally long may stand in any order.
    fn claimable(&self, by: Option<&Organisation>, until: Moment, limit: u32) -> Checked {
        let found = self.store()?.claimable(by, until, limit)?;
        let all = self.reference.claimable(by, until, u32::MAX)?;
        let since = |(_, model): &(Organisation, CustomModel)| model.course.claimable_at();
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

    /// Forgets until nothing is left to forget: where a limit ends a call is the store's affair.
    fn purge(&self, before: Option<u64>, until: i64, limit: u32) -> Checked {
        let events_before = before.map(event).transpose()?.map(|event| event.created_at);
        let purge = Purge { events_before, answers_until: at(until), limit };
        loop {
            let purged = self.store()?.purge(purge)?;
            ensure_eq!(purged, self.reference.purge(purge)?, "{purge:?}");
            if purged == Purged::default() {
                return Ok(());
            }
        }
    }

    /// All that the two show.
    pub(crate) fn compare_everything(&self) -> Checked {
        for by in ORGANISATIONS {
            let by = organisation(by)?;
            self.list(&by, &ALL)?;
            self.events(&by, 0, u32::MAX)?;
            self.claimable(Some(&by), Moment::from_unix_millis(i64::MAX), u32::MAX)?;
            for id in &self.given {
                self.get(&by, *id)?;
                self.data(&by, *id)?;
            }
        }
        self.claimable(None, Moment::from_unix_millis(i64::MAX), u32::MAX)?;
        for (of, key) in &self.keys {
            let found = self.store()?.answer(of, key)?;
            ensure_eq!(found, self.reference.answer(of, key)?, "{key:?} of {of}");
        }
        Ok(())
    }
}

fn new_answer(told: Told, operation: Asked, target: Option<ModelId>) -> Checked<NewAnswer> {
    let Told { key, millis, has_body } = told;
    let body = format!("body at {millis}");
    let form = match has_body {
        true => AnswerForm::Body { status: 200, body },
        false => AnswerForm::Model { status: 201 },
    };
    let key = KEYS.get(key).copied().unwrap_or("another");
    let request = digest(&millis.to_string());
    Ok(NewAnswer { key: answer_key(operation, target, key)?, request, at: at(millis), form })
}
