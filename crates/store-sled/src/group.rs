//! A group of writes that is being judged: its writes see what those before them changed.

use custom_models_core::{
    AnswerKey, Change, CustomModel, DataChange, KeptAnswer, ModelId, NewAnswer, NewEvent, NewModel,
    Organisation, Outcome, Stamp, StoreError, StoreErrorKind, Write,
};
use sled::Db;

use crate::changes::Changes;
use crate::fault::damaged;
use crate::life_rows::{
    History, answer_from_bytes, answer_key, answer_time_key, answer_to_bytes, claim_key, data_key,
    data_of, event_key, event_to_bytes, history_key, pair_to_bytes,
};
use crate::long::{self, Edits};
use crate::rows;
use crate::schema::{Counter, LAST_ID, TOTALS, counter_key, model_key};
use crate::totals::Totals;

pub(crate) struct Group<'a> {
    pub(crate) db: &'a Db,
    pub(crate) changes: Changes,
    pub(crate) last_id: u64,
}

/// What a write makes of a model, when nothing speaks against it.
pub(crate) struct Made {
    pub(crate) outcome: Outcome,
    pub(crate) before: Option<CustomModel>,
    pub(crate) after: Option<CustomModel>,
    pub(crate) data: DataChange,
}

/// A write that may still be refused.
type Judged = Result<Made, Outcome>;

impl<'a> Group<'a> {
    pub(crate) fn begin(db: &'a Db, last_id: u64) -> Result<Self, StoreError> {
        let last_id = rows::last_id(db)?.max(last_id);
        Ok(Group { db, changes: Changes::default(), last_id })
    }

    /// All that the group changes, with the counts of the store.
    pub(crate) fn counted(mut self) -> Result<Changes, StoreError> {
        if !self.changes.is_empty() {
            let totals = Totals::read(self.db)?.after(&self.changes);
            self.changes.set(self.db, TOTALS.to_vec(), Some(totals.to_bytes()))?;
        }
        Ok(self.changes)
    }

    /// Judges a write. One that is refused, or fails, has changed nothing.
    pub(crate) fn apply(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        let Write { organisation, change, event, answer } = write;
        if let Some(answer) = answer
            && let Some(kept) = self.answer(organisation, &answer.key)?
            && kept.is_live_at(answer.at)
        {
            return Ok(Outcome::Repeated(kept));
        }
        let counter = self.counter(organisation)?;
        let judged = match change {
            Change::Create { model, limit } => self.create(model, *limit, counter)?,
            Change::Update { model, stamp, data } => {
                self.update(organisation, model, *stamp, data)?
            }
            Change::Delete { id, stamp } => self.delete(organisation, *id, *stamp)?,
        };
        let made = match judged {
            Ok(made) => made,
            Err(refusal) => return Ok(refusal),
        };
        let mut edits = Edits::new();
        self.count(&mut edits, organisation, counter, &made)?;
        self.put_model(&mut edits, organisation, &made)?;
        self.put_data(&mut edits, organisation, &made)?;
        if let Some(model) = made.after.as_ref().or(made.before.as_ref()) {
            self.put_event(&mut edits, organisation, event.as_ref(), model)?;
            self.put_answer(&mut edits, organisation, answer.as_ref(), model)?;
        }
        self.changes.set_all(self.db, edits)?;
        if let Outcome::Created(model) = &made.outcome {
            self.last_id = model.id.get();
        }
        Ok(made.outcome)
    }

    fn create(
        &self,
        model: &NewModel,
        limit: Option<u64>,
        counter: Counter,
    ) -> Result<Judged, StoreError> {
        let current = counter.models;
        if limit.is_some_and(|limit| current >= limit) {
            return Ok(Err(Outcome::LimitReached { current }));
        }
        let id = ModelId::new(self.last_id + 1).map_err(|_| StoreErrorKind::IdsExhausted)?;
        let model = model.clone().with_id(id);
        Ok(Ok(Made {
            outcome: Outcome::Created(model.clone()),
            before: None,
            after: Some(model),
            data: DataChange::Keep,
        }))
    }

    fn update(
        &self,
        organisation: &Organisation,
        model: &CustomModel,
        stamp: Stamp,
        data: &DataChange,
    ) -> Result<Judged, StoreError> {
        Ok(self.at_stamp(organisation, model.id, stamp)?.map(|before| Made {
            outcome: Outcome::Updated,
            before: Some(before),
            after: Some(model.clone()),
            data: data.clone(),
        }))
    }

    fn delete(
        &self,
        organisation: &Organisation,
        id: ModelId,
        stamp: Stamp,
    ) -> Result<Judged, StoreError> {
        Ok(self.at_stamp(organisation, id, stamp)?.map(|before| Made {
            outcome: Outcome::Deleted,
            before: Some(before),
            after: None,
            data: DataChange::Keep,
        }))
    }

    /// The model that a change was decided on, or why it is not made.
    fn at_stamp(
        &self,
        organisation: &Organisation,
        id: ModelId,
        stamp: Stamp,
    ) -> Result<Result<CustomModel, Outcome>, StoreError> {
        let Some(value) = self.value(&model_key(organisation, id.get()))? else {
            return Ok(Err(Outcome::NotFound));
        };
        let model = rows::from_bytes(id, &value)?;
        Ok(if model.stamp == stamp { Ok(model) } else { Err(Outcome::Stale) })
    }

