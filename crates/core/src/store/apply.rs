//! The one judge of a write, over the rows that a store brings.

use crate::{
    AnswerKey, Change, CustomModel, DataChange, DataId, DataPair, KeptAnswer, ModelId, NewEvent,
    NewModel, Organisation, Outcome, Stamp, StoreError, StoreErrorKind, Write,
};

/// Counters of an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The number of its models (QUOTA-2).
    pub models: u64,
    /// The position of its last event, 0 before the first (LOG-1).
    pub events: u64,
}

/// The rows of a store within a transaction, for [`apply`].
///
/// A read shows what the writes before it have left, those of the same transaction included. Nothing that
/// another transaction commits comes between a read and the end of the transaction.
///
/// [`apply`] reads and judges everything first, then writes. So an error of a read concerns one write alone,
/// and the transaction may go on with the next one; after an error of a write it may not, unless the store
/// takes back what this write has written.
pub trait Rows {
    /// The error of a store's own.
    type Error: From<StoreError>;

    /// The answer that is kept under a key, live or not.
    fn answer(
        &mut self,
        organisation: &Organisation,
        key: &AnswerKey,
    ) -> Result<Option<KeptAnswer>, Self::Error>;

    /// The counters of an organisation; zeros for one that has never had a model.
    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, Self::Error>;

    /// A model of an organisation.
    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, Self::Error>;

    /// True if a model has a pair of data with this number.
    fn has_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<bool, Self::Error>;

    /// The id for a new model: larger than every id that was ever given away, or
    /// [`StoreErrorKind::IdsExhausted`] (MODEL-1). It is given away by [`Rows::insert_model`]; asked again
    /// before, it may be the same.
    fn next_id(&mut self) -> Result<ModelId, Self::Error>;

    /// Adds a model under the id that [`Rows::next_id`] returned.
    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Puts a model in the place of the one that was read. The language, the base model and the time of
    /// creation are the same (EDIT-2).
    fn replace_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Deletes the model that was read, with all its pairs of data.
    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Adds a pair of data to a model.
    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), Self::Error>;

    /// Deletes a pair of data of a model.
    fn delete_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<(), Self::Error>;

    /// Appends an event at its position.
    fn append_event(
        &mut self,
        organisation: &Organisation,
        position: u64,
        model: ModelId,
        event: &NewEvent,
    ) -> Result<(), Self::Error>;

    /// Keeps an answer, in the place of the one under the same key.
    fn keep_answer(
        &mut self,
        organisation: &Organisation,
        key: &AnswerKey,
        kept: &KeptAnswer,
    ) -> Result<(), Self::Error>;

    /// Sets the counters of an organisation. Called last, and once for every write that is made, also when
    /// neither counter moves.
    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), Self::Error>;
}

/// Judges a write, and makes it unless it is refused.
///
/// Judged in this order: the answer to the same request before (IDEM-1), the model and its stamp (AUTH-3,
/// EDIT-4), the quota (QUOTA-4). All of it is judged before the first row is written.
///
/// # Errors
///
/// Those of the rows; [`StoreErrorKind::Damaged`] when the rows contradict each other.
pub fn apply<R: Rows>(rows: &mut R, write: &Write) -> Result<Outcome, R::Error> {
    // All four, so that none is forgotten below.
    let Write { organisation, change, event, answer } = write;
    if let Some(answer) = answer
        && let Some(kept) = rows.answer(organisation, &answer.key)?
        && kept.is_live_at(answer.at)
    {
        return Ok(Outcome::Repeated(kept));
    }
    let counters = rows.counters(organisation)?;
    let judged = match change {
        Change::Create { model, limit } => create(rows, model, *limit, counters)?,
        Change::Update { model, stamp, data } => update(rows, organisation, model, *stamp, data)?,
        Change::Delete { id, stamp } => {
            at_stamp(rows.model(organisation, *id)?, *stamp, Made::Deleted)
        }
    };
    let made = match judged {
        Judged::Made(made) => made,
        Judged::Refused(outcome) => return Ok(outcome),
    };
    let counters = made.counted(counters, event.is_some())?;
    let kept = answer.as_ref().map(|answer| answer.kept(made.model()).map(|kept| (answer, kept)));
    let kept = kept.transpose().map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;

    made.write(rows, organisation)?;
    if let Some((answer, kept)) = kept {
        rows.keep_answer(organisation, &answer.key, &kept)?;
    }
    if let Some(event) = event {
        rows.append_event(organisation, counters.events, made.model().id, event)?;
    }
    rows.set_counters(organisation, counters)?;
    Ok(made.outcome())
}

