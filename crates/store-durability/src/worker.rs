//! One thread of the load.

use std::sync::Arc;

use custom_models_core::model::{
    DataPair, Edit, LeaseTime, Progress, TrainingMetrics, TrainingStatus,
};
use custom_models_core::request::{PerPage, Start};
use custom_models_core::store::{Store, StoreError};
use custom_models_core::{Caller, CustomModel, ListModels, ModelId, Organisation, Refusal};
use custom_models_training_data::ContentStore;

use crate::sample::renamed;
use crate::{BoxError, Line, Output, PATIENCE, Task, Token, Workload, callers, explain};

/// The number of claims after which a training fails.
const ATTEMPTS: u8 = 3;

/// The result of a step: done, refused, or an error that ends the load.
type Step = Result<Result<(), Refusal>, BoxError>;

/// The next change to a model.
enum Wish {
    Edit(Edit),
    /// Removal of a data pair.
    Remove(Box<DataPair>),
    /// Upload of another data pair.
    Upload,
}

pub(crate) struct Worker<'a> {
    task: &'a Task,
    thread: u32,
    workload: Workload,
    contents: Arc<dyn ContentStore>,
    callers: Vec<Caller>,
    random: fastrand::Rng,
    /// The number of tokens used so far.
    tokens: u32,
    last_id: u64,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        task: &'a Task,
        thread: u32,
        store: &Arc<dyn Store>,
        contents: &Arc<dyn ContentStore>,
    ) -> Result<Self, BoxError> {
        Ok(Worker {
            task,
            thread,
            workload: Workload::new(store),
            contents: Arc::clone(contents),
            callers: callers()?,
            random: fastrand::Rng::with_seed(task.seed ^ u64::from(thread)),
            tokens: 0,
            last_id: 1,
        })
    }

    pub(crate) fn work(mut self, output: &Output) -> Result<(), BoxError> {
        let mut faults = 0;
        let mut step = 0;
        while faults < PATIENCE && self.task.steps.is_none_or(|steps| step < steps) {
            step += 1;
            let caller = self.random.choice(&self.callers).ok_or("no callers")?.clone();
            // More creates than deletes, so that the store grows and limits are reached.
            let result = if self.random.u8(0..10) < 4 {
                self.create(&caller, output)
            } else {
                self.change(&caller, output)
            };
            match result? {
                Ok(()) => {}
                Err(Refusal::QuotaExceeded { .. }) => output.say(&Line::AtLimit)?,
                Err(refusal) if is_of_another_thread(&refusal) => {}
                Err(refusal) => {
                    faults += 1;
                    output.say(&Line::Failed(explain(&refusal)))?;
                }
            }
        }
        Ok(())
    }

    fn token(&mut self) -> Token {
        let token = Token { run: self.task.run, thread: self.thread, number: self.tokens };
        self.tokens += 1;
        token
    }

    fn create(&mut self, caller: &Caller, output: &Output) -> Step {
        let token = self.token();
        let line = match self.workload.create(caller, token)? {
            Ok(line) => line,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Line::Created { id, .. } = &line {
            self.last_id = id.get();
        }
        output.say(&line)?;
        Ok(Ok(()))
    }

    /// Changes or deletes a random model of the organisation.
    fn change(&mut self, caller: &Caller, output: &Output) -> Step {
        let model = match self.some_model(caller)? {
            Ok(Some(model)) => model,
            Ok(None) => return Ok(Ok(())),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let token = self.token();
        let (id, organisation) = (model.id, caller.organisation().to_string());
        let changing = Line::Changing { id, organisation: organisation.clone(), edit: token };
        let (edit, removed) = match self.wish(caller, &model, token)? {
            Ok(Wish::Edit(edit)) => (edit, None),
            Ok(Wish::Remove(pair)) => (Edit::RemoveData(pair.id), Some(pair)),
            Ok(Wish::Upload) if !self.task.uploads => return Ok(Ok(())),
            Ok(Wish::Upload) => {
                output.say(&changing)?;
                let added =
                    self.workload.upload(caller, self.task.run, id, &self.contents, token)?;
                return said(added, output);
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        output.say(&match edit {
            Edit::Delete => Line::Deleting { id, organisation },
            _ => changing,
        })?;
        if let Err(refusal) = said(self.workload.edit(caller, self.task.run, id, &edit)?, output)? {
            return Ok(Err(refusal));
        }
        Ok(self.clear_away(caller.organisation(), id, &edit, removed).map_err(Refusal::from))
    }

    /// Removes the files of deleted models and pairs.
    fn clear_away(
        &self,
        of: &Organisation,
        id: ModelId,
        edit: &Edit,
        removed: Option<Box<DataPair>>,
    ) -> Result<(), StoreError> {
        if *edit == Edit::Delete {
            self.contents.remove_model(of, id)?;
        }
        let mut files = removed.iter().flat_map(|pair| [&pair.audio, &pair.transcript]);
        files.try_for_each(|file| self.contents.remove(of, id, &file.content))
    }

    fn some_model(
        &mut self,
        caller: &Caller,
    ) -> Result<Result<Option<CustomModel>, Refusal>, BoxError> {
        let after = ModelId::new(self.random.u64(1..=self.last_id))?;
        let some = ListModels {
            start: Start::After(after),
            per_page: PerPage::new(10)?,
            ..ListModels::default()
        };
        let page = self.workload.engine.list(caller, &some);
        Ok(page.map(|page| self.random.choice(page.result)))
    }

    /// Chooses the next change of a model. A model in training cannot be deleted, so its training goes on.
    fn wish(
        &mut self,
        caller: &Caller,
        model: &CustomModel,
        token: Token,
    ) -> Result<Result<Wish, Refusal>, BoxError> {
        let is_trained = model.training.run().is_some();
        Ok(Ok(match self.random.u8(0..12) {
            0..=3 if !is_trained => Wish::Edit(Edit::Delete),
            4 | 5 => Wish::Edit(Edit::from(renamed(model, token)?)),
            6 | 7 if !is_trained => Wish::Upload,
            8 if !is_trained => {
                match self.workload.engine.pairs(caller, model.id).collect::<Result<Vec<_>, _>>() {
                    Ok(pairs) => match self.random.choice(pairs) {
                        Some(pair) => Wish::Remove(Box::new(pair)),
                        None => Wish::Upload,
                    },
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            _ => self.training_of(model, token)?,
        }))
    }

    /// Returns the next step of a training.
    fn training_of(&mut self, model: &CustomModel, token: Token) -> Result<Wish, BoxError> {
        let time = LeaseTime::default();
        let Some(run) = model.training.run() else {
            return Ok(match model.training_status() {
                TrainingStatus::ReadyToRun | TrainingStatus::Failed => Wish::Edit(Edit::Run),
                _ => Wish::Upload,
            });
        };
        let now = Workload::time_of(self.task.run);
        let held = run.lease.as_ref().filter(|lease| lease.is_live_at(now));
        let Some(fence) = held.map(|lease| lease.fence) else {
            let is_over = run.attempts >= ATTEMPTS;
            return Ok(Wish::Edit(if is_over { Edit::Expire } else { Edit::Claim { time } }));
        };
        Ok(Wish::Edit(match self.random.u8(0..8) {
            0 => Edit::Succeed { fence, metrics: TrainingMetrics::default() },
            1 => Edit::Fail { fence, error: token.to_string() },
            2 => Edit::Cancel,
            _ => Edit::Heartbeat { fence, progress: Progress::new(self.random.u8(0..=100))?, time },
        }))
    }
}

/// Reports an acknowledgement.
fn said(answer: Result<Line, Refusal>, output: &Output) -> Step {
    Ok(match answer {
        Ok(line) => Ok(output.say(&line)?),
        Err(refusal) => Err(refusal),
    })
}

/// Returns true if another thread was faster: the model is deleted, or in another state than it was read in.
fn is_of_another_thread(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::ModelNotFound
            | Refusal::DataNotFound
            | Refusal::TrainingInProgress
            | Refusal::ModelNotReady { .. }
            | Refusal::TrainingNotRunning
            | Refusal::LeaseLost
    )
}
