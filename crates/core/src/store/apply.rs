//! Judges and makes writes, over the rows that a store supplies.

use super::admit::{self, Full};
use crate::model::{
    CustomModel, DataChange, DataPair, Edit, EventType, Expected, ModelId, NewEvent, NewModel,
    Transition, Uploaded, transition,
};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::idempotency::{IdempotencyRecord, IdempotencyScope, NewIdempotencyRecord};
use crate::store::outcome::Outcome;
use crate::store::rows::{Counters, Rows};
use crate::store::write::{AdmissionRequest, Change, Write};
use crate::tenant::Actor;

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
    let Some(request) = admission else { return judge(rows, write)?.write(rows, write) };
    let AdmissionRequest { window, limit } = request;
    let (mut admissions, now) = rows.admissions(request, *at)?;
    let place = match admit::judge(&mut admissions, window, *limit, now)? {
        Ok(place) => place,
        Err(Full { rate_limit, retry_after }) => {
            return Ok(Outcome::WindowFull { rate_limit, retry_after });
        }
    };
    drop(admissions);
    let outcome = Box::new(judge(rows, write)?.write(rows, write)?);
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
    model: ModelChange,
    data: DataChange,
    removed: Option<DataPair>,
    event: Option<NewEvent>,
}

/// The change of a model's row.
#[expect(
    clippy::large_enum_variant,
    reason = "one is on the stack, for as long as a write is judged"
)]
enum ModelChange {
    Insert(CustomModel),
    Replace { before: CustomModel, after: CustomModel },
    Delete(CustomModel),
}

impl ModelChange {
    /// Returns the model after the change, if it still exists.
    const fn after(&self) -> Option<&CustomModel> {
        match self {
            ModelChange::Insert(after) | ModelChange::Replace { after, .. } => Some(after),
            ModelChange::Delete(_) => None,
        }
    }

    const fn id(&self) -> ModelId {
        match self {
            ModelChange::Insert(model)
            | ModelChange::Replace { after: model, .. }
            | ModelChange::Delete(model) => model.id,
        }
    }
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
    fn write<R: Rows>(self, rows: &mut R, write: &Write) -> Result<Outcome, R::Error> {
        match self {
            Decision::Made(made) => {
                made.write(rows, write)?;
                Ok(made.outcome())
            }
            Decision::Refused(outcome) => Ok(outcome),
        }
    }
}

/// Judges a create by the quota (QUOTA-1 to QUOTA-4).
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
        model: ModelChange::Insert(model.clone().with_id(rows.next_id()?)),
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
    let model = match after {
        Some(after) => ModelChange::Replace { before, after },
        None => ModelChange::Delete(before),
    };
    Ok(Decision::Made(Made { counters, model, data, removed, event }))
}

impl Made {
    fn write<R: Rows>(&self, rows: &mut R, write: &Write) -> Result<(), R::Error> {
        let organisation = &write.organisation;
        let id = self.model.id();
        let counters = self.counted()?;
        let kept = self.kept(write)?;

        match &self.data {
            DataChange::Keep => {}
            DataChange::Add(pair) => rows.insert_pair(organisation, id, pair)?,
            DataChange::Remove(pair) => rows.delete_pair(organisation, id, *pair)?,
        }
        match &self.model {
            ModelChange::Insert(model) => rows.insert_model(organisation, model)?,
            ModelChange::Replace { before, after } => {
                rows.replace_model(organisation, before, after)?;
            }
            ModelChange::Delete(model) => rows.delete_model(organisation, model)?,
        }
        if let Some((key, kept)) = kept {
            rows.insert_idempotency_record(organisation, key, &kept)?;
        }
        if let Some(event) = &self.event {
            rows.append_event(organisation, counters.events, id, event)?;
        }
        rows.set_counters(organisation, counters)
    }

    /// Returns the counters after the change.
    fn counted(&self) -> Result<Counters, StoreError> {
        let Counters { models, events } = self.counters;
        let models = match self.model {
            ModelChange::Insert(_) => models.checked_add(1),
            ModelChange::Replace { .. } => Some(models),
            ModelChange::Delete(_) => models.checked_sub(1),
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
            (&write.idempotency, self.model.after())
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
        match self.model {
            ModelChange::Insert(model) => Outcome::Created(model),
            ModelChange::Replace { after, .. } => {
                Outcome::Changed { model: Box::new(after), removed }
            }
            ModelChange::Delete(_) => Outcome::Deleted,
        }
    }
}

fn damaged(what: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, what)
}

#[cfg(test)]
mod tests;
