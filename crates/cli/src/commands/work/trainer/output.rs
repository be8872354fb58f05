//! The last of each kind of word that a program has said, however much it says.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custom_models_core::model::Progress;

use super::lines::Line;
use super::message::{ReportedMetrics, TrainerMessage};
use super::tail::Tail;

/// The words of a program. Threads that read write here, and never wait.
#[derive(Default)]
pub(crate) struct SharedOutput {
    output: Mutex<TrainerOutput>,
    news: Condvar,
}

/// The words of a program so far.
#[derive(Debug, Default)]
pub(crate) struct TrainerOutput {
    /// The largest progress.
    pub(crate) progress: Progress,
    /// The last metrics that could be read.
    pub(crate) metrics: Option<ReportedMetrics>,
    /// The fault of metrics that came later and could not be read.
    pub(crate) unreadable: Option<String>,
    /// The end of standard error.
    pub(crate) errors: Tail,
}

impl SharedOutput {
    /// Takes note of a line of standard output.
    pub(crate) fn note(&self, line: Line<'_>) {
        let word = match line {
            Line::Whole(line) => TrainerMessage::read(line),
            Line::Cut(beginning) => TrainerMessage::of_cut_line(beginning),
        };
        let mut output = self.lock();
        match word {
            // For people.
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

    /// Takes note of what comes on standard error.
    pub(crate) fn note_error(&self, part: &[u8]) {
        self.lock().errors.push(part);
    }

    /// Waits so long for a progress beyond this one, and returns what it is then.
    pub(crate) fn progress_beyond(&self, known: Progress, patience: Duration) -> Progress {
        let is_old = |output: &mut TrainerOutput| output.progress <= known;
        let waited = self.news.wait_timeout_while(self.lock(), patience, is_old);
        waited.unwrap_or_else(PoisonError::into_inner).0.progress
    }

    /// Everything so far, which is forgotten here.
    pub(crate) fn take(&self) -> TrainerOutput {
        std::mem::take(&mut *self.lock())
    }

    /// Each write leaves it whole, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, TrainerOutput> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
