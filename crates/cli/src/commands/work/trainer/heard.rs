//! The last of each kind of word that a program has said, however much it says.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custom_models_core::model::Progress;

use super::lines::Line;
use super::tail::Tail;
use super::word::{Measured, Word};

/// The words of a program. Threads that read write here, and never wait.
#[derive(Default)]
pub(crate) struct Heard {
    said: Mutex<Said>,
    news: Condvar,
}

/// The words of a program so far.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The largest progress.
    pub(crate) progress: Progress,
    /// The last metrics that could be read.
    pub(crate) measured: Option<Measured>,
    /// The fault of metrics that came later and could not be read.
    pub(crate) unreadable: Option<String>,
    /// The end of standard error.
    pub(crate) errors: Tail,
}

impl Heard {
    /// Takes note of a line of standard output.
    pub(crate) fn note(&self, line: Line<'_>) {
        let word = match line {
            Line::Whole(line) => Word::read(line),
            Line::Cut(beginning) => Word::of_cut_line(beginning),
        };
        let mut said = self.said();
        match word {
            // For people.
            None => {}
            Some(Word::Unreadable(reason)) => said.unreadable = Some(reason),
            Some(Word::Said { progress, measured }) => {
                if let Some(measured) = measured {
                    (said.measured, said.unreadable) = (Some(measured), None);
                }
                if let Some(progress) = progress.filter(|progress| *progress > said.progress) {
                    said.progress = progress;
                    self.news.notify_all();
                }
            }
        }
    }

    /// Takes note of what comes on standard error.
    pub(crate) fn note_error(&self, part: &[u8]) {
        self.said().errors.push(part);
    }

    /// Waits so long for a progress beyond this one, and returns what it is then.
    pub(crate) fn progress_beyond(&self, known: Progress, patience: Duration) -> Progress {
        let is_old = |said: &mut Said| said.progress <= known;
        let waited = self.news.wait_timeout_while(self.said(), patience, is_old);
        waited.unwrap_or_else(PoisonError::into_inner).0.progress
    }

    /// Everything so far, which is forgotten here.
    pub(crate) fn take(&self) -> Said {
        std::mem::take(&mut *self.said())
    }

    /// Each write leaves it whole, so a panic elsewhere does no harm.
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
