//! Judges writes over tables.

use crate::memory::draft::Draft;
use crate::memory::reads::size;
use crate::memory::row_change::RowChange;
use crate::memory::tables::{Rows, Tables};
use crate::model::Event;
use crate::store::{
    ArchiveChange, Job, JobOutcome, Purge, Purged, Record, StoreError, apply, apply_access,
};

impl Tables {
    /// Judges a write of any kind, and makes it unless it is refused. A write that fails has changed nothing.
    ///
    /// # Errors
    ///
    /// [`IdsExhausted`](crate::store::StoreErrorKind::IdsExhausted), or
    /// [`Damaged`](crate::store::StoreErrorKind::Damaged) if the rows contradict each other.
    pub fn judge(&mut self, job: &Job) -> Result<JobOutcome, StoreError> {
        Ok(match job {
            Job::Model(write) => JobOutcome::Model(apply(&mut Draft(self), write)?),
            Job::Access(change) => JobOutcome::Access(apply_access(&mut Draft(self), change)?),
            Job::Purge(purge) => JobOutcome::Purged(self.purge(purge)),
            Job::Archive(change) => JobOutcome::Archived(self.archive(change)),
        })
    }

    /// Judges and makes a write as [`Tables::judge`] does, and keeps no changes.
    pub(super) fn judge_unlogged(&mut self, job: &Job) -> Result<JobOutcome, StoreError> {
        self.is_unlogged = true;
        let outcome = self.judge(job);
        self.is_unlogged = false;
        outcome
    }

    fn purge(&mut self, Purge { events_before, idempotency_until, limit }: &Purge) -> Purged {
        let mut events = 0;
        let mut changes = Vec::new();
        for (organisation, rows) in &self.organisations {
            let is_old =
                |event: &&Event| events_before.is_some_and(|before| event.created_at < before);
            let left = size(u64::from(*limit) - events);
            let old = rows.events.values().take_while(is_old).take(left);
            if let Some(last) = old.clone().last() {
                events += old.count() as u64;
                let (organisation, first) = (organisation.clone(), last.position.saturating_add(1));
                changes.push(RowChange::RemoveEvents { organisation, first });
            }
        }
        let answers = self.organisations.values().flat_map(|rows| rows.answers.values());
        let old = answers.filter(|kept| kept.at <= *idempotency_until).count() as u64;
        let answers = old.min((*limit).into());
        if answers > 0 {
            changes.push(RowChange::RemoveAnswers { until: *idempotency_until, limit: *limit });
        }
        changes.into_iter().for_each(|change| self.change(change));
        Purged { events, answers }
    }

    fn archive(&mut self, change: &ArchiveChange) -> u64 {
        match change {
            ArchiveChange::Begin(_) if !self.is_empty() => 0,
            ArchiveChange::Import(records) | ArchiveChange::Begin(records) => {
                records.iter().for_each(|record| self.change(RowChange::Put(record.clone())));
                records.len() as u64
            }
            // All at once, in one change: that takes less time than it takes to count.
            ArchiveChange::Erase { organisation, limit: _ } => {
                let rows = self.organisations.get(organisation).map_or(0, Rows::count);
                let keys = self.keys.values().filter(|key| key.organisation == *organisation);
                let erased = rows + keys.count() as u64;
                if erased > 0 {
                    self.change(RowChange::Erase(organisation.clone()));
                }
                erased
            }
            ArchiveChange::ReplaceIdentity { expected, new: (identity, lineage) } => {
                let summary = self.summary();
                let is_expected = *expected == (summary.identity, summary.lineage);
                if is_expected {
                    let (identity, lineage) = (*identity.as_bytes(), Some(lineage.get()));
                    self.change(RowChange::Identify { identity, lineage });
                }
                is_expected.into()
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.export().all(|record| record == Record::Start { last_id: 0 })
    }
}

impl Rows {
    fn count(&self) -> u64 {
        let rows = self.models.len() + self.data.len() + self.events.len() + self.answers.len();
        rows as u64 + u64::from(self.plan.is_some()) + u64::from(self.counts.is_some())
    }
}

#[cfg(test)]
mod tests;
