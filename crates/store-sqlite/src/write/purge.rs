//! The purge of old events and answers.

use custom_models_core::store::{Purge, Purged};
use rusqlite::Connection;

use crate::rows::{events, idempotency};

/// Deletes old events and answers within a transaction.
pub(crate) fn apply(connection: &Connection, purge: &Purge) -> rusqlite::Result<Purged> {
    let Purge { events_before, idempotency_until, limit } = *purge;
    let mut purged = Purged::default();
    let old = match events_before {
        Some(before) => events::expired(connection, before, limit)?,
        None => Vec::new(),
    };
    for (organisation, until) in old {
        purged.events += events::delete_until(connection, &organisation, until)?;
    }
    purged.answers = idempotency::delete_expired(connection, idempotency_until, limit)?;
    Ok(purged)
}
