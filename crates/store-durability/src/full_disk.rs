//! A full disk: an error with its cause, nothing half-written, and a store that works again once there is
//! space.

use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use custom_models_core::Refusal;
use custom_models_core::store::{Store, StoreError, StoreErrorKind};

use crate::subject::contents;
use crate::{BoxError, Ledger, Line, Subject, Token, Workload, callers, ensure, explain, tmpfs};

/// The size of the disk in MiB, which some hundred models fill.
const SMALL: u32 = 6;

/// The size of the disk after it has grown.
const LARGE: u32 = 64;

/// The number of times that each thread gets `Full` before it stops.
const REFUSALS: u32 = 5;

/// Fills the disk of a store, which returns `Full`, can still be read, and works again once the disk is
/// larger.
pub(crate) fn works_again(kind: Subject) -> Result<(), BoxError> {
    let disk = tmpfs(SMALL)?;
    let place = disk.folder().join("store");
    let mut store = kind.open(&place)?;
    let files = contents(&place, &store)?;
    let mut ledger = Ledger::of(kind);

    let filled = fill(kind, &store)?;
    ledger.note(0, &filled.lines)?;
    ensure!(ledger.tally().created > 0, "not one model fits on the disk");
    let checked = ledger.check(&store, &*files);
    match checked.as_ref().err().and_then(|cause| cause.downcast_ref::<StoreError>()) {
        // Sled, for one, cannot be reopened without space, not even for reading.
        Some(fault) if fault.kind() == StoreErrorKind::Full && kind.is_unsure() => {}
        _ => checked.map_err(|cause| format!("while the disk is full: {cause}"))?,
    }

    disk.resize(LARGE)?;
    let workload = Workload::new(&store);
    let lines = create_some(&workload, 1);
    let lines = lines.map_err(|cause| format!("when there is space: {}", explain(&*cause)))?;
    ledger.note(1, &lines)?;
    ledger.check(&store, &*files).map_err(|cause| format!("when there is space: {cause}"))?;
    store.close()?;
    drop((workload, store));

    store = kind.open(&place)?;
    ledger.check(&store, &*files).map_err(|cause| format!("opened again: {cause}"))?;
    let workload = Workload::new(&store);
    ledger.note(2, &create_some(&workload, 2)?)?;
    ledger.check(&store, &*files)?;
    store.close()?;
    drop((workload, store));
    let unannounced = ledger.tally().unacknowledged;
    ensure!(
        unannounced <= filled.unknown,
        "{unannounced} models are there unannounced, and the outcome of {} is unknown",
        filled.unknown
    );
    disk.unmount()
}

/// Creating a store without space returns `Full`, and succeeds once there is space.
pub(crate) fn full_from_the_start(kind: Subject) -> Result<(), BoxError> {
    let disk = tmpfs(SMALL)?;
    let filler = disk.folder().join("filler");
    fill_with_zeros(&filler)?;
    let place = disk.folder().join("store");
    for attempt in 1..=2 {
        let fault = kind.open(&place).err().ok_or("a store was made on a full disk")?;
        ensure!(
            fault.kind() == StoreErrorKind::Full && fault.source().is_some(),
            "attempt {attempt}: {fault:?}"
        );
    }
    // Removing it might free nothing yet: a process that another test is starting also has it open, until it
    // executes its program.
    File::create(filler)?;
    let store = kind.open(&place)?;
    let files = contents(&place, &store)?;
    let mut ledger = Ledger::of(kind);
    ledger.note(0, &create_some(&Workload::new(&store), 0)?)?;
    ledger.check(&store, &*files)?;
    store.close()?;
    drop(store);
    disk.unmount()
}

