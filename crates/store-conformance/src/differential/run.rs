//! One run of operations on a store and on the reference.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::slice;

use custom_models_core::access::Operation as Asked;
use custom_models_core::model::{Edit, Expected, Fence, Revision};
use custom_models_core::store::{
    self, ArchiveChange, ArchiveStore, IdempotencyScope, ModelStore, Outcome, Purge, Purged,
    Record, Selection, StoreError,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, MemoryStore, ModelId, Organisation};

use crate::client::{ALL, Client};
use crate::differential::choices::{Choices, pick};
use crate::differential::operation::Operation;
use crate::differential::shared::Shared;
use crate::differential::values::{admission, answer, new_model, organisations, pair, report};
use crate::differential::write::{Change, Expects, Step, Target, Write};
use crate::fixture::lease_time;
use crate::life::{actor, at, data_id, event, update};
use crate::sample::id;
use crate::verdict::{Checked, Stop, ensure, ensure_eq, with_causes};

/// The latest time.
const EVER: UnixMillis = UnixMillis::from_unix_millis(i64::MAX);

/// The way in which the writes of a burst are submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submission {
    /// One by one, since a store may judge the writes of a burst in any order.
    Apart,
    /// All before any is answered, to a store that judges those of one thread in their order.
    Together,
}

