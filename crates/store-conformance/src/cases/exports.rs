//! The order of an export, and writes beside it.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use custom_models_core::access::KeyRecord;
use custom_models_core::store::{AccessChange, Outcome, Record};

use crate::Builder;
use crate::cases::archives::{filled, records};
use crate::client::{create, fresh};
use crate::sample::{model, organisation, registration};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// The position of a record in an export: its kind, its organisation, and its numbers.
type Position = (u8, String, [u64; 2]);

fn position(record: &Record) -> Position {
    let (kind, of, numbers) = match record.clone() {
        Record::Start { .. } => (0, None, [0; 2]),
        Record::Registration { organisation, .. } => (1, Some(organisation), [0; 2]),
        Record::Key(line) => {
            let key = KeyRecord::from(line);
            let id = key.id.to_bytes().into_iter().fold(0, |id, byte| id << 8 | u64::from(byte));
            (2, Some(key.organisation), [id, 0])
        }
        Record::Organisation { organisation, .. } => (3, Some(organisation), [0; 2]),
        Record::Model(line) => (4, Some(line.organisation), [line.model.id.get(), 0]),
        Record::Data { organisation, model, pair } => {
            (5, Some(organisation), [model.get(), pair.id.get().into()])
        }
        Record::Event(line) => {
            let (organisation, position, ..) = line.into_parts();
            (6, Some(organisation), [position, 0])
        }
        Record::Answer(line) => (7, Some(line.into_parts().0), [0; 2]),
    };
    (kind, of.map(|of| of.to_string()).unwrap_or_default(), numbers)
}

pub(crate) fn an_export_is_in_order(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    // Organisations that were written to in another order than that of their names.
    for name in ["m", "b"] {
        store.done(AccessChange::Register(registration(name, "Gold")?))?;
        for number in 0..12 {
            store.create(&organisation(name)?, &model(number)?)?;
        }
    }
    filled(&store)?;
    let store = store.reopen(&*place)?;
    let all = records(&*store.handle())?;
    let positions: Vec<_> = all.iter().map(position).collect();
    for ((before, after), record) in positions.iter().zip(positions.iter().skip(1)).zip(&all) {
        ensure!(before <= after, "{after:?} comes after {before:?}, that of {record:?}");
    }
    ensure_eq!(positions.iter().filter(|(kind, ..)| *kind == 0).count(), 1, "beginnings");
    Ok(())
}

/// The time within which a submit returns. Only a store that makes it wait reaches it.
const WAITS: Duration = Duration::from_secs(30);

/// A submit is called on threads of an async runtime, so it must not wait for a lock that a long read holds.
/// The write itself may wait.
pub(crate) fn a_submit_does_not_wait_for_an_export(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let first = store.create(&acme, &model(0)?)?;
    let change = create(&model(1)?, None);
    let (returned, returns) = channel();
    let (answer, has_returned) = thread::scope(|scope| {
        let mut submitting = None;
        let mut has_returned = None;
        store.export(&mut |_| {
            if submitting.is_none() {
                let (store, acme, change, returned) =
                    (&store, &acme, change.clone(), returned.clone());
                submitting = Some(scope.spawn(move || {
                    let answer = store.submit(acme, change);
                    // Nobody receives it after the case has failed.
                    let _ = returned.send(());
                    answer
                }));
                has_returned = Some(returns.recv_timeout(WAITS).is_ok());
            }
            Ok(())
        })?;
        let answer = submitting.map(thread::ScopedJoinHandle::join);
        Ok::<_, Stop>((answer, has_returned))
    })?;
    ensure_eq!(has_returned, Some(true), "a submit returned during an export");
    let Some(Ok(answer)) = answer else { return Err(Stop::failed("a submit has panicked")) };
    match answer.wait()?? {
        Outcome::Created(second) => store.expect(&acme, &[first, second]),
        other => Err(Stop::failed(format!("a create was answered by {other:?}"))),
    }
}
