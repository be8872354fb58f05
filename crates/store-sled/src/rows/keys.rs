//! The layout of the database: what lies under which key.
//!
//! Everything is in one tree, so that a group of writes is one batch, which sled recovers whole or
//! not at all. The first byte of a key is the kind of its row. Numbers are big-endian, so that keys
//! sort as numbers do. Models lie clustered by organisation and id; a zero byte, which no name of an
//! organisation has, ends the name, so that `a` and `ab` never mix.
//!
//! | key | value |
//! | --- | --- |
//! | `f` | the layout, as text: [`LAYOUT`] |
//! | `s` | the identity that the store was made with: 16 random bytes |
//! | `l` | the identity and the lineage that the store got since, if it got any: 16 and 8 bytes |
//! | `g` | the counts of the store, see `totals`: 24 bytes |
//! | `i` | the last id that was given away: 8 bytes |
//! | `c` organisation | [`Counter`]: 16 bytes |
//! | `m` organisation 0 id | a model, see `rows` |
//! | `d` organisation 0 id data's number | a pair of the model's data, see `life_rows` |
//! | `q` moment id | the organisation of a model whose training can be claimed from then on |
//! | `x` organisation | the ends of its history, see `life_rows` |
//! | `e` organisation 0 position | an event, see `life_rows` |
//! | `r` organisation 0 digest | an answer that is kept, see `life_rows` |
//! | `t` moment organisation 0 digest | nothing: when that answer was given |
//! | `o` organisation | the name of its plan, if it is registered |
//! | `k` digest | a key, see `access_rows` |
//! | `w` window moment number | nothing: an admission, see `admission_rows` |
//! | `j` number | a group that is being written, see `journal` |
//!
//! Models, data, events and answers may go on in the rows behind, see `long`.
//!
//! Layout 1 had `f`, `i`, `c`, `m`, `o`, `k` and `a`, with a first form of models that is still read. A
//! version that knows no other would write models without their events, so the layout's number grew.
//! Layout 2 had all but `s` and `g`; a version that does not know `g` would write groups that it does not
//! count. Layout 3 had admissions under `a`, with numbers that told those of one millisecond apart.
//!
//! INVARIANT: a counter is the number of the organisation's models, and the last id is at least
//! every id that was ever acknowledged. There is a row under `q` for every model whose training can be
//! claimed, and one under `t` for every answer. The events are those from the first to the last of the
//! history's ends, and the data of a model lie there as long as it does.

use std::ops::Range;

use custom_models_core::time::UnixMillis;
use custom_models_core::{ModelId, Organisation};

/// The key of the layout's name.
pub(crate) const FORMAT: &[u8] = b"f";

/// The key prefix of the journal, which holds a group while it is written.
pub(crate) const JOURNAL: &[u8] = b"j";

/// The key of the identity that the store was made with. The watermark has it too, so it never changes.
pub(crate) const IDENTITY: &[u8] = b"s";

/// The key of the identity and the lineage that the store got since (PLACE-2).
pub(crate) const LINEAGE: &[u8] = b"l";

/// The key of the counts of the store.
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

/// As [`counter_key`], of the name as it stands in a key.
pub(crate) fn counter_key_of(organisation: &[u8]) -> Vec<u8> {
    [b"c", organisation].concat()
}

/// The key of a model.
pub(crate) fn model_key(organisation: &Organisation, id: u64) -> Vec<u8> {
    key_below(b"m", organisation, &id.to_be_bytes())
}

/// The key range of an organisation's models behind `after`.
pub(crate) fn model_keys(organisation: &Organisation, after: Option<ModelId>) -> Range<Vec<u8>> {
    model_key(organisation, after.map_or(0, |after| after.get() + 1))..end_of(b"m", organisation)
}

/// The key range of the models of an organisation, whose name is given as it stands in a key.
pub(crate) fn models_of(organisation: &[u8]) -> Range<Vec<u8>> {
    [b"m", organisation, b"\0"].concat()..[b"m", organisation, b"\x01"].concat()
}

/// The key of a row of some kind that belongs to an organisation.
pub(crate) fn key_below(kind: &[u8], organisation: &Organisation, which: &[u8]) -> Vec<u8> {
    [kind, organisation.as_str().as_bytes(), b"\0", which].concat()
}

/// The end of the key range of a kind's rows that belong to an organisation.
pub(crate) fn end_of(kind: &[u8], organisation: &Organisation) -> Vec<u8> {
    [kind, organisation.as_str().as_bytes(), b"\x01"].concat()
}

/// Takes a key apart: its kind, one byte, is left out, the organisation's name, and what is behind.
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

/// A moment in a key, so that keys sort as moments do.
pub(crate) fn moment_to_bytes(moment: UnixMillis) -> [u8; 8] {
    // With its sign turned over, a number sorts as its bytes do.
    (moment.unix_millis() ^ i64::MIN).to_be_bytes()
}

/// The moment that stands in a key.
pub(crate) fn moment_from_bytes(bytes: [u8; 8]) -> UnixMillis {
    UnixMillis::from_unix_millis(i64::from_be_bytes(bytes) ^ i64::MIN)
}

/// A number that is a whole value.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
