//! Edits by a client, and the history that they produce.

use custom_models_core::model::{DataPair, Edit, Event, EventPage};
use custom_models_core::store::{IdempotencyRecord, IdempotencyScope, Listing};
use custom_models_core::{CustomModel, Organisation};

use crate::client::{ALL, Client};
use crate::life::{data_id, edit, like, new_pair, numbered};
use crate::verdict::{Checked, ensure_eq};

/// Gives a model the texts of another number, and returns it.
#[track_caller]
pub(crate) fn renamed(
    store: &Client,
    organisation: &Organisation,
    before: &CustomModel,
    number: u64,
) -> Checked<CustomModel> {
    store.edited(before, numbered(organisation, number, edit(before.id, like(number)?))?)
}

/// Adds the data pair of this number to a model, and returns the model.
#[track_caller]
pub(crate) fn add_pair(
    store: &Client,
    organisation: &Organisation,
    model: &CustomModel,
    number: u32,
) -> Checked<CustomModel> {
    let change = edit(model.id, Edit::AddData(new_pair(number)?));
    store.edited(model, numbered(organisation, number.into(), change)?)
}

/// Removes a data pair of a model, and returns the model.
#[track_caller]
pub(crate) fn remove_pair(
    store: &Client,
    organisation: &Organisation,
    model: &CustomModel,
    number: u32,
) -> Checked<CustomModel> {
    let change = edit(model.id, Edit::RemoveData(data_id(number)?));
    store.edited(model, numbered(organisation, number.into(), change)?)
}

/// Everything of an organisation that a store shows.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    listing: Listing,
    history: EventPage,
    data: Vec<Vec<DataPair>>,
    answers: Vec<Option<IdempotencyRecord>>,
}

impl Everything {
    /// Reads everything. Idempotency records cannot be listed, so it reads those of the given keys.
    pub(crate) fn of(
        store: &Client,
        organisation: &Organisation,
        keys: &[IdempotencyScope],
    ) -> Checked<Everything> {
        let listing = store.list(organisation, &ALL)?;
        let data =
            listing.models.iter().map(|model| store.data(organisation, model.id, 0, u32::MAX));
        let answers = keys.iter().map(|key| store.idempotency_record(organisation, key));
        Ok(Everything {
            data: data.collect::<Result<_, _>>()?,
            answers: answers.collect::<Result<_, _>>()?,
            history: store.events(organisation, 0, u32::MAX)?,
            listing,
        })
    }
}

/// Checks that the organisation has exactly these events, from position 1 on.
#[track_caller]
pub(crate) fn expect_history(
    store: &Client,
    organisation: &Organisation,
    events: &[Event],
) -> Checked {
    let last = events.len() as u64;
    let right = EventPage { events: events.to_vec(), last, first: 1 };
    ensure_eq!(store.events(organisation, 0, u32::MAX)?, right, "the history of {organisation}");
    Ok(())
}
