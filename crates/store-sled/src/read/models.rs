//! Reads of models.

use std::ops::Range;

use custom_models_core::store::{Listing, Selection, StoreError};
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::database::Database;
use crate::error::damaged;
use crate::read::view::{View, read_consistent, read_value};
use crate::rows::counters::{Counter, counter};
use crate::rows::keys::{id_of, key_below, model_key, model_keys};
use crate::rows::models::from_bytes;

/// One model of an organisation.
pub(crate) fn get(
    database: &Database,
    organisation: &Organisation,
    id: ModelId,
) -> Result<Option<CustomModel>, StoreError> {
    let found = read_value(database, &model_key(organisation, id.get()))?;
    found.map(|value| from_bytes(id, &value)).transpose()
}

/// A page of an organisation's models and their total, in one consistent read.
pub(crate) fn list(
    database: &Database,
    organisation: &Organisation,
    selection: &Selection,
) -> Result<Listing, StoreError> {
    let models = key_below(b"m", organisation, b"");
    let read = |counter: Counter, read_consistent: &View| {
        walk(read_consistent, organisation, selection, counter.models)
    };
    read_consistent(database, models, |db| counter(db, organisation), read)
}

fn walk(
    read_consistent: &View,
    organisation: &Organisation,
    selection: &Selection,
    models: u64,
) -> Result<Listing, StoreError> {
    if selection.filter.is_empty() {
        let page = page(read_consistent, model_keys(organisation, selection.after), selection);
        return Ok(Listing { models: page?, total: models });
    }
    let mut found = Listing::default();
    let mut to_skip = selection.skip;
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    for row in read_consistent.values(model_keys(organisation, None)) {
        let (key, value) = row?;
        let model = model(&key, &value)?;
        if !selection.filter.matches(&model) {
            continue;
        }
        found.total += 1;
        if selection.after.is_some_and(|after| model.id <= after) {
            continue;
        }
        if to_skip > 0 {
            to_skip -= 1;
        } else if found.models.len() < limit {
            found.models.push(model);
        }
    }
    Ok(found)
}

/// A page without a filter. Skipped models are not decoded.
fn page(
    read_consistent: &View,
    keys: Range<Vec<u8>>,
    selection: &Selection,
) -> Result<Vec<CustomModel>, StoreError> {
    let mut models = Vec::new();
    let mut to_skip = selection.skip;
    let mut values = read_consistent.values(keys);
    let limit = usize::try_from(selection.limit).unwrap_or(usize::MAX);
    while models.len() < limit
        && let Some(value) = values.next()
    {
        let (key, value) = value?;
        if to_skip > 0 {
            to_skip -= 1;
        } else {
            models.push(model(&key, &value)?);
        }
    }
    Ok(models)
}

fn model(key: &[u8], value: &[u8]) -> Result<CustomModel, StoreError> {
    let id = id_of(key).ok_or_else(|| damaged("an id out of range"))?;
    from_bytes(id, value)
}
