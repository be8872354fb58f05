//! The layout of the database: its keys.
//!
//! Everything is in one tree, so that a group of writes is one batch. The first byte of a key is
//! the kind of its row. Numbers are big-endian, so that keys sort as numbers do. Models are
//! clustered by organisation and id. A zero byte, which no name of an organisation contains, ends
//! the name, so that `a` and `ab` never mix.
//!
//! | key | value |
//! | --- | --- |
//! | `f` | the name of the layout, see `schema` |
//! | `s` | the identity with which the store was created: 16 random bytes |
//! | `l` | the identity and the lineage that replaced it, if any: 16 and 8 bytes |
//! | `g` | the totals of the store, see `totals`: 24 bytes |
//! | `i` | the last assigned id: 8 bytes |
//! | `c` organisation | a counter, see `counters`: 16 bytes |
//! | `m` organisation 0 id | a model, see `models` |
//! | `d` organisation 0 id data's number | a pair of the model's data, see `records` |
//! | `q` time id | the organisation of a model whose training can be claimed from this time on |
//! | `x` organisation | the bounds of its history, see `records` |
//! | `e` organisation 0 position | an event, see `records` |
//! | `r` organisation 0 digest | an idempotency answer, see `records` |
//! | `t` time organisation 0 digest | nothing: the time of that answer |
//! | `o` organisation | the name of its plan, if it is registered |
//! | `k` digest | an API key, see `access` |
//! | `n` window | its newest admissions, see `admissions` |
//! | `p` window time number | the admissions before those, see `admissions` |
//! | `j` number | the journal of a group that is being written |
//!
//! Models, data, events and answers may continue in further rows, see `overflow`.
//!
//! Layout 1 had `f`, `i`, `c`, `m`, `o`, `k` and `a`, and a first form of models that can still be
//! read. The number of the layout grew, because an older version would write models without events.
//! Layout 2 had all but `s` and `g`; an older version would write groups without counting them.
//! Layout 3 had admissions under `a`, with numbers that distinguished those of one millisecond; layout
//! 4 had one row for each under `w`.
//!
//! INVARIANT: a counter is the number of the organisation's models. The last id is at least every
//! id that was ever acknowledged. There is a row under `q` for every model whose training can be
//! claimed, and one under `t` for every answer. An organisation's events are exactly those within
//! the bounds of its history. The data of a model is deleted with it.

use std::ops::Range;

use custom_models_core::time::UnixMillis;
use custom_models_core::{ModelId, Organisation};

/// The key of the layout's name.
pub(crate) const FORMAT: &[u8] = b"f";

/// The key prefix of the journal.
pub(crate) const JOURNAL: &[u8] = b"j";

/// The key of the identity with which the store was created. The watermark has it too, so it never
/// changes.
pub(crate) const IDENTITY: &[u8] = b"s";

/// The key of the identity and the lineage that replaced it (PLACE-2).
pub(crate) const LINEAGE: &[u8] = b"l";

/// The key of the totals of the store.
pub(crate) const TOTALS: &[u8] = b"g";

/// The key of the last id.
pub(crate) const LAST_ID: &[u8] = b"i";

/// The key range of all counters.
pub(crate) const ALL_COUNTERS: Range<&[u8]> = b"c"..b"d";

/// The key range of all models.
pub(crate) const ALL_MODELS: Range<&[u8]> = b"m"..b"n";

/// The key of an organisation's counter.
pub(crate) fn counter_key(organisation: &Organisation) -> Vec<u8> {
    counter_key_of(organisation.as_str().as_bytes())
}

/// [`counter_key`] of a name in bytes.
pub(crate) fn counter_key_of(organisation: &[u8]) -> Vec<u8> {
    [b"c", organisation].concat()
}

/// The key of a model.
pub(crate) fn model_key(organisation: &Organisation, id: u64) -> Vec<u8> {
    key_below(b"m", organisation, &id.to_be_bytes())
}

/// The key range of an organisation's models after `after`.
pub(crate) fn model_keys(organisation: &Organisation, after: Option<ModelId>) -> Range<Vec<u8>> {
    model_key(organisation, after.map_or(0, |after| after.get() + 1))..end_of(b"m", organisation)
}

/// The key range of an organisation's models, by its name in bytes.
pub(crate) fn models_of(organisation: &[u8]) -> Range<Vec<u8>> {
    [b"m", organisation, b"\0"].concat()..[b"m", organisation, b"\x01"].concat()
}

/// The key of an organisation's row of some kind.
pub(crate) fn key_below(kind: &[u8], organisation: &Organisation, which: &[u8]) -> Vec<u8> {
    [kind, organisation.as_str().as_bytes(), b"\0", which].concat()
}

/// The end of the key range of an organisation's rows of some kind.
pub(crate) fn end_of(kind: &[u8], organisation: &Organisation) -> Vec<u8> {
    [kind, organisation.as_str().as_bytes(), b"\x01"].concat()
}

/// Splits a key, without the byte of its kind, into the organisation's name and the `N` bytes after
/// it.
pub(crate) fn parts_of<const N: usize>(key: &[u8]) -> Option<(&[u8], [u8; N])> {
    let (_, key) = key.split_first()?;
    let end = key.iter().position(|byte| *byte == 0)?;
    let (organisation, which) = key.split_at_checked(end)?;
    Some((organisation, which.strip_prefix(b"\0")?.try_into().ok()?))
}

/// The name of the organisation in the key of a model.
pub(crate) fn organisation_of(model_key: &[u8]) -> Option<&[u8]> {
    Some(parts_of::<8>(model_key)?.0)
}

/// The id at the end of a model's key.
pub(crate) fn id_of(model_key: &[u8]) -> Option<ModelId> {
    ModelId::new(u64::from_be_bytes(parts_of(model_key)?.1)).ok()
}

/// Encodes a time in a key, so that keys sort by time.
pub(crate) fn moment_to_bytes(moment: UnixMillis) -> [u8; 8] {
    // With the sign bit flipped, the bytes sort as the numbers do.
    (moment.unix_millis() ^ i64::MIN).to_be_bytes()
}

/// Decodes a time in a key.
pub(crate) fn moment_from_bytes(bytes: [u8; 8]) -> UnixMillis {
    UnixMillis::from_unix_millis(i64::from_be_bytes(bytes) ^ i64::MIN)
}

/// Decodes a value that is a number.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
