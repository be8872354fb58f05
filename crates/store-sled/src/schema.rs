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

use custom_models_core::{Lineage, ModelId, Moment, Organisation, StoreError, StoreIdentity};

use crate::fault::damaged;

/// The name of the layout, in the folder's marker and under [`FORMAT`]. Its number grows with every
/// layout that an earlier version of this crate cannot read or must not write.
pub(crate) const LAYOUT: &str = "custom-models in sled, layout 4\n";

/// The name of layout 3, which had other rows of admissions.
pub(crate) const THIRD_LAYOUT: &str = "custom-models in sled, layout 3\n";

/// The name of layout 2, which had no identity and no counts.
pub(crate) const SECOND_LAYOUT: &str = "custom-models in sled, layout 2\n";

/// The name of the layout of the first release.
pub(crate) const FIRST_LAYOUT: &str = "custom-models in sled, layout 1\n";

/// The beginning of the name of every layout.
const LAYOUT_NAME: &str = "custom-models in sled, layout ";

/// The number of [`LAYOUT`].
const LAYOUT_NUMBER: u32 = 4;

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

/// The layout that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// This version's.
    Ours,
    /// The one before, which becomes this version's at opening.
    Third,
    /// The one before that, which becomes this version's at opening.
    Second,
    /// The one of the first release, which becomes this version's at opening.
    First,
    /// A later version's.
    Newer,
    /// Nobody's that this crate knows.
    Unknown,
}

impl Layout {
    pub(crate) fn of(name: &[u8]) -> Self {
        let number = str::from_utf8(name)
            .ok()
            .and_then(|name| name.strip_prefix(LAYOUT_NAME)?.strip_suffix('\n'))
            .and_then(|number| number.parse::<u32>().ok());
        match number {
            Some(LAYOUT_NUMBER) => Layout::Ours,
            Some(3) => Layout::Third,
            Some(2) => Layout::Second,
            Some(1) => Layout::First,
            Some(number) if number > LAYOUT_NUMBER => Layout::Newer,
            _ => Layout::Unknown,
        }
    }
}

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
pub(crate) fn moment_to_bytes(moment: Moment) -> [u8; 8] {
    // With its sign turned over, a number sorts as its bytes do.
    (moment.unix_millis() ^ i64::MIN).to_be_bytes()
}

/// The moment that stands in a key.
pub(crate) fn moment_from_bytes(bytes: [u8; 8]) -> Moment {
    Moment::from_unix_millis(i64::from_be_bytes(bytes) ^ i64::MIN)
}

/// The counts of an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    /// The number of its models.
    pub(crate) models: u64,
    /// The number of writes that changed any of its models, or their data. Two reads that find the same
    /// number found the same models.
    pub(crate) changes: u64,
}

impl Counter {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.models.to_be_bytes(), self.changes.to_be_bytes()].concat()
    }

    /// The counter as it is stored; an organisation without a row has no models.
    pub(crate) fn from_row(row: Option<&[u8]>) -> Result<Self, StoreError> {
        let counter = row.map_or(Some(Counter::default()), Counter::from_bytes);
        counter.ok_or_else(|| damaged("a counter that is none"))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (models, changes) = bytes.split_first_chunk()?;
        Some(Counter { models: u64::from_be_bytes(*models), changes: number(changes)? })
    }
}

/// The identity of the store, as it is stored.
pub(crate) fn identity_from_row(row: Option<&[u8]>) -> Result<StoreIdentity, StoreError> {
    let bytes = row.and_then(|row| row.try_into().ok());
    let bytes =
        bytes.ok_or_else(|| damaged("the identity of the store is missing or no identity"))?;
    Ok(StoreIdentity::from_bytes(bytes))
}

/// An identity and a lineage, as they are stored.
pub(crate) fn lineage_to_bytes(identity: StoreIdentity, lineage: Lineage) -> Vec<u8> {
    [&identity.as_bytes()[..], &lineage.get().to_be_bytes()].concat()
}

/// The identity and the lineage of the store, by the rows under [`IDENTITY`] and [`LINEAGE`].
pub(crate) fn lineage_from_rows(
    identity: Option<&[u8]>,
    lineage: Option<&[u8]>,
) -> Result<(StoreIdentity, Option<Lineage>), StoreError> {
    let Some(row) = lineage else { return Ok((identity_from_row(identity)?, None)) };
    let parts = row.split_first_chunk().and_then(|(identity, rest)| {
        Some((StoreIdentity::from_bytes(*identity), Some(Lineage::new(number(rest)?))))
    });
    parts.ok_or_else(|| damaged("the lineage of the store is none"))
}

/// A number that is a whole value.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_ours_newer_or_unknown() {
        assert_eq!(Layout::of(LAYOUT.as_bytes()), Layout::Ours);
        for (name, layout) in [
            ("custom-models in sled, layout 1\n", Layout::First),
            ("custom-models in sled, layout 3\n", Layout::Third),
            ("custom-models in sled, layout 2\n", Layout::Second),
            ("custom-models in sled, layout 5\n", Layout::Newer),
            ("custom-models in sled, layout 4294967295\n", Layout::Newer),
            ("custom-models in sled, layout 0\n", Layout::Unknown),
            ("custom-models in sled, layout 2", Layout::Unknown),
            ("custom-models in sled, layout \n", Layout::Unknown),
            ("", Layout::Unknown),
            ("something else", Layout::Unknown),
        ] {
            assert_eq!(Layout::of(name.as_bytes()), layout, "{name:?}");
        }
        assert_eq!(Layout::of(b"\xFF"), Layout::Unknown);
    }

    #[test]
    fn the_models_of_organisations_never_mix() {
        let names = ["a", "a-", "a0", "aA", "a_", "aa", "ab", "b"];
        for name in names {
            let organisation: Organisation = name.parse().unwrap();
            let keys = model_keys(&organisation, None);
            for other in names {
                for id in [1, 255, 256, ModelId::MAX] {
                    let key = model_key(&other.parse().unwrap(), id);
                    assert_eq!(keys.contains(&key), name == other, "{name} {other} {id}");
                }
            }
        }
    }

    #[test]
    fn keys_sort_as_ids_do_and_begin_behind_the_cursor() {
        let acme: Organisation = "acme".parse().unwrap();
        let after = model_keys(&acme, Some(ModelId::new(255).unwrap()));
        assert!(!after.contains(&model_key(&acme, 255)));
        assert!(after.contains(&model_key(&acme, 256)));
        assert!(model_keys(&acme, Some(ModelId::new(ModelId::MAX).unwrap())).start < after.end);
        assert_eq!(id_of(&model_key(&acme, 256)).map(ModelId::get), Some(256));
        assert_eq!(id_of(b"short"), None);
        // The second row of a model's, which is none.
        assert_eq!(id_of(&[&model_key(&acme, 256)[..], &[1]].concat()), None);
        assert_eq!(organisation_of(&model_key(&acme, 256)), Some(&b"acme"[..]));
        assert_eq!(organisation_of(b"macme\x01\0\0\0\0\0\0\0\x01"), None);
    }

    #[test]
    fn a_counter_survives_its_bytes() {
        let counter = Counter { models: 5, changes: u64::MAX };
        assert_eq!(Counter::from_bytes(&counter.to_bytes()), Some(counter));
        assert_eq!(Counter::from_bytes(&[0; 15]), None);
        assert_eq!(Counter::from_bytes(&[0; 17]), None);
    }
}
