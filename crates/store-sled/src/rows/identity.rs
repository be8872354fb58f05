//! The identity and the lineage of the store (PLACE-2).

use custom_models_core::store::{Lineage, StoreError, StoreIdentity};

use crate::error::damaged;
use crate::rows::keys::number;

/// Decodes the identity of the store.
pub(crate) fn identity_from_row(row: Option<&[u8]>) -> Result<StoreIdentity, StoreError> {
    let bytes = row.and_then(|row| row.try_into().ok());
    let bytes = bytes.ok_or_else(|| damaged("the identity of the store is missing or invalid"))?;
    Ok(StoreIdentity::from_bytes(bytes))
}

/// Encodes an identity and a lineage.
pub(crate) fn lineage_to_bytes(identity: StoreIdentity, lineage: Lineage) -> Vec<u8> {
    [&identity.as_bytes()[..], &lineage.get().to_be_bytes()].concat()
}

/// Decodes the identity and the lineage of the store from its two rows.
pub(crate) fn lineage_from_rows(
    identity: Option<&[u8]>,
    lineage: Option<&[u8]>,
) -> Result<(StoreIdentity, Option<Lineage>), StoreError> {
    let Some(row) = lineage else { return Ok((identity_from_row(identity)?, None)) };
    let parts = row.split_first_chunk().and_then(|(identity, rest)| {
        Some((StoreIdentity::from_bytes(*identity), Some(Lineage::new(number(rest)?))))
    });
    parts.ok_or_else(|| damaged("the lineage of the store is invalid"))
}
