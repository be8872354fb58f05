//! What a service sees to from time to time: trainings whose workers fell silent, what is old, and files
//! that nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::{Engine, Retention};
use custom_models_training_data::ContentStore;
use tokio::time::{MissedTickBehavior, interval};

use crate::sweep::{Swept, once};

/// Sweeps a service.
#[derive(Clone, Debug)]
pub(crate) struct Sweeper {
    pub(crate) engine: Engine,
    pub(crate) contents: Option<Arc<dyn ContentStore>>,
    pub(crate) retention: Retention,
}

impl Sweeper {
    /// Sweeps at once and then every so often, until the runtime ends. What fails is tried again the next
    /// time.
    pub(crate) async fn run(self, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let sweeper = self.clone();
            // One that panics is one that failed; the panic hook has its line.
            let _ = tokio::task::spawn_blocking(move || sweeper.sweep()).await;
        }
    }

    fn sweep(&self) {
        match once(&self.engine, self.contents.as_deref(), &self.retention) {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { failed_trainings, events, answers, files }) => {
                tracing::info!(failed_trainings, events, answers, files, "swept");
            }
            Err(refusal) => tracing::warn!(cause = ?refusal.to_string(), "not swept"),
        }
    }
}
