//! A backend for tests: it records the steps of a commit and makes them fail on request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use custom_models_core::store::{StoreError, StoreErrorKind};
use sled::Batch;

use crate::database::backend::{Backend, Disk, Opened};
use crate::database::folder::Folder;

/// The failure of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Does nothing, and fails.
    Fails(StoreErrorKind),
    /// Does nothing, and succeeds.
    Lies,
    /// Applies the batches before the one with this number, and of that one all rows except those
    /// whose keys have this prefix; then fails.
    Halves(StoreErrorKind, usize, &'static [u8]),
}

/// The backend on disk, with a record of its steps.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    steps: Vec<&'static str>,
    /// The failures of the next steps, by the name of the step, in order.
    faults: VecDeque<(&'static str, Fault)>,
    /// Called at the next sync.
    at_sync: Option<Box<dyn FnOnce() + Send>>,
}

impl Recorder {
    pub(crate) fn note(&self, step: &'static str) {
        self.0.lock().unwrap().steps.push(step);
    }

    /// Makes a step fail, after the failures already set for the same name.
    pub(crate) fn tell(&self, step: &'static str, error: Fault) {
        self.0.lock().unwrap().faults.push_back((step, error));
    }

    /// Runs a function at the next sync.
    pub(crate) fn at_next_sync(&self, call: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().at_sync = Some(Box::new(call));
    }

    /// Takes the steps recorded so far.
    pub(crate) fn steps(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().steps)
    }

    /// Records a step, and returns its failure, if one is set.
    fn take(&self, step: &'static str) -> Option<Fault> {
        let mut record = self.0.lock().unwrap();
        record.steps.push(step);
        let place = record.faults.iter().position(|(name, _)| *name == step)?;
        record.faults.remove(place).map(|(_, error)| error)
    }

    fn step<T: Default>(
        &self,
        step: &'static str,
        real: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.take(step) {
            None => real(),
            Some(Fault::Lies) => Ok(T::default()),
            Some(Fault::Fails(kind) | Fault::Halves(kind, ..)) => Err(StoreError::new(kind, step)),
        }
    }
}

impl Backend for Recorder {
    fn open(&self, folder: &Folder) -> Result<Opened, StoreError> {
        match self.take("open") {
            Some(Fault::Fails(kind)) => Err(StoreError::new(kind, "open")),
            _ => Disk.open(folder),
        }
    }

    fn apply(&self, opened: &Opened, mut batches: Vec<Batch>) -> Result<(), StoreError> {
        match self.take("apply") {
            None => Disk.apply(opened, batches),
            Some(Fault::Lies) => Ok(()),
            Some(Fault::Fails(kind)) => Err(StoreError::new(kind, "apply")),
            Some(Fault::Halves(kind, number, prefix)) => {
                let half = batches.remove(number);
                batches.truncate(number);
                Disk.apply(opened, batches)?;
                let rows = || opened.db.scan_prefix(prefix).map(Result::unwrap);
                let before: Vec<_> = rows().collect();
                Disk.apply(opened, vec![half])?;
                rows().for_each(|(key, _)| drop(opened.db.remove(key).unwrap()));
                before.into_iter().for_each(|(key, row)| drop(opened.db.insert(key, row).unwrap()));
                Err(StoreError::new(kind, "apply"))
            }
        }
    }

    fn flush(&self, opened: &Opened) -> Result<(), StoreError> {
        self.step("flush", || Disk.flush(opened))
    }

    fn sync(&self, opened: &Opened) -> Result<(), StoreError> {
        let at_sync = self.0.lock().unwrap().at_sync.take();
        if let Some(at_sync) = at_sync {
            at_sync();
        }
        self.step("sync", || Disk.sync(opened))
    }
}
