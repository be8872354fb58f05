//! The writes of a transaction, judged one after the other, each on the state that those before it
//! leave.

use custom_models_core::{
    AccessOutcome, Admission, Change, CustomModel, DataChange, KeptAnswer, KeyId, ModelId, Moment,
    NewAnswer, NewModel, Operation, Organisation, Outcome, RequestLimit, Stamp, StoreError,
    StoreErrorKind, Write,
};

use crate::changes::Changes;
use crate::known::{Counters, Known};

/// What is known and what becomes of it.
pub(crate) struct Group {
    known: Known,
    pub(crate) changes: Changes,
}

impl Group {
    pub(crate) fn new(known: Known) -> Self {
        Group { known, changes: Changes::default() }
    }

    /// The server's time.
    pub(crate) fn now(&self) -> Moment {
        self.known.now
    }

    /// Judges a write, and makes it if it is not refused.
    pub(crate) fn apply(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        // All four, so that none is forgotten below.
        let Write { organisation, change, event: _, answer } = write;
        if let Some(answer) = answer
            && let Some(kept) = self.repeated(organisation, answer)?
        {
            return Ok(Outcome::Repeated(kept));
        }
        match change {
            Change::Create { model, limit } => self.create(write, model, *limit),
            Change::Update { model, stamp, data } => self.update(write, model, *stamp, data),
            Change::Delete { id, stamp } => self.delete(write, *id, *stamp),
        }
    }

    /// The answer that a request got before, while it is live (IDEM-1).
    fn repeated(
        &self,
        organisation: &Organisation,
        answer: &NewAnswer,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        match self.known.answers.get(&(organisation.clone(), answer.key.clone())) {
            None => Ok(None),
            Some(Ok(kept)) => Ok(Some(kept).filter(|kept| kept.is_live_at(answer.at)).cloned()),
            Some(Err(what)) => Err(damaged(what)),
        }
    }

    fn create(
        &mut self,
        write: &Write,
        model: &NewModel,
        limit: Option<u64>,
    ) -> Result<Outcome, StoreError> {
        let counters = self.counters(&write.organisation);
        if limit.is_some_and(|limit| counters.models >= limit) {
            return Ok(Outcome::LimitReached { current: counters.models });
        }
        let model = model.clone().with_id(self.known.next_id()?);
        let counters = Counters { models: counters.models + 1, ..counters };
        self.keep(write, &model, counters)?;
        self.changes.add(write.organisation.clone(), model.clone());
        self.found(write, &model);
        Ok(Outcome::Created(model))
    }

    fn update(
        &mut self,
        write: &Write,
        model: &CustomModel,
        stamp: Stamp,
        data: &DataChange,
    ) -> Result<Outcome, StoreError> {
        let organisation = &write.organisation;
        match self.model(organisation, model.id)? {
            None => return Ok(Outcome::NotFound),
            Some(found) if found.stamp != stamp => return Ok(Outcome::Stale),
            Some(_) => {}
        }
        let counters = self.counters(organisation);
        if let DataChange::Add(pair) = data
            && !self.known.pairs.insert((organisation.clone(), model.id, pair.id))
        {
            return Err(damaged("a model has a pair under the number of the next one"));
        }
        if let DataChange::Remove(id) = data {
            self.known.pairs.remove(&(organisation.clone(), model.id, *id));
        }
        self.keep(write, model, counters)?;
        self.changes.change_data(organisation, model.id, data);
        self.changes.update(organisation.clone(), model.clone());
        self.found(write, model);
        Ok(Outcome::Updated)
    }

    fn delete(&mut self, write: &Write, id: ModelId, stamp: Stamp) -> Result<Outcome, StoreError> {
        let organisation = &write.organisation;
        let model = match self.model(organisation, id)? {
            None => return Ok(Outcome::NotFound),
            Some(model) if model.stamp != stamp => return Ok(Outcome::Stale),
            Some(model) => model.clone(),
        };
        let counters = self.counters(organisation);
        let Some(remaining) = counters.models.checked_sub(1) else {
            return Err(damaged("a counter is lower than the number of its rows"));
        };
        self.keep(write, &model, Counters { models: remaining, ..counters })?;
        self.changes.delete(organisation, id);
        self.known.models.remove(&(organisation.clone(), id));
        Ok(Outcome::Deleted)
    }

    /// Keeps what belongs to a change that was made of a model. Nothing is kept if that fails.
    fn keep(
        &mut self,
        write: &Write,
        model: &CustomModel,
        mut counters: Counters,
    ) -> Result<(), StoreError> {
        let organisation = &write.organisation;
        if let Some(answer) = &write.answer {
            // Nothing after this can fail.
            let kept = answer.kept(model).map_err(unwritable)?;
            self.changes.keep_answer(organisation, &answer.key, &kept);
            self.known.answers.insert((organisation.clone(), answer.key.clone()), Ok(kept));
        }
        if let Some(event) = &write.event {
            counters.events += 1;
            self.changes.add_event(organisation, counters.events, model.id, event);
        }
        self.known.counters.insert(organisation.clone(), counters);
        self.changes.count(organisation.clone(), counters);
        Ok(())
    }

    fn model(
        &self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<&CustomModel>, StoreError> {
        let found = self.known.models.get(&(organisation.clone(), id));
        found.map(|found| found.as_ref().map_err(|what| damaged(what))).transpose()
    }

    /// From now on the model is like this.
    fn found(&mut self, write: &Write, model: &CustomModel) {
        let key = (write.organisation.clone(), model.id);
        self.known.models.insert(key, Ok(model.clone()));
    }

    fn counters(&self, organisation: &Organisation) -> Counters {
        self.known.counters.get(organisation).copied().unwrap_or_default()
    }

    /// Judges an admission, and makes it if the window has room.
    pub(crate) fn admit(
        &mut self,
        key: KeyId,
        operation: Operation,
        limit: RequestLimit,
        now: Moment,
    ) -> AccessOutcome {
        let admissions = self.known.windows.entry((key, operation)).or_default();
        match limit.judge(admissions.iter().copied(), now) {
            Admission::Refused { standing, retry_at } => {
                AccessOutcome::Refused { standing, retry_after: retry_at.seconds_since_up(now) }
            }
            Admission::Admitted(standing) => {
                let counts_after = limit.counts_after(now);
                admissions.retain(|admission| *admission > counts_after);
                admissions.push(now);
                let at_once = admissions.iter().filter(|admission| **admission == now).count();
                self.changes.admit((key, operation), now, at_once, counts_after);
                AccessOutcome::Admitted(standing)
            }
        }
    }
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}

/// What has no form as a text, which everything has that is written.
pub(crate) fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Failed, error)
}