/// Uploads that find no space are refused and leave nothing, whether their files or the pair do not fit.
/// Earlier acknowledged data is kept, and further uploads succeed once there is space (DATA-4).
pub fn uploads_are_refused(kind: Subject) -> Result<(), BoxError> {
    let disk = tmpfs(SMALL)?;
    let place = disk.folder().join("store");
    let store = kind.open(&place)?;
    let files = contents(&place, &store)?;
    let (workload, mut ledger) = (Workload::new(&store), Ledger::of(kind));
    let callers = callers()?;
    let caller = callers.first().ok_or("no callers")?;
    let mut lines = vec![workload.create(caller, Token { run: 0, thread: 0, number: 0 })??];
    let Some(&Line::Created { id, .. }) = lines.first() else { return Err("no model".into()) };
    let mut upload = |number: u32| -> Result<Result<(), Refusal>, BoxError> {
        let token = Token { run: 0, thread: 1, number };
        let organisation = caller.organisation().to_string();
        lines.push(Line::Changing { id, organisation, edit: token });
        let added = workload.upload(caller, 0, id, &files, token)?;
        Ok(added.map(|line| lines.push(line)))
    };
    let (mut number, mut refusals) = (0, 0);
    while refusals < REFUSALS {
        number += 1;
        match upload(number)? {
            Ok(()) => {}
            Err(Refusal::Store(fault)) if fault.kind() == StoreErrorKind::Full => {
                ensure!(fault.source().is_some(), "a fault without its cause: {fault:?}");
                let left = files.sweep(&*store)?.files;
                ensure!(left == 0, "refused upload {number} left {left} files");
                refusals += 1;
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    ensure!(number > REFUSALS, "not one upload fits on the disk");
    disk.resize(LARGE)?;
    for more in 1..=10 {
        upload(number + more)?.map_err(|cause| format!("when there is space: {cause:?}"))?;
    }
    ledger.note(0, &lines)?;
    ledger.check(&store, &*files)?;
    ensure!(ledger.tally().swept == 0, "{:?}", ledger.tally());
    store.close()?;
    drop((workload, store));
    disk.unmount()
}

/// The result of filling a disk.
#[derive(Default)]
struct Filled {
    lines: Vec<Line>,
    /// The number of creates with an unknown outcome ([`StoreErrorKind::OutcomeUnknown`]).
    unknown: u64,
}

/// Creates models from four threads until the disk is full.
fn fill(kind: Subject, store: &Arc<dyn Store>) -> Result<Filled, BoxError> {
    let mut filled = Filled::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || fill_from_thread(kind, store, thread)))
            .collect();
        for thread in threads {
            let part = thread.join().map_err(|_| "a thread panicked")??;
            filled.lines.extend(part.lines);
            filled.unknown += part.unknown;
        }
        Ok(filled)
    })
}

/// Creates models until the disk is full. Any result but an acknowledgement and [`StoreErrorKind::Full`] with
/// its cause is an error; a store that says so may return
/// an unknown outcome for the group that found the disk full.
fn fill_from_thread(
    kind: Subject,
    store: &Arc<dyn Store>,
    thread: u32,
) -> Result<Filled, BoxError> {
    let workload = Workload::new(store);
    let callers = callers()?;
    let caller = callers.first().ok_or("no callers")?;
    let mut filled = Filled::default();
    let mut refusals = 0;
    let mut number = 0;
    while refusals < REFUSALS {
        // Every fourth model has a description, and so fills the disk fastest.
        number += 4;
        let fault = match workload.create(caller, Token { run: 0, thread, number: number - 1 })? {
            Ok(line) => {
                filled.lines.push(line);
                continue;
            }
            Err(Refusal::Store(fault)) => fault,
            Err(refusal) => return Err(refusal.into()),
        };
        ensure!(fault.source().is_some(), "a fault without its cause: {fault:?}");
        match fault.kind() {
            StoreErrorKind::Full => refusals += 1,
            StoreErrorKind::OutcomeUnknown if kind.is_unsure() => filled.unknown += 1,
            _ => return Err(format!("model {number}: {fault:?}").into()),
        }
    }
    Ok(filled)
}

/// Creates a hundred models, every one of which must succeed.
fn create_some(workload: &Workload, run: u32) -> Result<Vec<Line>, BoxError> {
    let callers = callers()?;
    let caller = callers.first().ok_or("no callers")?;
    (0..100).map(|number| Ok(workload.create(caller, Token { run, thread: 0, number })??)).collect()
}

/// Writes a file until no byte fits any more.
fn fill_with_zeros(path: &Path) -> Result<(), BoxError> {
    let mut file = File::create(path)?;
    loop {
        match file.write(&[0; 4096]) {
            Ok(_) => {}
            Err(fault) if fault.kind() == ErrorKind::StorageFull => return Ok(()),
            Err(fault) => return Err(fault.into()),
        }
    }
}
