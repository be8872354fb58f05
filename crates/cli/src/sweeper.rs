//! What a service sees to from time to time: trainings whose workers fell silent, what is old, and files
//! that nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::{Engine, Refusal, Retention, Swept};
use custom_models_training_data::ContentStore;
use tokio::time::{MissedTickBehavior, interval};

use crate::data_folder;

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
        match self.swept() {
            Ok((swept, files)) if swept != Swept::default() || files > 0 => {
                let (failed, events, answers) =
                    (swept.failed, swept.purged.events, swept.purged.answers);
                tracing::info!(failed, events, answers, files, "swept");
            }
            Ok(_) => {}
            Err(refusal) => tracing::warn!(cause = ?refusal.to_string(), "not swept"),
        }
    }

    fn swept(&self) -> Result<(Swept, u64), Refusal> {
        let swept = self.engine.sweep(&self.retention)?;
        let contents = self.contents.as_deref();
        let files = contents.map(|contents| data_folder::sweep(contents, &self.engine));
        Ok((swept, files.transpose()?.unwrap_or_default()))
    }
}
