//! The supply of ids (MODEL-1).

use std::sync::atomic::{AtomicBool, Ordering};

use custom_models_core::ModelId;
use tokio_postgres::Client;

use crate::error::Fault;

/// The number of ids at which the supply counts as low: more than all groups take at a time.
const LOW: u64 = 1 << 20;

/// A flag that is set once almost all ids are assigned. A bulk create draws an id for each model
/// and fails as a whole when they run out, so it is not used then.
#[derive(Default)]
pub(crate) struct IdSupply {
    is_low: AtomicBool,
}

impl IdSupply {
    /// Reads the sequence.
    pub(crate) async fn look(&self, client: &Client) -> Result<(), Fault> {
        let sql = "SELECT last_value FROM custom_models.model_ids";
        let last: i64 = client.query_one(sql, &[]).await?.try_get(0)?;
        if last.unsigned_abs() > ModelId::MAX - LOW {
            self.set_low();
        }
        Ok(())
    }

    pub(crate) fn set_low(&self) {
        self.is_low.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_low(&self) -> bool {
        self.is_low.load(Ordering::Relaxed)
    }
}
