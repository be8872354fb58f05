//! The periodic sweeps of a service.

use std::sync::Arc;
use std::time::Duration;

use custom_models_core::Engine;
use custom_models_core::access::Gate;
use custom_models_core::engine::Retention;
use custom_models_core::store::Store;
use custom_models_training_data::{Folder, KeptBack};
use tokio::time::{MissedTickBehavior, interval};

use crate::commands::sweep::{Swept, sweep_once};

/// The target of these lines, which people filter by: not the name of a module, which may move.
const TARGET: &str = "custom_models_cli::sweeper";

/// Sweeps a service.
#[derive(Clone)]
pub(crate) struct Sweeper {
    pub(crate) engine: Engine,
    pub(crate) gate: Gate,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: Option<Arc<Folder>>,
    pub(crate) retention: Retention,
}

impl Sweeper {
    /// Sweeps at once and then at the interval, until the runtime ends. A failed sweep is logged.
    pub(crate) async fn run(self, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The state of the folder at the start was reported by `serve`.
        let mut kept_back = None;
        loop {
            ticks.tick().await;
            let sweeper = self.clone();
            let before = kept_back;
            let swept = tokio::task::spawn_blocking(move || sweeper.sweep(before)).await;
            // A panic counts as a failed sweep; the panic hook logs it.
            kept_back = swept.unwrap_or(before);
        }
    }

    /// Sweeps once, and returns the reason why files were kept back.
    fn sweep(&self, before: Option<KeptBack>) -> Option<KeptBack> {
        match sweep_once(
            &self.engine,
            &self.gate,
            &self.store,
            self.folder.as_deref(),
            &self.retention,
        ) {
            Ok(swept) => {
                if swept.kept_back.is_some() && swept.kept_back != before {
                    tracing::warn!(target: TARGET, reason = ?swept.kept_back, "no files are swept");
                }
                let Swept { failed_trainings, events, answers, files, kept_back } = swept;
                if (Swept { kept_back, ..Swept::default() }) != swept {
                    tracing::info!(target: TARGET, failed_trainings, events, answers, files, "swept");
                }
                kept_back
            }
            Err(refusal) => {
                tracing::warn!(target: TARGET, cause = ?refusal.to_string(), "not swept");
                before
            }
        }
    }
}