/// A run of operations on a store that earlier runs may have used, with organisations of its own.
pub(crate) struct Run<'a> {
    shared: &'a mut Shared,
    submission: Submission,
    /// True if nothing in the store is from an earlier run.
    is_alone: bool,
    reference: MemoryStore,
    organisations: [Organisation; 3],
    /// The ids that were assigned in this run, in the order of creation.
    given: Vec<ModelId>,
    pairs: u32,
    keys: BTreeSet<(Organisation, IdempotencyScope)>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(shared: &'a mut Shared, submission: Submission) -> Checked<Self> {
        let number = shared.runs;
        shared.runs += 1;
        Ok(Run {
            shared,
            submission,
            is_alone: number == 0,
            reference: MemoryStore::new(),
            organisations: organisations(number)?,
            given: Vec::new(),
            pairs: 0,
            keys: BTreeSet::new(),
        })
    }

    /// Imports the records of this run's organisations, before anything else is in the store.
    pub(crate) fn import(&mut self, records: &[Record]) -> Checked {
        let import = || ArchiveChange::Import(records.to_vec());
        let found = self.store()?.handle().archive(import());
        same(found, self.reference.archive(import()), "imported")?;
        let models = records.iter().filter_map(|record| match record {
            Record::Model(line) => Some(line.model.id),
            _ => None,
        });
        for id in models {
            self.shared.take_note_of(id)?;
            self.given.push(id);
        }
        Ok(())
    }

    /// Makes the operations on both stores, and compares what each yields and what there is in the end.
    pub(crate) fn check(mut self, operations: &[Operation]) -> Checked {
        operations.iter().try_for_each(|operation| self.perform(operation))?;
        self.compare_everything()
    }

    fn perform(&mut self, operation: &Operation) -> Checked {
        match operation {
            Operation::Writes(writes) => writes.iter().try_for_each(|write| self.write(write)),
            Operation::Burst(writes) => match self.submission {
                Submission::Together => self.submit(writes),
                Submission::Apart => {
                    writes.iter().try_for_each(|write| self.submit(slice::from_ref(write)))
                }
            },
            Operation::Get { by, of } => self.get(self.organisation(*by)?, self.id_of(*of)?),
            Operation::List { by, filter, after, skip, limit } => {
                let after = after.map(|of| self.id_of(of)).transpose()?;
                let selection = Selection { filter: *filter, after, skip: *skip, limit: *limit };
                self.list(self.organisation(*by)?, &selection)
            }
            Operation::Events { by, after, limit } => {
                self.events(self.organisation(*by)?, *after, *limit)
            }
            Operation::Data { by, of } => self.data(self.organisation(*by)?, self.id_of(*of)?),
            Operation::Claimable { by, second, limit } => {
                let by = by.map(|by| self.organisation(by)).transpose()?;
                self.claimable(by, at(second * 1000), *limit)
            }
            Operation::Purge { before, until, limit } => self.purge(*before, *until, *limit),
            Operation::Reopen { is_closed } => self.reopen(*is_closed),
        }
    }

    fn store(&self) -> Checked<&Client> {
        self.shared.store()
    }

    fn organisation(&self, by: usize) -> Checked<&Organisation> {
        self.organisations.get(by).ok_or_else(|| Stop::failed("an organisation of no run"))
    }

    fn id_of(&self, target: Target) -> Checked<ModelId> {
        let ahead = |by: u8| id(self.shared.last_id().saturating_add(1 + u64::from(by)));
        match target {
            Target::Given(by) => pick(&self.given, by).map_or_else(|| ahead(by), Ok),
            Target::Ahead(by) => ahead(by),
            Target::Number(number) => id(number % ModelId::MAX + 1),
        }
    }

    /// Makes a write, and waits for its outcome.
    fn write(&mut self, write: &Write) -> Checked {
        let write = self.whole(write)?;
        let found = self.store()?.handle().apply(write.clone());
        self.expect_outcome(found, write)
    }

    /// Submits the writes, and then waits for their outcomes.
    fn submit(&mut self, writes: &[Write]) -> Checked {
        let writes: Vec<_> =
            writes.iter().map(|write| self.whole(write)).collect::<Result<_, _>>()?;
        let store = self.store()?;
        let answers: Vec<_> =
            writes.iter().map(|write| store.submit_whole(write.clone())).collect();
        for (write, answer) in writes.into_iter().zip(answers) {
            self.expect_outcome(answer.wait()?, write)?;
        }
        Ok(())
    }

    fn expect_outcome(
        &mut self,
        found: Result<Outcome, StoreError>,
        write: store::Write,
    ) -> Checked {
        let of_the_change = match &found {
            Ok(Outcome::Admitted { outcome, .. }) => Some(&**outcome),
            found => found.as_ref().ok(),
        };
        if let Some(Outcome::Created(model)) = of_the_change {
            self.shared.take_note_of(model.id)?;
            self.given.push(model.id);
            // Ids may have gaps.
            if let Ok(before) = ModelId::new(model.id.get() - 1) {
                self.reference.raise_last_id(before);
            }
        }
        let shown = format!("{write:?}");
        same(found, self.reference.apply(write), shown)
    }

    /// Returns a write with all its parts, and keeps its idempotency key in mind.
    fn whole(&mut self, write: &Write) -> Checked<store::Write> {
        let organisation = self.organisation(write.by)?.clone();
        let (change, asked, target) = self.change(&organisation, &write.change)?;
        let idempotency = write.told.map(|told| answer(told, asked, target)).transpose()?;
        let key = idempotency.iter().map(|answer| (organisation.clone(), answer.key.clone()));
        self.keys.extend(key);
        let admission =
            write.limited.map(|limited| admission(limited, &organisation)).transpose()?;
        let actor = actor(&format!("actor-{}", write.millis))?;
        let at = at(write.millis);
        Ok(store::Write { organisation, actor, at, change, idempotency, admission })
    }

    /// Returns a change, its operation, and its model.
    fn change(
        &mut self,
        by: &Organisation,
        change: &Change,
    ) -> Checked<(store::Change, Asked, Option<ModelId>)> {
        let (of, step, expects) = match change {
            Change::Create { model, limit } => {
                let change = store::Change::Create { model: new_model(model)?, limit: *limit };
                return Ok((change, Asked::Create, None));
            }
            Change::Edit { of, step, expects } => (of, step, expects),
        };
        let id = self.id_of(*of)?;
        // A closed store has no state to refer to, and refuses the edit in any case.
        let now = self.reference.get(by, id).ok().flatten();
        let (edit, asked) = self.edit(by, id, now.as_ref(), step)?;
        let revision = now.map_or(Revision::FIRST, |model| model.revision());
        let expected = match expects {
            Expects::Anything => Expected::Anything,
            Expects::Current => Expected::OneOf(vec![revision]),
            Expects::CurrentOrNext => Expected::OneOf(vec![revision.next(), revision]),
            Expects::Next => Expected::OneOf(vec![revision.next()]),
        };
        Ok((store::Change::Edit { id, edit: Box::new(edit), expected }, asked, Some(id)))
    }

    fn edit(
        &mut self,
        by: &Organisation,
        id: ModelId,
        now: Option<&CustomModel>,
        step: &Step,
    ) -> Checked<(Edit, Asked)> {
        Ok(match step {
            Step::Update { like, is_named, is_described } => {
                let like = new_model(like)?;
                let name = is_named.then_some(like.name);
                (update(name, is_described.then_some(like.description)), Asked::Update)
            }
            Step::Add { hours, is_test } => {
                self.pairs += 1;
                (Edit::AddData(pair(self.pairs, *hours, *is_test)), Asked::Upload)
            }
            Step::Remove(place) => {
                let data = self.reference.data(by, id, 0, u32::MAX).unwrap_or_default();
                let data: Vec<_> = data.iter().map(|pair| pair.id).collect();
                let there = if *place < 224 { pick(&data, *place) } else { None };
                let pair = there.map_or_else(|| data_id(7), Ok)?;
                (Edit::RemoveData(pair), Asked::DeleteData)
            }
            Step::Run => (Edit::Run, Asked::Run),
            Step::Cancel => (Edit::Cancel, Asked::Cancel),
            Step::Claim => (Edit::Claim { time: lease_time()? }, Asked::Work),
            Step::Expire => (Edit::Expire, Asked::Work),
            Step::Delete => (Edit::Delete, Asked::Delete),
            Step::Work { word, is_late } => {
                let lease = now.and_then(|model| model.training.run()?.lease.as_ref());
                // The first claim of a model has fence 1.
                let last = lease.map_or(Fence::new(1), |lease| lease.fence);
                let late = Fence::new(last.get().saturating_sub(1));
                (report(*word, if *is_late { late } else { last })?, Asked::Work)
            }
        })
    }

    fn get(&self, by: &Organisation, id: ModelId) -> Checked {
        let found = self.store()?.handle().get(by, id);
        same(found, self.reference.get(by, id), format_args!("{id} of {by}"))
    }

    fn list(&self, by: &Organisation, selection: &Selection) -> Checked {
        let found = self.store()?.handle().list(by, selection);
        let right = self.reference.list(by, selection);
        same(found, right, format_args!("{by}, {selection:?}"))
    }

    fn data(&self, by: &Organisation, id: ModelId) -> Checked {
        let found = self.store()?.handle().data(by, id, 0, u32::MAX);
        let right = self.reference.data(by, id, 0, u32::MAX);
        same(found, right, format_args!("the data of {id}, of {by}"))
    }

    fn events(&self, by: &Organisation, after: u64, limit: u32) -> Checked {
        let found = self.store()?.handle().events(by, after, limit);
        let right = self.reference.events(by, after, limit);
        same(found, right, format_args!("{limit} events of {by} after {after}"))
    }

    /// Compares the training queues. Trainings that have waited equally long may be listed in any order.
    fn claimable(&self, by: Option<&Organisation>, until: UnixMillis, limit: u32) -> Checked {
        if by.is_none() && !self.is_alone {
            return self.claimable_of_this_run(until);
        }
        let found = self.store()?.handle().claimable(by, until, limit);
        let all = self.reference.claimable(by, until, u32::MAX);
        let what = format!("what waits at {until}, of {by:?}");
        let (found, all) = match (found, all) {
            (Ok(found), Ok(all)) => (found, all),
            (found, all) => return same(found, all, what),
        };
        let since = |(_, model): &(Organisation, CustomModel)| model.training.claimable_at();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let found_since: Vec<_> = found.iter().map(since).collect();
        let right: Vec<_> = all.iter().map(since).take(limit).collect();
        ensure_eq!(found_since, right, "{what}");
        let ids: BTreeSet<_> = found.iter().map(|(_, model)| model.id).collect();
        ensure_eq!(ids.len(), found.len(), "different models in {found:?}");
        let stranger = found.iter().find(|waiting| !all.contains(waiting));
        ensure_eq!(stranger, None, "{what}");
        Ok(())
    }

    /// Compares the queues of all organisations, without the trainings of earlier runs.
    fn claimable_of_this_run(&self, until: UnixMillis) -> Checked {
        let sorted = |store: &dyn ModelStore| {
            let mut all = store.claimable(None, until, u32::MAX)?;
            all.retain(|(of, _)| self.organisations.contains(of));
            all.sort_by_key(|(_, model)| (model.training.claimable_at(), model.id));
            Ok(all)
        };
        let found = sorted(&*self.store()?.handle());
        same(found, sorted(&self.reference), format_args!("what waits at {until}"))
    }

    /// Purges until nothing is left to purge, since each store decides where a limited call ends. Counts are
    /// compared if no records of earlier runs are purged too.
    fn purge(&self, before: Option<u64>, until: i64, limit: u32) -> Checked {
        let events_before = before.map(event).transpose()?.map(|event| event.created_at);
        let purge = Purge { events_before, idempotency_until: at(until), limit };
        loop {
            let purged = self.store()?.purge(purge)?;
            ensure!(purged.events.max(purged.answers) <= limit.into(), "{purge:?}: {purged:?}");
            let right = self.reference.purge(purge)?;
            if self.is_alone {
                ensure_eq!(purged, right, "{purge:?}");
            }
            if purged == Purged::default() && right == Purged::default() {
                return self.compare_everything();
            }
        }
    }

    fn reopen(&mut self, is_closed: bool) -> Checked {
        if is_closed {
            self.close()?;
            self.compare_everything()?;
            let operation = Operation::read(&mut Choices::new(&[]));
            self.perform(&operation)?;
            self.close()?;
        }
        self.shared.reopen()?;
        self.reference = self.reference.reopen();
        self.compare_everything()
    }

    fn close(&self) -> Checked {
        same(self.store()?.handle().close(), self.reference.close(), "a close")
    }

    /// Compares everything that both stores show.
    fn compare_everything(&self) -> Checked {
        for by in &self.organisations {
            self.list(by, &ALL)?;
            self.events(by, 0, u32::MAX)?;
            self.claimable(Some(by), EVER, u32::MAX)?;
            for id in &self.given {
                self.get(by, *id)?;
                self.data(by, *id)?;
            }
        }
        self.claimable(None, EVER, u32::MAX)?;
        for (of, key) in &self.keys {
            let found = self.store()?.handle().idempotency_record(of, key);
            same(
                found,
                self.reference.idempotency_record(of, key),
                format_args!("{key:?} of {of}"),
            )?;
        }
        Ok(())
    }
}

/// Checks that a store gave the same result as the reference; of errors, only the kinds are compared.
#[track_caller]
fn same<T: PartialEq + Debug>(
    found: Result<T, StoreError>,
    right: Result<T, StoreError>,
    what: impl Display,
) -> Checked {
    let error = match &found {
        Ok(_) => String::new(),
        Err(error) => format!(" ({})", with_causes(error)),
    };
    let kind = |error: StoreError| error.kind();
    ensure_eq!(found.map_err(kind), right.map_err(kind), "{what}{error}");
    Ok(())
}
