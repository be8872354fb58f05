//! Tests of the ledger: the ids that may be used again.

use std::sync::Arc;

use custom_models_core::model::{Revision, Version};
use custom_models_core::store::Store;
use custom_models_core::{MemoryStore, ModelId};
use custom_models_store_durability::{BoxError, Ledger, Line, MEMBERS, Token, contents, ensure};
use fastrand::Rng;
use tempfile::TempDir;

use crate::{SLED, SQLITE};

/// An id that another thread saw before its create was acknowledged may be used again after a crash, if the
/// store shows models before they are durable, or the power was cut by then. An id of which anything was
/// acknowledged may not.
pub(crate) fn lets_ids_come_again_that_were_only_seen(_: &mut Rng) -> Result<(), BoxError> {
    let (id, member) = (ModelId::new(1)?, MEMBERS.first().ok_or("no members")?);
    let organisation = member.organisation.to_owned();
    let token = |run| Token { run, thread: 0, number: 0 };
    let seen = Line::Changing { id, organisation: organisation.clone(), edit: token(1) };
    let version = Version::from(Revision::FIRST);
    let changed = Line::Changed { id, organisation: organisation.clone(), version };
    let doomed = Line::Deleting { id, organisation: organisation.clone() };
    let deleted = Line::Deleted { id, organisation: organisation.clone() };
    let created = Line::Created { id, organisation, token: token(2) };
    let acknowledged = [seen.clone(), changed, doomed, deleted];
    let (seen, created) = ([seen], [created]);
    for (kind, before_cut, after_cut, may_come) in [
        (SLED, &seen[..], &[][..], true),
        (SQLITE, &seen, &[], false),
        (SQLITE, &[], &seen, true),
        (SLED, &acknowledged, &[], false),
    ] {
        // With and without a check between the runs.
        for is_checked in [true, false] {
            let mut ledger = Ledger::of(kind);
            ledger.note(1, before_cut)?;
            ledger.note_after_cut(after_cut);
            if is_checked {
                let folder = TempDir::new()?;
                let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
                let files = contents(&folder.path().join("store"), &store)?;
                // Acknowledged events are missing too, which does not matter here.
                let checked = ledger.check(&store, &*files);
                ensure!(checked.is_ok() == (before_cut.len() < 2), "{kind}: {checked:?}");
            }
            let came = ledger.note(2, &created).is_ok();
            ensure!(
                came == may_come,
                "{kind}, {before_cut:?}, {after_cut:?}, {is_checked}: {came}"
            );
        }
    }
    Ok(())
}
