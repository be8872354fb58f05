//! The writes of a transaction, judged one after the other, each on the state that those before it
//! leave.

use custom_models_core::{
    AccessOutcome, Admission, AnswerKey, Counters, CustomModel, DataId, DataPair, KeptAnswer,
    KeyId, ModelId, Moment, NewEvent, Operation, Organisation, RequestLimit, Rows, StoreError,
    StoreErrorKind,
};

use crate::changes::Changes;
use crate::known::Known;

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

impl Rows for Group {
    type Error = StoreError;

    fn answer(
        &mut self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        known(self.known.answers.get(&(organisation.clone(), key.clone())))
    }

    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, StoreError> {
        Ok(self.known.counters.get(organisation).copied().unwrap_or_default())
    }

    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, StoreError> {
        known(self.known.models.get(&(organisation.clone(), id)))
    }

    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, StoreError> {
        known(self.known.pairs.get(&(organisation.clone(), model, pair)))
    }

    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, StoreError> {
        Ok(self.known.last_pairs.get(&(organisation.clone(), model)).copied())
    }

    fn next_id(&mut self) -> Result<ModelId, StoreError> {
        self.known.next_id()
    }

    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.insert((organisation.clone(), model.id), Ok(model.clone()));
        self.changes.add(organisation.clone(), model.clone());
        Ok(())
    }

    fn replace_model(
        &mut self,
        organisation: &Organisation,
        _before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.insert((organisation.clone(), after.id), Ok(after.clone()));
        self.changes.update(organisation.clone(), after.clone());
        Ok(())
    }

    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), StoreError> {
        self.known.models.remove(&(organisation.clone(), before.id));
        self.changes.delete(organisation, before.id);
        Ok(())
    }

    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair.id);
        self.known.last_pairs.insert((organisation.clone(), model), pair.id);
        self.known.pairs.insert(key.clone(), Ok(pair.clone()));
        self.changes.data.insert(key, Some(pair.clone()));
        Ok(())
    }

    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), model, pair);
        self.known.pairs.remove(&key);
        self.changes.data.insert(key, None);
        Ok(())
    }

    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        self.changes.events.push((organisation.clone(), position, model, event.clone()));
        Ok(())
    }

    fn keep_answer(
        &mut self,
        organisation: &Organisation,
        key: &AnswerKey,
        kept: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let key = (organisation.clone(), key.clone());
        self.known.answers.insert(key.clone(), Ok(kept.clone()));
        self.changes.answers.insert(key, kept.clone());
        Ok(())
    }

    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), StoreError> {
        self.known.counters.insert(organisation.clone(), counters);
        self.changes.counters.insert(organisation.clone(), counters);
        Ok(())
    }
}

/// A row as it was read, or the error of the write that asks for one which is damaged.
fn known<T: Clone>(found: Option<&Result<T, &'static str>>) -> Result<Option<T>, StoreError> {
    found.map(|found| found.as_ref().cloned().map_err(|what| damaged(what))).transpose()
}
