//! Judges and makes writes, over the rows that a store supplies.

use super::admit::{self, AdmissionRowsMut, Full};
use crate::model::{
    CustomModel, DataChange, DataId, DataPair, Edit, EventType, Expected, ModelId, NewEvent,
    NewModel, Transition, Uploaded, transition,
};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope, NewIdempotencyRecord};
use crate::store::outcome::Outcome;
use crate::store::write::{AdmissionRequest, Change, Write};
use crate::tenant::{Actor, Organisation};
use crate::time::UnixMillis;

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
/// A read sees every earlier write, including those of the same transaction. No other transaction commits
/// between a read and the end of this one.
///
/// [`apply`] reads and judges everything before it writes. After an error of a read the transaction may
/// therefore go on with the next write. After an error of a write it may not, unless the store undoes the
/// rows of that write.
pub trait Rows {
    /// The error type of the store.
    type Error: From<StoreError>;

    /// The admission rows of the same transaction.
    type Admissions<'r>: AdmissionRowsMut<Error = Self::Error>
    where
        Self: 'r;

    /// Returns the idempotency record of a key, expired or not.
    fn idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, Self::Error>;

    /// Returns the counters of an organisation; zeros if it has never had a model.
    fn counters(&mut self, organisation: &Organisation) -> Result<Counters, Self::Error>;

    /// Returns a model of an organisation.
    fn model(
        &mut self,
        organisation: &Organisation,
        id: ModelId,
    ) -> Result<Option<CustomModel>, Self::Error>;

    /// Returns the data pair of a model with this id.
    fn pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: DataId,
    ) -> Result<Option<DataPair>, Self::Error>;

    /// Returns the highest id of a data pair that the model has, or a higher one that it had.
    fn last_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
    ) -> Result<Option<DataId>, Self::Error>;

    /// Returns the id for a new model: larger than every assigned id, or [`StoreErrorKind::IdsExhausted`]
    /// (MODEL-1). [`Rows::insert_model`] assigns it; until then this may return the same id again.
    fn next_id(&mut self) -> Result<ModelId, Self::Error>;

    /// Adds a model under the id that [`Rows::next_id`] returned.
    fn insert_model(
        &mut self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Replaces the model that was read. The language, the base model and the creation time stay the same
    /// (EDIT-2).
    fn replace_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
        after: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Deletes the model that was read, and all its data pairs.
    fn delete_model(
        &mut self,
        organisation: &Organisation,
        before: &CustomModel,
    ) -> Result<(), Self::Error>;

    /// Adds a data pair to a model.
    fn insert_pair(
        &mut self,
        organisation: &Organisation,
        model: ModelId,
        pair: &DataPair,
    ) -> Result<(), Self::Error>;

    /// Deletes a data pair of a model.
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

    /// Stores an idempotency record. It replaces the one under the same key.
    fn insert_idempotency_record(
        &mut self,
        organisation: &Organisation,
        key: &IdempotencyScope,
        kept: &IdempotencyRecord,
    ) -> Result<(), Self::Error>;

    /// Sets the counters of an organisation. Called once for every change that is made, after its other rows,
    /// even if neither counter changed.
    fn set_counters(
        &mut self,
        organisation: &Organisation,
        counters: Counters,
    ) -> Result<(), Self::Error>;

    /// Returns the admission rows to judge a request by, and the time of the request: `at`, unless the store
    /// uses its own clock.
    fn admissions(
        &mut self,
        request: &AdmissionRequest,
        at: UnixMillis,
    ) -> Result<(Self::Admissions<'_>, UnixMillis), Self::Error>;
}

/// Judges a write, and makes it unless it is refused.
///
/// The order is: the idempotency record (IDEM-1), the window (RATE-1), the model, its state and its revision
/// (AUTH-3, EDIT-4), the quota (QUOTA-4). Everything is judged before the first row is written. An admitted
/// request counts whether its change is made or refused (RATE-3).
///
/// # Errors
///
/// Errors of the rows; [`StoreErrorKind::Damaged`] if the rows contradict each other.
pub fn apply<R: Rows>(rows: &mut R, write: &Write) -> Result<Outcome, R::Error> {
    // Names every field, so that a new one does not compile until it is handled here.
    let Write { organisation, actor: _, at, change: _, idempotency: answer, admission } = write;
    if let Some(answer) = answer
        && let Some(kept) = rows.idempotency_record(organisation, &answer.key)?
        && kept.is_live_at(*at)
    {
        return Ok(Outcome::Repeated(kept));
    }
    let Some(request) = admission else { return judge(rows, write)?.settle(rows, write) };
    let AdmissionRequest { window, limit } = request;
    let (mut admissions, now) = rows.admissions(request, *at)?;
    let place = match admit::judge(&mut admissions, window, *limit, now)? {
        Ok(place) => place,
        Err(Full { rate_limit, retry_after }) => {
            return Ok(Outcome::WindowFull { rate_limit, retry_after });
        }
    };
    drop(admissions);
    let outcome = Box::new(judge(rows, write)?.settle(rows, write)?);
    let (mut admissions, _) = rows.admissions(request, *at)?;
    place.write(&mut admissions, window)?;
    Ok(Outcome::Admitted { rate_limit: place.rate_limit, outcome })
}

/// Judges the change of a write.
fn judge<R: Rows>(rows: &mut R, write: &Write) -> Result<Decision, R::Error> {
    let counters = rows.counters(&write.organisation)?;
    match &write.change {
        Change::Create { model, limit } => create(rows, counters, model, *limit, &write.actor),
        Change::Edit { id, edit, expected } => edited(rows, counters, write, *id, edit, expected),
    }
}

/// A change that may be made.
struct Made {
    /// The counters before the change.
    counters: Counters,
    before: Option<CustomModel>,
    after: Option<CustomModel>,
    data: DataChange,
    removed: Option<DataPair>,
    event: Option<NewEvent>,
}

/// A judged change.
#[expect(
    clippy::large_enum_variant,
    reason = "one is on the stack, for as long as a write is judged"
)]
enum Decision {
    Made(Made),
    Refused(Outcome),
}

