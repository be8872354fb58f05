//! Sample models and organisations.

use std::fmt::Display;

use custom_models_core::access::{KeyDigest, KeyId, KeyRecord, Scopes};
use custom_models_core::field::{Description, Name};
use custom_models_core::model::{NewModel, Revision};
use custom_models_core::store::Registration;
use custom_models_core::time::Timestamp;
use custom_models_core::{BaseModel, Language, ModelId, Organisation};

use crate::verdict::{Checked, Stop};

pub(crate) fn organisation(name: &str) -> Checked<Organisation> {
    Organisation::new(name).map_err(unfit)
}

pub(crate) fn id(number: u64) -> Checked<ModelId> {
    ModelId::new(number).map_err(unfit)
}

pub(crate) fn revision(number: u64) -> Checked<Revision> {
    Revision::new(number).ok_or_else(|| unfit("no revision is 0"))
}

pub(crate) fn moment(unix_seconds: i64) -> Checked<Timestamp> {
    Timestamp::from_unix_seconds(unix_seconds).map_err(unfit)
}

pub(crate) fn name(text: &str) -> Checked<Name<'static>> {
    Name::new(text.to_owned()).map_err(unfit)
}

pub(crate) fn description(text: &str) -> Checked<Description<'static>> {
    Description::new(text.to_owned()).map_err(unfit)
}

/// Returns a model that differs in every field from those of other numbers, so that mixed-up fields show.
pub(crate) fn model(number: u64) -> Checked<NewModel> {
    let text = format!("description {number}");
    Ok(NewModel {
        name: name(&format!("model {number}"))?,
        description: match number % 3 {
            0 => None,
            1 => Some(description("")?),
            _ => Some(description(&text)?),
        },
        language: nth(Language::ALL, number)?,
        base_model: nth(&BaseModel::ALL, number)?,
        created_at: moment(1_700_000_000 + i64::try_from(number).unwrap_or(i64::MAX) % 1_000_000)?,
    })
}

/// Returns the models with the numbers 0 to `count` − 1.
pub(crate) fn models(count: u64) -> Checked<Vec<NewModel>> {
    (0..count).map(model).collect()
}

pub(crate) fn registration(organisation: &str, plan: &str) -> Checked<Registration> {
    let organisation = self::organisation(organisation)?;
    Ok(Registration { organisation, plan: plan.parse().map_err(unfit)? })
}

/// Returns a key that differs from those of all other numbers: valid, and without a scope.
pub(crate) fn key(number: u8, organisation: &str) -> Checked<KeyRecord> {
    Ok(KeyRecord {
        id: KeyId::from_bytes([number, 0, 10, 13, 0, 255]),
        digest: KeyDigest::from_bytes([255 - number; 32]),
        organisation: self::organisation(organisation)?,
        scopes: Scopes::default(),
        created_at: moment(1_700_000_000 + i64::from(number))?,
        expires_at: None,
        revoked_at: None,
    })
}

/// Returns a value, cycling through the list.
pub(crate) fn nth<T: Copy>(values: &[T], number: u64) -> Checked<T> {
    let index = usize::try_from(number).unwrap_or_default() % values.len().max(1);
    values.get(index).copied().ok_or_else(|| unfit("no values"))
}

#[track_caller]
pub(crate) fn unfit(error: impl Display) -> Stop {
    Stop::failed(format!("the suite's own sample: {error}"))
}
