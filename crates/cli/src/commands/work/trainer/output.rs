//! The messages of a program: the last of each kind, in bounded memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custom_models_core::model::Progress;

use super::lines::Line;
use super::message::{ReportedMetrics, TrainerMessage};
use super::tail::Tail;

/// The output of a program, shared with the threads that read its pipes.
#[derive(Default)]
pub(crate) struct SharedOutput {
    output: Mutex<TrainerOutput>,
    news: Condvar,
}

/// The output of a program so far.
#[derive(Debug, Default)]
pub(crate) struct TrainerOutput {
    /// The largest progress.
    pub(crate) progress: Progress,
    /// The last valid metrics.
    pub(crate) metrics: Option<ReportedMetrics>,
    /// The fault of later metrics that could not be parsed.
    pub(crate) unreadable: Option<String>,
    /// The end of standard error.
    pub(crate) errors: Tail,
}

impl SharedOutput {
    /// Records a line of standard output.
    pub(crate) fn note(&self, line: Line<'_>) {
        let word = match line {
            Line::Whole(line) => TrainerMessage::read(line),
            Line::Cut(beginning) => TrainerMessage::of_cut_line(beginning),
        };
        let mut output = self.lock();
        match word {
            // A line for people.
            None => {}
            Some(TrainerMessage::Unreadable(reason)) => output.unreadable = Some(reason),
            Some(TrainerMessage::Report { progress, metrics }) => {
                if let Some(metrics) = metrics {
                    (output.metrics, output.unreadable) = (Some(metrics), None);
                }
                if let Some(progress) = progress.filter(|progress| *progress > output.progress) {
                    output.progress = progress;
                    self.news.notify_all();
                }
            }
        }
    }

    /// Records a part of standard error.
    pub(crate) fn note_error(&self, part: &[u8]) {
        self.lock().errors.push(part);
    }

    /// Waits until the progress is beyond `known`, at most `patience`. Returns the progress.
    pub(crate) fn progress_beyond(&self, known: Progress, patience: Duration) -> Progress {
        let is_old = |output: &mut TrainerOutput| output.progress <= known;
        let waited = self.news.wait_timeout_while(self.lock(), patience, is_old);
        waited.unwrap_or_else(PoisonError::into_inner).0.progress
    }

    /// Takes the output so far.
    pub(crate) fn take(&self) -> TrainerOutput {
        std::mem::take(&mut *self.lock())
    }

    /// Locks the output. Ignores poisoning, because every write leaves it consistent.
    fn lock(&self) -> MutexGuard<'_, TrainerOutput> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
