//! The purge of old events and answers.

use custom_models_core::Organisation;
use custom_models_core::store::{Purge, Purged, StoreError};
use custom_models_core::time::{Timestamp, UnixMillis};

use crate::error::damaged;
use crate::rows::access::organisation_from_bytes;
use crate::rows::overflow::{self, Edits};
use crate::rows::records::{
    ANSWER_TIMES, HISTORIES, HistoryBounds, answer_times_end, decode_answer_time, decode_event,
    event_key,
};
use crate::write::group::Group;

impl Group<'_> {
    /// Deletes old events and answers, with the changes of the group so far in view.
    pub(crate) fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        let Purge { events_before, idempotency_until, limit } = *purge;
        let mut edits = Edits::new();
        let events = match events_before {
            Some(before) => self.delete_events(&mut edits, before, limit.into())?,
            None => 0,
        };
        let answers = self.delete_answers(&mut edits, idempotency_until, limit)?;
        self.changes.set_all(self.db, edits)?;
        Ok(Purged { events, answers })
    }

    fn delete_events(
        &self,
        edits: &mut Edits,
        before: Timestamp,
        limit: u64,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (key, row) in self.changes.rows(self.db, HISTORIES)? {
            let organisation = key.strip_prefix(HISTORIES).and_then(organisation_from_bytes);
            let organisation =
                organisation.ok_or_else(|| damaged("a history without an organisation"))?;
            let HistoryBounds { first, last } = HistoryBounds::from_row(Some(&row))?;
            let mut kept = first;
            while deleted < limit
                && kept <= last
                && self.delete_event(edits, &organisation, kept, before)?
            {
                kept += 1;
                deleted += 1;
            }
            if kept > first {
                edits.push((key, Some(HistoryBounds { first: kept, last }.to_bytes())));
            }
        }
        Ok(deleted)
    }

    /// Deletes an event if it is older than `before`. Returns true if it was.
    fn delete_event(
        &self,
        edits: &mut Edits,
        organisation: &Organisation,
        position: u64,
        before: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = event_key(organisation, position);
        let missing = || damaged("an event is missing");
        let first = self.changes.row(self.db, &key)?.ok_or_else(missing)?;
        let value = self.value(&key)?.ok_or_else(missing)?;
        let is_old = decode_event(&key, &value)?.created_at < before;
        if is_old {
            overflow::remove(edits, &key, &first);
        }
        Ok(is_old)
    }

    fn delete_answers(
        &self,
        edits: &mut Edits,
        until: UnixMillis,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let times = ANSWER_TIMES.to_vec()..answer_times_end(until);
        let times = self.changes.first_keys(self.db, times, limit)?;
        let deleted = times.len() as u64;
        for time in times {
            let (_, key) =
                decode_answer_time(&time).ok_or_else(|| damaged("an answer without a time"))?;
            let first = self.changes.row(self.db, &key)?;
            let first = first.ok_or_else(|| damaged("an answer is missing"))?;
            overflow::remove(edits, &key, &first);
            edits.push((time, None));
        }
        Ok(deleted)
    }
}
