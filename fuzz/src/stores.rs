//! Targets `store_…`: a store compared with the store in memory, result by result.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use custom_models_core::store::{Store, StoreError};
use custom_models_store_conformance::{Comparison, FolderBuilder, Operations};

/// The number of runs on one store, so that opening costs little and the store does not grow without bound.
const RUNS_A_STORE: u32 = 500;

thread_local!(static COMPARISON: RefCell<Option<Comparison>> = const { RefCell::new(None) });

/// The operations of one run.
#[derive(Debug)]
pub struct Steps(Operations);

impl<'a> Arbitrary<'a> for Steps {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Steps(Operations::read(u.bytes(u.len())?)))
    }
}

/// Does one run on the shared store of this thread, which `open` opens in a folder.
pub fn check(Steps(operations): &Steps, open: fn(&Path) -> Result<Arc<dyn Store>, StoreError>) {
    COMPARISON.with_borrow_mut(|comparison| {
        comparison.take_if(|comparison| comparison.runs() == RUNS_A_STORE);
        let comparison = comparison.get_or_insert_with(|| {
            tempfile::env::override_temp_dir(&parent()).ok();
            let open = move |folder: &Path| Ok(open(folder)?);
            let builder = FolderBuilder::new(open);
            Comparison::new(&builder).unwrap()
        });
        comparison.run(operations).unwrap();
    });
}

/// Returns the parent of temporary folders: in memory if possible, since disks are not tested here.
pub(crate) fn parent() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}