impl Decision {
    /// Writes the rows of a change that was not refused.
    fn settle<R: Rows>(self, rows: &mut R, write: &Write) -> Result<Outcome, R::Error> {
        match self {
            Decision::Made(made) => {
                made.write(rows, write)?;
                Ok(made.outcome())
            }
            Decision::Refused(outcome) => Ok(outcome),
        }
    }
}

fn create<R: Rows>(
    rows: &mut R,
    counters: Counters,
    model: &NewModel,
    limit: Option<u64>,
    actor: &Actor,
) -> Result<Decision, R::Error> {
    let current = counters.models;
    if limit.is_some_and(|limit| current >= limit) {
        return Ok(Decision::Refused(Outcome::LimitReached { current }));
    }
    Ok(Decision::Made(Made {
        counters,
        before: None,
        after: Some(model.clone().with_id(rows.next_id()?)),
        data: DataChange::Keep,
        removed: None,
        event: Some(NewEvent {
            created_at: model.created_at,
            actor: actor.clone(),
            event_type: EventType::Created,
        }),
    }))
}

fn edited<R: Rows>(
    rows: &mut R,
    counters: Counters,
    Write { organisation, actor, at, .. }: &Write,
    id: ModelId,
    edit: &Edit,
    expected: &Expected,
) -> Result<Decision, R::Error> {
    let Some(before) = rows.model(organisation, id)? else {
        return Ok(Decision::Refused(Outcome::NotFound));
    };
    let removed = match edit.removed_pair() {
        Some(pair) => rows.pair(organisation, id, pair)?,
        None => None,
    };
    let next = transition(&before, edit, removed.as_ref(), expected, actor, *at);
    let Transition { model: after, data, event } = match next {
        Ok(next) => next,
        Err(reason) => return Ok(Decision::Refused(Outcome::Refused(reason))),
    };
    if let DataChange::Add(pair) = &data
        && rows.last_pair(organisation, id)?.is_some_and(|last| last >= pair.id)
    {
        return Err(damaged("a model has a pair under the number of the next one").into());
    }
    Ok(Decision::Made(Made { counters, before: Some(before), after, data, removed, event }))
}

