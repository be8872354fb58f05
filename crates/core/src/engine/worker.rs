//! The engine's operations for workers that train models, and its sweep (TRAIN-3 to TRAIN-5).

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::Engine;
use crate::engine::edit::Edited;
use crate::engine::refusal::Refusal;
use crate::model::{CustomModel, DataPage, Edit, Expected, Fence, LeaseTime, ModelId, Progress};
use crate::request::ListData;
use crate::store::{Form, NewIdempotencyRecord, Purge, Purged, blocking};
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
    /// ```
    /// use custom_models_core::model::LeaseTime;
    /// use custom_models_core::tenant::Actor;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let worker: Actor = "trainer-1".parse()?;
    /// assert_eq!(engine.claim(&worker, None, LeaseTime::default())?, None, "no training waits");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        blocking(self.claim_as(Form::Blocking, worker, organisation, time))
    }

    /// Claims a training, as [`Engine::claim`] does, without blocking a thread.
    ///
    /// It begins when the future is polled first. A claim that is made but not returned, because the future is dropped,
    /// ends with its lease.
    #[must_use = "nothing is claimed before it is polled; dropping it does not take a claim back"]
    pub fn claim_async(
        &self,
        worker: &Actor,
        organisation: Option<&Organisation>,
        time: LeaseTime,
    ) -> impl Future<Output = Result<Option<Claimed>, Refusal>> + Send + use<> {
        let (engine, worker, organisation) = (self.clone(), worker.clone(), organisation.cloned());
        async move { engine.claim_as(Form::Async, &worker, organisation.as_ref(), time).await }
    }

    async fn claim_as(
        &self,
        form: Form,
        worker: &Actor,
        organisation: Option<&Organisation>,
        time: LeaseTime,
    ) -> Result<Option<Claimed>, Refusal> {
        let mut lost = Vec::new();
        loop {
            let of = organisation.cloned();
            let claimable = move |engine: &Engine| {
                Ok(engine.store.claimable(of.as_ref(), engine.now(), CLAIM_BATCH)?)
            };
            let waiting = self.read_as(form, claimable).await?;
            // The list has not changed since the last try, so none of it can be claimed now.
            if waiting.is_empty() || waiting == lost {
                return Ok(None);
            }
            for (organisation, model) in &waiting {
                let claimed = self.claim_one(form, worker, organisation, model, time).await?;
                if claimed.is_some() {
                    return Ok(claimed);
                }
            }
            lost = waiting;
        }
    }

    /// Claims a training, unless another worker was faster or the training has failed.
    async fn claim_one(
        &self,
        form: Form,
        worker: &Actor,
        organisation: &Organisation,
        model: &CustomModel,
        time: LeaseTime,
    ) -> Result<Option<Claimed>, Refusal> {
        if self.has_expired(organisation, model)? {
            let sweep = caller(organisation.clone(), Actor::SWEEP);
            if self.edit_of_worker(form, &sweep, model.id, Edit::Expire).await?.is_some() {
                return Ok(None);
            }
        }
        let caller = caller(organisation.clone(), worker.clone());
        let claimed = self.edit_of_worker(form, &caller, model.id, Edit::Claim { time }).await?;
        let Some(model) = claimed else { return Ok(None) };
        let Some(lease) = model.training.run().and_then(|run| run.lease.clone()) else {
            return Ok(None);
        };
        let organisation = organisation.clone();
        let with_first_page = move |engine: &Engine| {
            let data = engine.page_of_data(&organisation, &model, &ListData::default())?;
            let (fence, expires_at) = (lease.fence, lease.expires_at);
            Ok(Some(Claimed { organisation, model: *model, fence, expires_at, data }))
        };
        self.read_as(form, with_first_page).await
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
    async fn edit_of_worker(
        &self,
        form: Form,
        caller: &Caller,
        id: ModelId,
        edit: Edit,
    ) -> Result<Option<Box<CustomModel>>, Refusal> {
        let editing = self.editing(caller, id, edit, &Expected::Anything);
        match self.write_as(form, editing).await {
            Ok(Edited::Changed { model, .. }) => Ok(Some(model)),
            Ok(Edited::Deleted) | Err(Refusal::ModelNotFound | Refusal::LeaseLost) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Fails trainings whose last lease has run out (TRAIN-5), and deletes expired idempotency records
    /// (IDEM-1) and events older than `retention` allows (LOG-1). Returns when nothing is left to do. A host
    /// calls it from time to time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use custom_models_core::engine::Retention;
    /// # use std::sync::Arc;
    /// # use std::time::SystemTime;
    /// # use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};
    /// # let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    /// # let caller = Caller::new("acme".parse()?, Plan::gold());
    /// let a_year = Retention { events: Some(Duration::from_secs(365 * 24 * 3600)) };
    /// assert_eq!(engine.sweep(&a_year)?.failed, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refusal::Store`]; changes made before the error stay.
    pub fn sweep(&self, retention: &Retention) -> Result<Swept, Refusal> {
        blocking(self.sweep_as(Form::Blocking, *retention))
    }

    /// Sweeps, as [`Engine::sweep`] does, without blocking a thread.
    ///
    /// It begins when the future is polled first, and ends with the write that is under way when it is dropped.
    /// Deletions take a thread of the engine's pool until they are durable.
    #[must_use = "nothing is swept before it is polled; dropping it does not take changes back"]
    pub fn sweep_async(
        &self,
        retention: &Retention,
    ) -> impl Future<Output = Result<Swept, Refusal>> + Send + use<> {
        let (engine, retention) = (self.clone(), *retention);
        async move { engine.sweep_as(Form::Async, retention).await }
    }

    async fn sweep_as(&self, form: Form, retention: Retention) -> Result<Swept, Refusal> {
        let now = self.now();
        let mut swept = Swept::default();
        // Trainings that may be claimed again stay in the list, so each is tried once.
        let claimable = move |engine: &Engine| Ok(engine.store.claimable(None, now, u32::MAX)?);
        for (organisation, model) in self.read_as(form, claimable).await? {
            if self.has_expired(&organisation, &model)? {
                let sweep = caller(organisation, Actor::SWEEP);
                let failed = self.edit_of_worker(form, &sweep, model.id, Edit::Expire).await?;
                swept.failed += u64::from(failed.is_some());
            }
        }
        let purge = Purge {
            events_before: retention.events.map(|kept| now.earlier(kept).into()),
            idempotency_until: now.earlier(NewIdempotencyRecord::KEPT_FOR),
            limit: PURGE_BATCH,
        };
        loop {
            let purged = move |engine: &Engine| Ok(engine.store.purge(purge)?);
            let Purged { events, answers } = self.read_as(form, purged).await?;
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
