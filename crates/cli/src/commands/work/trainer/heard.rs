//! The last of each kind of word that a program has said, however much it says.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use custom_models_core::Progress;

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
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Said {
        let heard = Heard::default();
        lines.iter().for_each(|line| heard.note(Line::Whole(line.as_bytes())));
        heard.take()
    }

    #[test]
    fn of_all_words_the_last_metrics_and_the_largest_progress_count() {
        let said = heard(&[
            r#"{"progress":3}"#,
            r#"{"metrics":{"loss":2}}"#,
            r#"{"progress":5}"#,
            r#"{"metrics":{"loss":1}}"#,
            r#"{"progress":4}"#,
        ]);
        assert_eq!(said.progress.get(), 5);
        let metrics = serde_json::to_string(&said.measured.unwrap().metrics).unwrap();
        assert_eq!(metrics, r#"{"loss":1.0}"#);
    }

    #[test]
    fn train_3_metrics_that_cannot_be_read_do_not_replace_those_that_can() {
        let (right, wrong) = (r#"{"metrics":{"loss":2}}"#, r#"{"metrics":{"loss":NaN}}"#);
        let said = heard(&[right, wrong]);
        assert!(said.measured.is_some() && said.unreadable.is_some());
        let said = heard(&[wrong, right]);
        assert!(said.measured.is_some() && said.unreadable.is_none());
        let said = heard(&[wrong]);
        assert!(said.measured.is_none() && said.unreadable.is_some());
    }
}
