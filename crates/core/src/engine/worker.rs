//! The engine's operations for workers that train models, and its sweep (TRAIN-3 to TRAIN-5).

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::Engine;
use crate::engine::edit::Edited;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, DataPage, Edit, Expected, Fence, LeaseTime, ModelId, Progress};
use crate::request::ListData;
use crate::store::{NewIdempotencyRecord, Purge, Purged};
use crate::tenant::{Actor, Caller, Organisation, Plan};
use crate::time::{Timestamp, UnixMillis};

/// The number of trainings that a claim tries before it queries again.
const CLAIM_BATCH: u32 = 16;

/// The most rows that one write of a sweep deletes.
const PURGE_BATCH: u32 = 1000;

/// A training that a worker has claimed, as the API returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claimed {
    /// The organisation of the model.
    pub organisation: Organisation,
    /// The model.
    pub model: CustomModel,
    /// The token of the claim, which the worker sends with every report.
    pub fence: Fence,
    /// The time at which the lease ends without a heartbeat. Displayed in whole seconds, rounded down.
    #[serde(serialize_with = "in_seconds", deserialize_with = "from_seconds")]
    pub expires_at: UnixMillis,
    /// The first page of the data pairs to train and test with; [`Engine::training_data`] returns the others.
    pub data: DataPage,
}

/// A worker's lease after its report, as the API returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseHeld {
    /// The time at which the lease ends without another heartbeat. Displayed in whole seconds, rounded down.
    #[serde(serialize_with = "in_seconds", deserialize_with = "from_seconds")]
    pub expires_at: UnixMillis,
    /// The progress of the training.
    pub training_progress: Progress,
}

impl LeaseHeld {
    /// Returns the lease on a model; `None` if there is none.
    pub fn of(model: &CustomModel) -> Option<Self> {
        let run = model.training.run()?;
        let expires_at = run.lease.as_ref()?.expires_at;
        Some(LeaseHeld { expires_at, training_progress: run.progress })
    }
}

fn in_seconds<S: Serializer>(moment: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp::from(*moment).serialize(serializer)
}

fn from_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
    let shown = Timestamp::deserialize(deserializer)?;
    Ok(UnixMillis::from_unix_millis(shown.unix_seconds().saturating_mul(1000)))
}

/// The retention of records that expire.
///
/// Not `#[non_exhaustive]`: a host writes it as a literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events; `None` keeps them for ever (LOG-1).
    pub events: Option<Duration>,
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The number of trainings that failed because their last lease ran out (TRAIN-5).
    pub failed: u64,
    /// The numbers of rows that were deleted.
    pub purged: Purged,
}

impl Engine {
    /// Claims the training that has waited longest, of one organisation or of all, and returns when that is
    /// durable; `None` if none waits. Trainings whose last lease has run out are failed on the way (TRAIN-3
    /// to TRAIN-5).
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`].
    pub fn claim(
        &self,
        worker: &Actor,
        organisation: Option<&Organisation>,
        time: LeaseTime,
    ) -> Result<Option<Claimed>, Refusal> {
        let mut lost = Vec::new();
        loop {
            let waiting = self.store.claimable(organisation, self.now(), CLAIM_BATCH)?;
            // The list has not changed since the last try, so none of it can be claimed now.
            if waiting.is_empty() || waiting == lost {
                return Ok(None);
            }
            for (organisation, model) in &waiting {
                let claimed = self.claim_one(worker, organisation, model, time)?;
                if claimed.is_some() {
                    return Ok(claimed);
                }
            }
            lost = waiting;
        }
    }

    /// Claims a training, unless another worker was faster or the training has failed.
    fn claim_one(
        &self,
        worker: &Actor,
        organisation: &Organisation,
        model: &CustomModel,
        time: LeaseTime,
    ) -> Result<Option<Claimed>, Refusal> {
        if self.has_expired(organisation, model)? {
            let sweep = caller(organisation.clone(), Actor::SWEEP);
            if self.edit_of_worker(&sweep, model.id, Edit::Expire)?.is_some() {
                return Ok(None);
            }
        }
        let caller = caller(organisation.clone(), worker.clone());
        let claimed = self.edit_of_worker(&caller, model.id, Edit::Claim { time })?;
        let Some(model) = claimed else { return Ok(None) };
        let Some(lease) = model.training.run().and_then(|run| run.lease.clone()) else {
            return Ok(None);
        };
        let data = self.page_of_data(caller.organisation(), &model, &ListData::default())?;
        Ok(Some(Claimed {
            organisation: caller.organisation().clone(),
            model: *model,
            fence: lease.fence,
            expires_at: lease.expires_at,
            data,
        }))
    }

    /// Returns true if the last lease of the model, as it was read, has run out, so that the training fails
    /// (TRAIN-5).
    fn has_expired(
        &self,
        organisation: &Organisation,
        model: &CustomModel,
    ) -> Result<bool, Refusal> {
        let sweep = caller(organisation.clone(), Actor::SWEEP);
        match self.check(&sweep, model, &Edit::Expire, None, &Expected::Anything) {
            Ok(()) => Ok(true),
            Err(Refusal::LeaseLost) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Edits a model in training; returns `None` if another write came first.
    fn edit_of_worker(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
    ) -> Result<Option<Box<CustomModel>>, Refusal> {
        match self.edit(caller, id, edit, &Expected::Anything) {
            Ok(Edited::Changed { model, .. }) => Ok(Some(model)),
            Ok(Edited::Deleted) | Err(Refusal::ModelNotFound | Refusal::LeaseLost) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Fails trainings whose last lease has run out (TRAIN-5), and deletes expired idempotency records
    /// (IDEM-1) and events older than `retention` allows (LOG-1). Returns when nothing is left to do. A host
    /// calls it from time to time.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`]; changes made before the error stay.
    pub fn sweep(&self, retention: &Retention) -> Result<Swept, Refusal> {
        let now = self.now();
        let mut swept = Swept::default();
        // Trainings that may be claimed again stay in the list, so each is tried once.
        for (organisation, model) in self.store.claimable(None, now, u32::MAX)? {
            if self.has_expired(&organisation, &model)? {
                let sweep = caller(organisation, Actor::SWEEP);
                let failed = self.edit_of_worker(&sweep, model.id, Edit::Expire)?;
                swept.failed += u64::from(failed.is_some());
            }
        }
        let purge = Purge {
            events_before: retention.events.map(|kept| now.earlier(kept).into()),
            idempotency_until: now.earlier(NewIdempotencyRecord::KEPT_FOR),
            limit: PURGE_BATCH,
        };
        loop {
            let Purged { events, answers } = self.store.purge(purge)?;
            swept.purged.events += events;
            swept.purged.answers += answers;
            if events.max(answers) < u64::from(PURGE_BATCH) {
                return Ok(swept);
            }
        }
    }
}

/// Returns a caller for a worker, which acts for the organisation of the model. Its plan does not matter.
fn caller(organisation: Organisation, actor: Actor) -> Caller {
    Caller::new(organisation, Plan::enterprise()).acting_as(actor)
}
