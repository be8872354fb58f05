//! The supply of ids (MODEL-1).

use std::sync::atomic::{AtomicBool, Ordering};

use custom_models_core::ModelId;
use tokio_postgres::Client;

use crate::error::Fault;

/// More than all groups together take at a time.
const FEW: u64 = 1 << 20;

/// A flag that is set once almost all ids are given away. The statement for many creates would then
/// take ids that it cannot give, so creates no longer go through it.
#[derive(Default)]
pub(crate) struct Ids {
    are_few: AtomicBool,
}

impl Ids {
    /// Looks at the sequence.
    pub(crate) async fn look(&self, client: &Client) -> Result<(), Fault> {
        let sql = "SELECT last_value FROM custom_models.model_ids";
        let last: i64 = client.query_one(sql, &[]).await?.try_get(0)?;
        if last.unsigned_abs() > ModelId::MAX - FEW {
            self.become_few();
        }
        Ok(())
    }

    pub(crate) fn become_few(&self) {
        self.are_few.store(true, Ordering::Relaxed);
    }

    pub(crate) fn are_few(&self) -> bool {
        self.are_few.load(Ordering::Relaxed)
    }
}
