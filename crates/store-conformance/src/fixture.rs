//! An engine over a store, with a clock that the case sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use custom_models_core::engine::{Claimed, Edited};
use custom_models_core::model::{
    DataType, Edit, Expected, Fence, Figure, LeaseTime, MetricName, NewPair, Progress,
    TrainingMetrics,
};
use custom_models_core::{
    Caller, CreateModel, CustomModel, Engine, ModelId, Organisation, Plan, Refusal,
};

use crate::client::Client;
use crate::life::{actor, at, file};
use crate::sample::{model, unfit};
use crate::threads::wait_for;
use crate::verdict::{Checked, Stop};

/// The length of a lease, in milliseconds.
pub(crate) const LEASE: i64 = 60_000;

/// An engine for one organisation. Its clock changes only when it is set.
pub(crate) struct Fixture {
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    clock: Arc<AtomicI64>,
}

impl Fixture {
    /// Creates an engine over an open store; its clock shows the beginning.
    pub(crate) fn new(store: &Client, organisation: &Organisation) -> Fixture {
        let clock = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&clock);
        let now = move || {
            let millis = at(shown.load(Ordering::SeqCst)).unix_millis();
            UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
        };
        Fixture {
            engine: Engine::new(store.handle(), now),
            caller: Caller::new(organisation.clone(), Plan::enterprise()),
            clock,
        }
    }

    /// Sets the clock to this many milliseconds after the beginning.
    pub(crate) fn set_clock(&self, millis: i64) {
        self.clock.store(millis, Ordering::SeqCst);
    }

    /// Creates a model that looks like the one with this number.
    #[track_caller]
    pub(crate) fn create(&self, number: u64) -> Checked<CustomModel> {
        let new = model(number)?;
        let request = CreateModel {
            name: new.name,
            language: new.language,
            base_model: new.base_model,
            description: new.description,
        };
        Ok(self.engine.create(&self.caller, request)?)
    }

    /// Creates a model with enough data for a training.
    #[track_caller]
    pub(crate) fn ready(&self, number: u64) -> Checked<CustomModel> {
        let id = self.create(number)?.id;
        self.edit(id, Edit::AddData(five_hours(DataType::Train)))
    }

    /// Creates a model whose training waits for a worker.
    #[track_caller]
    pub(crate) fn running(&self, number: u64) -> Checked<CustomModel> {
        let id = self.ready(number)?.id;
        self.edit(id, Edit::Run)
    }

    /// Creates a model whose training a worker has claimed. No other training may wait.
    #[track_caller]
    pub(crate) fn claimed(&self, number: u64) -> Checked<Claimed> {
        let id = self.running(number)?.id;
        match self.claim("worker")? {
            Some(claimed) if claimed.model.id == id => Ok(claimed),
            other => Err(Stop::failed(format!("for model {id}, a claim found {other:?}"))),
        }
    }

    /// Claims a training of the organisation for a worker, if one waits.
    #[track_caller]
    pub(crate) fn claim(&self, worker: &str) -> Checked<Option<Claimed>> {
        let of = self.caller.organisation();
        Ok(self.engine.claim(&actor(worker)?, Some(of), lease_time()?)?)
    }

    /// Submits claims of a training by several workers before any of them is answered, and returns the number
    /// of successful ones.
    pub(crate) fn claim_at_once(&self, model: &CustomModel, workers: u64) -> Checked<usize> {
        let edit = Edit::Claim { time: lease_time()? };
        let mut claims = Vec::new();
        for worker in 0..workers {
            let caller = self.caller.clone().acting_as(actor(&format!("worker-{worker}"))?);
            let anything = &Expected::Anything;
            claims.push(self.engine.edit_async(&caller, model.id, edit.clone(), anything));
        }
        let mut made = 0;
        for claim in claims {
            match wait_for(claim) {
                Ok(_) => made += 1,
                Err(Refusal::LeaseLost) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(made)
    }

    /// Makes an edit that must succeed, and returns the model.
    #[track_caller]
    pub(crate) fn edit(&self, id: ModelId, edit: Edit) -> Checked<CustomModel> {
        match self.try_edit(id, &edit)? {
            Edited::Changed { model, .. } => Ok(*model),
            other => Err(Stop::failed(format!("{edit:?} was answered by {other:?}"))),
        }
    }

    pub(crate) fn try_edit(&self, id: ModelId, edit: &Edit) -> Result<Edited, Refusal> {
        self.engine.edit(&self.caller, id, edit.clone(), &Expected::Anything)
    }
}

pub(crate) fn lease_time() -> Checked<LeaseTime> {
    LeaseTime::new(Duration::from_millis(LEASE.unsigned_abs())).map_err(unfit)
}

pub(crate) fn five_hours(data_type: DataType) -> NewPair {
    NewPair {
        data_type,
        audio: file("five hours.wav", 5 << 30),
        audio_millis: 5 * 60 * 60 * 1000,
        transcript: file("five hours.txt", 1 << 20),
    }
}

pub(crate) fn beat(fence: Fence, percent: u8) -> Checked<Edit> {
    let progress = Progress::new(percent).map_err(unfit)?;
    Ok(Edit::Heartbeat { fence, progress, time: lease_time()? })
}

pub(crate) fn succeed(fence: Fence) -> Checked<Edit> {
    Ok(Edit::Succeed { fence, metrics: metrics()? })
}

pub(crate) fn fail(fence: Fence, error: &str) -> Edit {
    Edit::Fail { fence, error: error.to_owned() }
}

/// Returns metrics whose values lose digits when numbers are truncated; one metric is missing.
pub(crate) fn metrics() -> Checked<TrainingMetrics> {
    let mut metrics = TrainingMetrics::default();
    for (name, number) in [
        (MetricName::WORD_ERROR_RATE, 0.1 + 0.2),
        (MetricName::CHARACTER_ERROR_RATE, f64::MIN_POSITIVE),
        (MetricName::ACCURACY_IMPROVEMENT, -1.5e300),
        (MetricName::TEST_WORD_ERROR_RATE, 0.0),
    ] {
        metrics.insert(name, Figure::new(number).map_err(unfit)?).map_err(unfit)?;
    }
    Ok(metrics)
}

/// Returns the most metrics allowed, with the longest names, and with values that lose digits when numbers
/// are truncated.
pub(crate) fn most_metrics() -> Checked<TrainingMetrics> {
    let mut metrics = metrics()?;
    let figures = [5e-324, -f64::MAX, -0.0, 1.0 / 3.0, 9_007_199_254_740_993.0];
    let names = ["_".to_owned(), "0".to_owned(), "zeta".to_owned()];
    let longest = (10..).map(|number| "long".repeat(15) + "_z" + &number.to_string());
    for (name, number) in names.into_iter().chain(longest).zip(figures.into_iter().cycle()) {
        if metrics.len() == TrainingMetrics::MAX {
            break;
        }
        let name = MetricName::new(&name).map_err(unfit)?;
        metrics.insert(name, Figure::new(number).map_err(unfit)?).map_err(unfit)?;
    }
    Ok(metrics)
}
