//! The listing of a model's data, with what a person wants to know of all pairs.

use std::collections::HashMap;

use custom_models_core::model::{DataId, DataList, DataTotals, DataType, ListedPair};
use serde::Serialize;

/// An hour in milliseconds.
const HOUR: u64 = 3_600_000;

/// The ten thousandth part of an hour.
const STEP: u64 = 360;

/// The listing of the API, with sums and duplicates.
#[derive(Serialize)]
pub(super) struct Listing {
    #[serde(flatten)]
    list: DataList,
    train_hours: f64,
    test_hours: f64,
    /// The hours of audio that a training still needs.
    missing_hours: f64,
    duplicates: Vec<Duplicate>,
}

/// A pair with the audio and the transcript of an earlier pair.
#[derive(Serialize)]
struct Duplicate {
    id: DataId,
    duplicate_of: DataId,
}

impl Listing {
    /// Lists all pairs of a model.
    pub(super) fn of(pairs: Vec<ListedPair>) -> Self {
        let millis = |data_type| {
            let of_type = pairs.iter().filter(|pair| pair.data_type == data_type);
            of_type.fold(0_u64, |sum, pair| sum.saturating_add(pair.audio_millis))
        };
        let (train, test) = (millis(DataType::Train), millis(DataType::Test));
        let enough = u64::try_from(DataTotals::ENOUGH.as_millis()).unwrap_or(u64::MAX);
        let mut firsts = HashMap::new();
        let duplicates = pairs.iter().filter_map(|pair| {
            let files = (pair.audio.sha256, pair.transcript.sha256);
            let first = *firsts.entry(files).or_insert(pair.id);
            (first != pair.id).then_some(Duplicate { id: pair.id, duplicate_of: first })
        });
        let duplicates = duplicates.collect();
        Listing {
            train_hours: hours(train),
            test_hours: hours(test),
            // Rounded up: it is zero only if nothing is missing.
            missing_hours: hours(enough.saturating_sub(train).next_multiple_of(STEP)),
            duplicates,
            list: DataList::new(pairs.len() as u64, pairs),
        }
    }
}

/// Converts milliseconds to hours with four digits behind the point, rounded down.
fn hours(millis: u64) -> f64 {
    let (whole, rest) = (millis / HOUR, millis % HOUR / STEP);
    let number = |count| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    number(whole) + number(rest) / 10_000.0
}
