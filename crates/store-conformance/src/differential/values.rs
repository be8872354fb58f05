//! The values of writes, made from what was read.

use std::time::Duration;

use custom_models_core::ModelId;
use custom_models_core::Organisation;
use custom_models_core::access::{Operation, RateLimit, Window, WindowKey};
use custom_models_core::field::{Description, Name};
use custom_models_core::model::{DataType, Edit, Fence, NewModel, NewPair};
use custom_models_core::store::{AdmissionRequest, NewIdempotencyRecord};
use custom_models_core::time::Timestamp;

use crate::differential::choices::pick;
use crate::differential::write::{Limited, Model, Told, Word};
use crate::fixture::{beat, fail, succeed};
use crate::life::{answer_key, digest, file};
use crate::sample::{moment, name, unfit};
use crate::verdict::Checked;

/// Returns the organisations of a run on a store. Their names are similar to one another and to those of other
/// runs.
pub(crate) fn organisations(run: u32) -> Checked<[Organisation; 3]> {
    let name = |base: &str| {
        let name = if run == 0 { base.to_owned() } else { format!("{base}_{run}") };
        Organisation::new(&name).map_err(unfit)
    };
    Ok([name("acme")?, name("acme-2")?, name("ACME")?])
}

pub(crate) fn new_model(model: &Model) -> Checked<NewModel> {
    let (first, last) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    Ok(NewModel {
        name: match Name::new(model.name.clone()) {
            Ok(name) => name,
            Err(_) => name("x")?,
        },
        description: model.description.clone().and_then(|text| Description::new(text).ok()),
        language: model.language,
        base_model: model.base_model,
        created_at: moment(model.created_at.clamp(first, last))?,
    })
}

/// Returns a data pair that differs from those of other numbers, with this many hours of audio.
pub(crate) fn pair(number: u32, hours: u8, is_test: bool) -> NewPair {
    let file = |name: &str| file(&format!("{number}\0 語 {name}"), u64::from(number) << 30);
    NewPair {
        data_type: if is_test { DataType::Test } else { DataType::Train },
        audio: file("a.wav"),
        audio_millis: u64::from(hours) * 3_600_000 + u64::from(number),
        transcript: file("a.txt"),
    }
}

/// Returns the report of a worker under a claim.
pub(crate) fn report(word: Word, fence: Fence) -> Checked<Edit> {
    Ok(match word {
        Word::Beat(percent) => beat(fence, percent)?,
        Word::Succeed => succeed(fence)?,
        Word::Fail => fail(fence, "'\0 語\""),
    })
}

/// Returns the idempotency record to request with a change.
pub(crate) fn answer(
    told: Told,
    operation: Operation,
    target: Option<ModelId>,
) -> Checked<NewIdempotencyRecord> {
    let key = pick(&["key", "KEY", "'\\\""], told.key).unwrap_or_default();
    let request = digest(&told.request.to_string());
    Ok(NewIdempotencyRecord { key: answer_key(operation, target, key)?, request })
}

/// Returns the admission of a request to a window of half a minute.
pub(crate) fn admission(
    limited: Limited,
    organisation: &Organisation,
) -> Checked<AdmissionRequest> {
    let name = organisation.as_str();
    let digest = digest(name);
    let key = if limited.is_digest { digest.as_bytes().as_slice() } else { name.as_bytes() };
    let key = WindowKey::new(key).map_err(unfit)?;
    let limit = RateLimit::new(limited.requests, Duration::from_secs(30)).map_err(unfit)?;
    Ok(AdmissionRequest { window: Window { key, operation: Operation::Create }, limit })
}