/// A change that nothing speaks against.
enum Made<'a> {
    Created(CustomModel),
    Updated { before: CustomModel, after: &'a CustomModel, data: &'a DataChange },
    Deleted(CustomModel),
}

/// A change that is judged.
enum Judged<'a> {
    Made(Made<'a>),
    Refused(Outcome),
}

fn create<R: Rows>(
    rows: &mut R,
    model: &NewModel,
    limit: Option<u64>,
    counters: Counters,
) -> Result<Judged<'static>, R::Error> {
    let current = counters.models;
    if limit.is_some_and(|limit| current >= limit) {
        return Ok(Judged::Refused(Outcome::LimitReached { current }));
    }
    Ok(Judged::Made(Made::Created(model.clone().with_id(rows.next_id()?))))
}

fn update<'a, R: Rows>(
    rows: &mut R,
    organisation: &Organisation,
    after: &'a CustomModel,
    stamp: Stamp,
    data: &'a DataChange,
) -> Result<Judged<'a>, R::Error> {
    let updated = |before| Made::Updated { before, after, data };
    let judged = at_stamp(rows.model(organisation, after.id)?, stamp, updated);
    if matches!(judged, Judged::Made(_))
        && let DataChange::Add(pair) = data
        && rows.has_pair(organisation, after.id, pair.id)?
    {
        return Err(damaged("a model has a pair under the number of the next one").into());
    }
    Ok(judged)
}

/// What becomes of the model that a change was decided on.
fn at_stamp<'a>(
    found: Option<CustomModel>,
    stamp: Stamp,
    made: impl FnOnce(CustomModel) -> Made<'a>,
) -> Judged<'a> {
    match found {
        None => Judged::Refused(Outcome::NotFound),
        Some(model) if model.stamp != stamp => Judged::Refused(Outcome::Stale),
        Some(model) => Judged::Made(made(model)),
    }
}

impl Made<'_> {
    /// The model after the change; a deleted one as it was.
    fn model(&self) -> &CustomModel {
        match self {
            Made::Created(model) | Made::Deleted(model) => model,
            Made::Updated { after, .. } => after,
        }
    }

    fn counted(&self, counters: Counters, has_event: bool) -> Result<Counters, StoreError> {
        let models = match self {
            Made::Created(_) => counters.models.checked_add(1),
            Made::Updated { .. } => Some(counters.models),
            Made::Deleted(_) => counters.models.checked_sub(1),
        };
        let events = counters.events.checked_add(u64::from(has_event));
        match (models, events) {
            (Some(models), Some(events)) => Ok(Counters { models, events }),
            _ => Err(damaged("a counter does not fit the rows that it counts")),
        }
    }

    fn write<R: Rows>(&self, rows: &mut R, organisation: &Organisation) -> Result<(), R::Error> {
        match self {
            Made::Created(model) => rows.insert_model(organisation, model),
            Made::Deleted(before) => rows.delete_model(organisation, before),
            Made::Updated { before, after, data } => {
                match data {
                    DataChange::Keep => {}
                    DataChange::Add(pair) => rows.insert_pair(organisation, after.id, pair)?,
                    DataChange::Remove(id) => rows.delete_pair(organisation, after.id, *id)?,
                }
                rows.replace_model(organisation, before, after)
            }
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Made::Created(model) => Outcome::Created(model),
            Made::Updated { .. } => Outcome::Updated,
            Made::Deleted(_) => Outcome::Deleted,
        }
    }
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}