    fn count(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        counter: Counter,
        made: &Made,
    ) -> Result<(), StoreError> {
        let Counter { models, changes } = counter;
        let models = match (&made.before, &made.after) {
            (None, Some(created)) => {
                edits.push((LAST_ID.to_vec(), Some(created.id.get().to_be_bytes().to_vec())));
                models.checked_add(1).ok_or_else(|| damaged("a counter without end"))?
            }
            (Some(_), None) => {
                models.checked_sub(1).ok_or_else(|| damaged("a model that is not counted"))?
            }
            _ => models,
        };
        let counter = Counter { models, changes: changes.wrapping_add(1) };
        edits.push((counter_key(organisation), Some(counter.to_bytes())));
        Ok(())
    }

    /// The model, and since when its training can be claimed.
    pub(crate) fn put_model(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        made: &Made,
    ) -> Result<(), StoreError> {
        let Some(id) = made.after.as_ref().or(made.before.as_ref()).map(|model| model.id) else {
            return Ok(());
        };
        let key = model_key(organisation, id.get());
        let first = self.changes.row(self.db, &key)?;
        match (&made.after, &first) {
            (Some(model), _) => long::put(edits, &key, rows::to_bytes(model)?, first.as_deref())?,
            (None, Some(first)) => long::remove(edits, &key, first),
            (None, None) => {}
        }
        let since = |model: &Option<CustomModel>| model.as_ref()?.course.claimable_at();
        let (before, after) = (since(&made.before), since(&made.after));
        if before != after {
            let whose = organisation.as_str().as_bytes().to_vec();
            edits.extend(before.map(|since| (claim_key(since, id), None)));
            edits.extend(after.map(|since| (claim_key(since, id), Some(whose))));
        }
        Ok(())
    }

    pub(crate) fn put_data(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        made: &Made,
    ) -> Result<(), StoreError> {
        match (&made.before, &made.after, &made.data) {
            (_, Some(model), DataChange::Add(pair)) => {
                let key = data_key(organisation, model.id, pair.id);
                let first = self.changes.row(self.db, &key)?;
                long::put(edits, &key, pair_to_bytes(pair)?, first.as_deref())?;
            }
            (_, Some(model), DataChange::Remove(id)) => {
                let key = data_key(organisation, model.id, *id);
                if let Some(first) = self.changes.row(self.db, &key)? {
                    long::remove(edits, &key, &first);
                }
            }
            (Some(gone), None, _) => {
                let data = self.changes.rows(self.db, &data_of(organisation, gone.id))?;
                edits.extend(data.into_keys().map(|key| (key, None)));
            }
            _ => {}
        }
        Ok(())
    }

    fn put_event(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        event: Option<&NewEvent>,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        let Some(event) = event else { return Ok(()) };
        let History { first, last } = self.history(organisation)?;
        // The ends of a history leave room for one more.
        let last = last.saturating_add(1);
        let key = event_key(organisation, last);
        long::put(edits, &key, event_to_bytes(event, model.id)?, None)?;
        edits.push((history_key(organisation), Some(History { first, last }.to_bytes())));
        Ok(())
    }

    /// Keeps the answer, in the place of one that is not live any more.
    fn put_answer(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        answer: Option<&NewAnswer>,
        model: &CustomModel,
    ) -> Result<(), StoreError> {
        let Some(answer) = answer else { return Ok(()) };
        let kept = answer.kept(model);
        let kept = kept.map_err(|fault| StoreError::new(StoreErrorKind::Damaged, fault))?;
        self.put_kept(edits, organisation, &answer.key, &kept)
    }

    pub(crate) fn put_kept(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        answer: &AnswerKey,
        kept: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let key = answer_key(organisation, answer)?;
        let first = self.changes.row(self.db, &key)?;
        if let Some(before) = self.answer(organisation, answer)? {
            edits.push((answer_time_key(before.at, &key), None));
        }
        long::put(edits, &key, answer_to_bytes(answer, kept)?, first.as_deref())?;
        edits.push((answer_time_key(kept.at, &key), Some(Vec::new())));
        Ok(())
    }

    pub(crate) fn counter(&self, organisation: &Organisation) -> Result<Counter, StoreError> {
        let row = self.changes.row(self.db, &counter_key(organisation))?;
        Counter::from_row(row.as_deref())
    }

    pub(crate) fn history(&self, organisation: &Organisation) -> Result<History, StoreError> {
        let row = self.changes.row(self.db, &history_key(organisation))?;
        History::from_row(row.as_deref())
    }

    pub(crate) fn answer(
        &self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let value = self.value(&answer_key(organisation, key)?)?;
        value.map(|value| answer_from_bytes(key, &value)).transpose()
    }

    /// A value, as the group so far leaves it.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = |key: &[u8]| self.changes.row(self.db, key);
        row(key)?.map(|first| long::whole(key, first, row)).transpose()
    }
}