impl Made {
    fn write<R: Rows>(&self, rows: &mut R, write: &Write) -> Result<(), R::Error> {
        let organisation = &write.organisation;
        let Some(model) = self.after.as_ref().or(self.before.as_ref()) else { return Ok(()) };
        let counters = self.counted()?;
        let kept = self.kept(write)?;

        match &self.data {
            DataChange::Keep => {}
            DataChange::Add(pair) => rows.insert_pair(organisation, model.id, pair)?,
            DataChange::Remove(id) => rows.delete_pair(organisation, model.id, *id)?,
        }
        match (&self.before, &self.after) {
            (None, _) => rows.insert_model(organisation, model)?,
            (Some(before), Some(after)) => rows.replace_model(organisation, before, after)?,
            (Some(before), None) => rows.delete_model(organisation, before)?,
        }
        if let Some((key, kept)) = kept {
            rows.insert_idempotency_record(organisation, key, &kept)?;
        }
        if let Some(event) = &self.event {
            rows.append_event(organisation, counters.events, model.id, event)?;
        }
        rows.set_counters(organisation, counters)
    }

    /// Returns the counters after the change.
    fn counted(&self) -> Result<Counters, StoreError> {
        let Counters { models, events } = self.counters;
        let models = match (&self.before, &self.after) {
            (None, Some(_)) => models.checked_add(1),
            (Some(_), None) => models.checked_sub(1),
            _ => Some(models),
        };
        let events = events.checked_add(u64::from(self.event.is_some()));
        match (models, events) {
            (Some(models), Some(events)) => Ok(Counters { models, events }),
            _ => Err(damaged("a counter does not fit the rows that it counts")),
        }
    }

    /// Returns the idempotency record to store, if one is requested and the model still exists.
    fn kept<'a>(
        &self,
        write: &'a Write,
    ) -> Result<Option<(&'a IdempotencyScope, IdempotencyRecord)>, StoreError> {
        let (Some(NewIdempotencyRecord { key, request }), Some(model)) =
            (&write.idempotency, &self.after)
        else {
            return Ok(None);
        };
        let (status, body) = match &write.change {
            Change::Create { .. } => (201, serde_json::to_string(model)),
            Change::Edit { edit, .. } => match &**edit {
                Edit::AddData(pair) => (200, serde_json::to_string(&Uploaded::new(pair, model))),
                _ => (200, serde_json::to_string(model)),
            },
        };
        let body = body.map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;
        let (request, revision) = (*request, model.revision());
        Ok(Some((key, IdempotencyRecord { request, at: write.at, status, revision, body })))
    }

    fn outcome(self) -> Outcome {
        let removed = self.removed.map(Box::new);
        match (self.before, self.after) {
            (None, Some(model)) => Outcome::Created(model),
            (_, Some(model)) => Outcome::Changed { model: Box::new(model), removed },
            (_, None) => Outcome::Deleted,
        }
    }
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::CreateModel;
    use crate::time::Timestamp;

    /// Returns the counters after a change. `is_there` tells whether a model exists before and after it,
    /// `has_event` whether it appends an event.
    fn counted(
        counters: (u64, u64),
        is_there: (bool, bool),
        has_event: bool,
    ) -> Option<(u64, u64)> {
        let at = Timestamp::from_unix_seconds(0).unwrap();
        let request = CreateModel::builder().name("n").language("en").build().unwrap();
        let model = request.into_new_model(at).with_id(ModelId::new(1).unwrap());
        let event =
            NewEvent { created_at: at, actor: Actor::SWEEP, event_type: EventType::Created };
        let made = Made {
            counters: Counters { models: counters.0, events: counters.1 },
            before: is_there.0.then(|| model.clone()),
            after: is_there.1.then_some(model),
            data: DataChange::Keep,
            removed: None,
            event: has_event.then_some(event),
        };
        made.counted().ok().map(|counters| (counters.models, counters.events))
    }

    #[test]
    fn quota_2_and_log_1_a_change_moves_the_counters_of_what_it_makes() {
        assert_eq!(counted((5, 7), (false, true), true), Some((6, 8)));
        assert_eq!(counted((5, 7), (true, true), true), Some((5, 8)));
        assert_eq!(counted((5, 7), (true, true), false), Some((5, 7)));
        assert_eq!(counted((5, 7), (true, false), true), Some((4, 8)));
    }

    #[test]
    fn a_counter_that_contradicts_the_rows_is_damage() {
        assert_eq!(counted((0, 7), (true, false), true), None);
        assert_eq!(counted((u64::MAX, 7), (false, true), true), None);
        assert_eq!(counted((5, u64::MAX), (true, true), true), None);
    }
}
