//! The engine's operations for workers that train models, and its sweep (TRAIN-3 to TRAIN-5).

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::engine::Engine;
use crate::engine::edit::Edited;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, DataPair, Edit, Expected, Fence, LeaseTime, ModelId, Progress};
use crate::store::{NewIdempotencyRecord, Purge, Purged};
use crate::tenant::{Actor, Caller, Organisation, Plan};
use crate::time::{Timestamp, UnixMillis};

/// The number of trainings that a claim looks at before it asks again.
const LOOKED_AT: u32 = 16;

/// The most rows that one write of a sweep deletes.
const FORGOTTEN_AT_ONCE: u32 = 1000;

/// A training that a worker has claimed, in the form of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claimed {
    /// The organisation that the model belongs to.
    pub organisation: Organisation,
    /// The model.
    pub model: CustomModel,
    /// The token of the claim, which the worker sends with every report.
    pub fence: Fence,
    /// The time until which the claim holds without a word of the worker. Shown in whole seconds, so that it
    /// never seems to hold longer than it does.
    #[serde(serialize_with = "in_seconds")]
    pub expires_at: UnixMillis,
    /// The pairs that the model is trained and tested with.
    pub data: Vec<DataPair>,
}

/// A worker's claim after its report, in the form of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseHeld {
    /// The time until which the claim holds without another word. Shown in whole seconds.
    #[serde(serialize_with = "in_seconds")]
    pub expires_at: UnixMillis,
    /// The progress of the training.
    pub training_progress: Progress,
}

impl LeaseHeld {
    /// The claim on a model; `None` if there is none.
    pub fn of(model: &CustomModel) -> Option<Self> {
        let run = model.training.run()?;
        let expires_at = run.lease.as_ref()?.expires_at;
        Some(LeaseHeld { expires_at, training_progress: run.progress })
    }
}

fn in_seconds<S: Serializer>(moment: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp::from(*moment).serialize(serializer)
}

/// The times for which records are kept that are not kept for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events; `None` keeps them for ever (LOG-1).
    pub events: Option<Duration>,
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of trainings that failed because every worker fell silent (TRAIN-5).
    pub failed: u64,
    /// The numbers of rows that were deleted.
    pub purged: Purged,
}

impl Engine {
    /// Claims the training that has waited longest, of one organisation or of all, and returns when
    /// that is durable; `None` if none waits. Trainings whose last lease has run out fail on the way
    /// (TRAIN-3 to TRAIN-5).
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
            let waiting = self.store.claimable(organisation, self.now(), LOOKED_AT)?;
            // Where nobody else claimed one either, they cannot be claimed now.
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

    /// Claims a training, if no other worker was faster and it has not failed.
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
        let data = self.store.data(caller.organisation(), model.id, 0, u32::MAX)?;
        Ok(Some(Claimed {
            organisation: caller.organisation().clone(),
            model: *model,
            fence: lease.fence,
            expires_at: lease.expires_at,
            data,
        }))
    }

    /// Returns true if the last lease of the training has run out by the model as it was read, so that it
    /// fails (TRAIN-5).
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

    /// Makes an edit of a model in training; `None` if others were faster.
    fn edit_of_worker(
        &self,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
    ) -> Result<Option<Box<CustomModel>>, Refusal> {
        match self.edit(caller, id, edit, &Expected::Anything) {
            Ok(Edited::Changed { model, .. }) => Ok(Some(model)),
            Ok(Edited::Deleted | Edited::Replayed(_))
            | Err(Refusal::ModelNotFound | Refusal::LeaseLost) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Sweeps; a host calls this from time to time. Trainings whose workers all fell silent fail (TRAIN-5).
    /// Kept answers that no repeat gets any more are deleted (IDEM-1), and so are events that are older than
    /// `retention` allows (LOG-1). Returns when there is no more to do.
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`]; what was done until then is done.
    pub fn sweep(&self, retention: &Retention) -> Result<Swept, Refusal> {
        let now = self.now();
        let mut swept = Swept::default();
        // Those that may be claimed again stay in the list, so each is looked at once.
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
            limit: FORGOTTEN_AT_ONCE,
        };
        loop {
            let Purged { events, answers } = self.store.purge(purge)?;
            swept.purged.events += events;
            swept.purged.answers += answers;
            if events.max(answers) < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(swept);
            }
        }
    }
}

/// Workers act for the organisation whose model they train; plans do not matter to them.
fn caller(organisation: Organisation, actor: Actor) -> Caller {
    Caller::new(organisation, Plan::enterprise()).acting_as(actor)
}
