//! Power cuts (MODEL-6): the store's file system is shut down under load and mounted again.

use std::collections::BTreeSet;
use std::path::Path;

use custom_models_core::ModelId;
use fastrand::Rng;

use crate::rounds::{ROUNDS, endless, has_seen_enough, load, moment};
use crate::subject::contents;
use crate::{BoxError, Disk, Ledger, LoadProcess, PATIENCE, PowerCut, Subject, Task};

/// Cuts the power of one place many times, with the same checks as after a kill.
pub(crate) fn survives(kind: Subject, random: &mut Rng) -> Result<(), BoxError> {
    let disk = Disk::new()?;
    let mut ledger = Ledger::of(kind);
    let mut run = 0;
    for round in 1..=ROUNDS {
        // Every fourth time the power is cut again before a check.
        for _ in 0..if round % 4 == 0 { 2 } else { 1 } {
            run += 1;
            let task = endless(kind.name(), "store".into(), run, random);
            cut_in_mid_load(&disk, &task, moment(run, random), true, &mut ledger)
                .map_err(|cause| format!("cut {run}: {cause}"))?;
        }
        check(&disk, kind, "store", &mut ledger).map_err(|cause| format!("cut {run}: {cause}"))?;
    }
    has_seen_enough(&ledger)
}

/// Cuts the power of stores soon after they were created, or during that.
pub(crate) fn survives_when_new(kind: Subject, random: &mut Rng) -> Result<(), BoxError> {
    let disk = Disk::new()?;
    for run in 1..=ROUNDS {
        let name = format!("store-{run}");
        let task = endless(kind.name(), name.clone().into(), run, random);
        let mut ledger = Ledger::of(kind);
        cut_in_mid_load(&disk, &task, random.usize(1..=5), true, &mut ledger)
            .map_err(|cause| format!("cut {run}: {cause}"))?;
        check(&disk, kind, &name, &mut ledger).map_err(|cause| format!("cut {run}: {cause}"))?;
    }
    Ok(())
}

/// Checks that a load loses something of what it acknowledged within many power cuts, for a control that must
/// lose. `kind` is the kind of its task, and `present` returns the ids that are left at a path.
///
/// The store is durable before the load begins.
pub fn loses(
    kind: &str,
    random: &mut Rng,
    present: fn(&Path) -> Result<BTreeSet<ModelId>, BoxError>,
) -> Result<(), BoxError> {
    let disk = Disk::new()?;
    for run in 1..=ROUNDS {
        let task = endless(kind, format!("store-{run}").into(), run, random);
        let task = Task { uploads: false, ..task };
        create_durably(&disk, &task)?;
        let mut ledger = Ledger::unsure();
        // So many that sled's file must grow: writes into its allocated space survive.
        let count = random.usize(500..=2000);
        cut_in_mid_load(&disk, &task, count, false, &mut ledger)?;
        let mounted = disk.mount()?;
        // A store that cannot be opened any more has lost everything.
        let present = present(&mounted.folder().join(&task.place)).unwrap_or_default();
        mounted.unmount()?;
        if ledger.lost_from(&present) > 0 {
            return Ok(());
        }
    }
    Err(format!("{kind} lost nothing in {ROUNDS} power cuts: this test sees no loss").into())
}

/// Creates a store and writes it to the disk, so that later losses are the store's.
fn create_durably(disk: &Disk, task: &Task) -> Result<(), BoxError> {
    let mounted = disk.mount()?;
    let place = mounted.folder().join(&task.place);
    let nothing = Task { place, steps: Some(0), ..task.clone() };
    LoadProcess::start(load(&nothing)?)?.finish()?;
    mounted.sync()?;
    mounted.unmount()
}

/// Runs a load, whose place is a name in the file system, until this many changes are acknowledged. Then cuts
/// the power, waits until the load notices if it has to, and records its lines.
fn cut_in_mid_load(
    disk: &Disk,
    task: &Task,
    count: usize,
    must_notice: bool,
    ledger: &mut Ledger,
) -> Result<(), BoxError> {
    let mounted = disk.mount()?;
    let task = Task { place: mounted.folder().join(&task.place), ..task.clone() };
    let power_cut = PowerCut::new(mounted.folder())?;
    let mut process = LoadProcess::start(load(&task)?)?;
    process.await_acknowledgements(count)?;
    ledger.note(task.run, &process.take_lines()?)?;
    power_cut.cut()?;
    if must_notice {
        process.await_faults(usize::try_from(task.threads * PATIENCE)?)?;
    }
    ledger.note_after_cut(&process.kill()?);
    mounted.unmount()
}

/// Mounts the file system, which recovers its journal, and compares the store with its ledger.
fn check(disk: &Disk, kind: Subject, name: &str, ledger: &mut Ledger) -> Result<(), BoxError> {
    let mounted = disk.mount()?;
    let place = mounted.folder().join(name);
    let store = kind.open(&place)?;
    let files = contents(&place, &store)?;
    ledger.check(&store, &*files)?;
    store.close()?;
    drop(store);
    mounted.unmount()
}
