//! The identity and the lineage of a store, which folders of training data replace.

use custom_models_core::store::{
    ArchiveChange, Lineage, StoreErrorKind, StoreIdentity, StoreSummary,
};

use crate::Builder;
use crate::cases::durability::killed;
use crate::cases::events::with_history;
use crate::client::{Client, fresh};
use crate::sample::organisation;
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure_eq};

type Expected = (StoreIdentity, Option<Lineage>);
type New = (StoreIdentity, Lineage);

/// Returns a new identity and lineage, including the largest numbers.
fn new(number: u8) -> New {
    (StoreIdentity::from_bytes([number; 16]), Lineage::new(u64::MAX - u64::from(number)))
}

/// Returns the identity and the lineage of a store after a replacement.
fn after((identity, lineage): New) -> Expected {
    (identity, Some(lineage))
}

fn has(store: &Client) -> Checked<Expected> {
    let StoreSummary { identity, lineage, .. } = store.handle().summary()?;
    Ok((identity, lineage))
}

/// Replaces the identity, and returns true if the store did so.
fn is_replaced(store: &Client, expected: Expected, new: New) -> Checked<bool> {
    match store.handle().archive(ArchiveChange::ReplaceIdentity { expected, new })? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Stop::failed(format!("{other} identities were replaced"))),
    }
}

pub(crate) fn place_2_an_identity_is_replaced_by_who_expects_the_one_that_is_there(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let made = has(&store)?;
    ensure_eq!(made.1, None, "the lineage of a new store");
    let changes = [new(1), (new(1).0, new(2).1), new(3)];
    let mut found = made;
    for change in changes {
        let others = [
            (new(7).0, found.1),
            (found.0, Some(new(7).1)),
            (found.0, found.1.map_or(Some(Lineage::new(0)), |_| None)),
        ];
        for other in others {
            ensure_eq!(is_replaced(&store, other, change)?, false, "replaced for {other:?}");
            ensure_eq!(has(&store)?, found, "the identity after it was kept");
        }
        let before = store.handle().summary()?;
        ensure_eq!(is_replaced(&store, found, change)?, true, "replaced for who expects it");
        let StoreSummary { last_id, events, has_data, .. } = store.handle().summary()?;
        let counts = (before.last_id, before.events, before.has_data);
        ensure_eq!((last_id, events, has_data), counts, "what is counted after it was replaced");
        for number in 1..3 {
            ensure_eq!(has(&store)?, after(change), "the identity after it was replaced");
            ensure_eq!(is_replaced(&store, found, new(7))?, false, "replaced once more");
            with_history(&store, &organisation("acme")?, number)?;
            store = store.reopen(&*place)?;
        }
        found = after(change);
    }
    // An import neither sets nor removes the lineage.
    let (_other_place, other) = fresh(builder)?;
    let mut records = Vec::new();
    store.handle().export(&mut |record| {
        records.push(record);
        Ok(())
    })?;
    let own = has(&other)?;
    other.handle().archive(ArchiveChange::Import(records.clone()))?;
    ensure_eq!(has(&other)?, own, "the identity after an import");
    store.handle().archive(ArchiveChange::Import(records))?;
    ensure_eq!(has(&store)?, found, "the identity after an import");
    store.close()?;
    let change = ArchiveChange::ReplaceIdentity { expected: found, new: new(8) };
    match store.handle().archive(change) {
        Err(error) if error.kind() == StoreErrorKind::Closed => Ok(()),
        other => Err(Stop::failed(format!("a closed store answered {other:?}"))),
    }
}

pub(crate) fn place_2_of_many_that_replace_an_identity_one_does(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    for round in 0..4 {
        let expected = has(&store)?;
        let replaced = in_threads(8, |number| {
            let change = new(u8::try_from(8 * round + number).unwrap_or(99));
            Ok(is_replaced(&store, expected, change)?.then_some(change))
        })?;
        let mut replaced = replaced.into_iter().flatten();
        let (first, second) = (replaced.next().map(after), replaced.next());
        ensure_eq!(second, None, "a second that replaced it");
        ensure_eq!(Some(has(&store)?), first, "the identity after one replaced it");
    }
    Ok(())
}

pub(crate) fn place_2_an_identity_survives_a_kill_when_it_is_replaced(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    for number in 1..4 {
        ensure_eq!(is_replaced(&store, has(&store)?, new(number))?, true, "replaced");
        let (_place, found) = killed(&*place)?;
        ensure_eq!(has(&found)?, after(new(number)), "the identity after a kill");
    }
    Ok(())
}
