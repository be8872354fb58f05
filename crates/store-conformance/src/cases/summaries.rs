//! The summary of a store, with which its folder of training data compares it, and the positions up to which
//! histories were purged.

use std::sync::Arc;

use custom_models_core::model::{Event, NewEvent};
use custom_models_core::store::{ArchiveChange, Purge, Record, StoreErrorKind, StoreSummary};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, Organisation};

use crate::cases::durability::killed;
use crate::cases::events::{create_logged, update_logged, with_history};
use crate::client::{Client, delete_at, fresh};
use crate::history::{add_pair, remove_pair};
use crate::life::event;
use crate::sample::organisation;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};
use crate::{Builder, Place};

fn summary(store: &Client) -> Checked<StoreSummary> {
    Ok(store.handle().summary()?)
}

pub(crate) fn place_2_a_store_keeps_its_identity_and_no_other_has_it(
    builder: &dyn Builder,
) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let (_other_place, other) = fresh(builder)?;
    let first = summary(&store)?.identity;
    ensure!(summary(&other)?.identity != first, "two stores have the identity {first}");
    for number in 1..4 {
        with_history(&store, &organisation("acme")?, number)?;
        ensure_eq!(summary(&store)?.identity, first, "the identity after changes");
        store = store.reopen(&*place)?;
        ensure_eq!(summary(&store)?.identity, first, "the identity after a close");
    }
    // An import sets no identity.
    let mut records = Vec::new();
    store.handle().export(&mut |record| {
        records.push(record);
        Ok(())
    })?;
    let own = summary(&other)?.identity;
    other.handle().archive(ArchiveChange::Import(records))?;
    ensure_eq!(summary(&other)?.identity, own, "the identity after an import");
    Ok(())
}

/// The expected summary, and a store that is closed and reopened after every check.
struct Expecting<'a> {
    place: &'a dyn Place,
    store: Client,
    events: u64,
    /// An upper bound of the assigned ids; the id of a refused change may be skipped.
    last_id: u64,
    has_data: bool,
}

impl Expecting<'_> {
    fn look(mut self, after: &str) -> Checked<Self> {
        for _ in 0..2 {
            let found = summary(&self.store)?;
            ensure_eq!(found.events, self.events, "the events after {after}");
            ensure_eq!(found.has_data, self.has_data, "a pair of data after {after}");
            ensure!(found.last_id >= self.last_id, "{} ids after {after}", found.last_id);
            self.last_id = found.last_id;
            self.store = self.store.reopen(self.place)?;
        }
        Ok(self)
    }

    fn created(&mut self, of: &Organisation) -> Checked<CustomModel> {
        let model = create_logged(&self.store, of, 1)?;
        self.events += 1;
        self.last_id = self.last_id.max(model.id.get());
        Ok(model)
    }
}

pub(crate) fn place_2_a_summary_counts_what_ever_was_and_never_falls(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let (acme, zebra) = (organisation("acme")?, organisation("zebra")?);
    let mut it = Expecting { place: &*place, store, events: 0, last_id: 0, has_data: false };
    ensure_eq!(summary(&it.store)?.last_id, 0, "the last id of an empty store");
    it = it.look("nothing")?;
    let mut model = it.created(&acme)?;
    let of_zebra = it.created(&zebra)?;
    ensure_eq!(summary(&it.store)?.last_id, of_zebra.id.get(), "the last id");
    it = it.look("creates")?;
    update_logged(&it.store, &acme, &mut model, 2)?;
    it.events += 1;
    // A refused change has no event.
    it.store.write(&acme, delete_at(model.id, of_zebra.revision()))?;
    it = it.look("an update and a refusal")?;
    let with_pair = add_pair(&it.store, &acme, &model, 1)?;
    (it.events, it.has_data) = (it.events + 1, true);
    it = it.look("a pair of data")?;
    remove_pair(&it.store, &acme, &with_pair, 1)?;
    (it.events, it.has_data) = (it.events + 1, false);
    it = it.look("the removal of the pair")?;
    add_pair(&it.store, &zebra, &of_zebra, 1)?;
    (it.events, it.has_data) = (it.events + 1, true);
    let newest = it.created(&acme)?;
    it.store.delete(&acme, &newest)?;
    it.events += 1;
    it = it.look("the delete of the newest model")?;
    purge(&it.store, event(99)?)?;
    it = it.look("a purge of everything")?;
    for of in [&zebra, &acme] {
        erase(&it.store, of)?;
        it.has_data = false;
        it = it.look("an erasure")?;
    }
    it.created(&zebra)?;
    it = it.look("a create after the erasure")?;
    let (organisation, models) = (acme, 0);
    let (last_event, first_event) = (7, 8);
    let records = vec![
        Record::Start { last_id: it.last_id + 40 },
        Record::Organisation { organisation, models, last_event, first_event },
    ];
    it.store.handle().archive(ArchiveChange::Import(records))?;
    (it.events, it.last_id) = (it.events + 7, it.last_id + 40);
    it.look("an import").map(drop)
}

pub(crate) fn place_2_a_summary_survives_a_kill_when_its_change_is_heard(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let model = create_logged(&store, &acme, 1)?;
    let expect = |store: &Client| -> Checked {
        let (_place, found) = killed(&*place)?;
        let (heard, found) = (summary(store)?, summary(&found)?);
        ensure!(!found.is_behind(&heard), "{found:?} after a kill, {heard:?} before");
        ensure_eq!(found.identity, heard.identity, "the identity after a kill");
        ensure_eq!(found.has_data, heard.has_data, "a pair of data after a kill");
        Ok(())
    };
    expect(&store)?;
    add_pair(&store, &acme, &model, 1)?;
    expect(&store)?;
    erase(&store, &acme)?;
    expect(&store)
}

pub(crate) fn log_1_an_export_says_where_a_history_begins(builder: &dyn Builder) -> Checked {
    let (place, mut store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let (mut model, mut history) = with_history(&store, &acme, 4)?;
    for (before, first) in [(1, 1), (3, 3), (99, 5), (99, 5)] {
        purge(&store, event(before)?)?;
        for _ in 0..2 {
            begins(&store, &acme, &history, first)?;
            store = store.reopen(&*place)?;
        }
    }
    // The next event has the same position as without the purge.
    update_logged(&store, &acme, &mut model, 5)?;
    history.push(event(5)?.at(5, model.id));
    begins(&store, &acme, &history, 5)
}

/// Checks that a history begins at this position, in an export and in reads.
fn begins(store: &Client, of: &Organisation, history: &[Event], first: u64) -> Checked {
    let mut said = None;
    store.handle().export(&mut |record| {
        if let Record::Organisation { first_event, last_event, .. } = record {
            said = Some((first_event, last_event));
        }
        Ok(())
    })?;
    ensure_eq!(said, Some((first, history.len() as u64)), "the ends of the history of {of}");
    ensure_eq!(store.events(of, 0, 0)?.first, first, "the first event of {of}");
    Ok(())
}

/// Purges all events older than this one.
fn purge(store: &Client, before: NewEvent) -> Checked {
    let events_before = Some(before.created_at);
    let idempotency_until = UnixMillis::from_unix_millis(i64::MIN);
    store.purge(Purge { events_before, idempotency_until, limit: u32::MAX })?;
    Ok(())
}

fn erase(store: &Client, of: &Organisation) -> Checked {
    let erase = || ArchiveChange::Erase { organisation: of.clone(), limit: 2 };
    while store.handle().archive(erase())? > 0 {}
    Ok(())
}

pub(crate) fn a_closed_store_has_no_summary(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    store.close()?;
    let handle = Arc::clone(&store.handle());
    for answer in [handle.summary().map(drop), handle.verify().map(drop)] {
        match answer {
            Err(error) if error.kind() == StoreErrorKind::Closed => {}
            other => return Err(Stop::failed(format!("a closed store answered {other:?}"))),
        }
    }
    Ok(())
}

pub(crate) fn a_store_that_was_only_written_to_has_no_damage(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    ensure_eq!(store.handle().verify()?, Vec::<String>::new(), "what is found in an empty store");
    with_history(&store, &organisation("acme")?, 3)?;
    let (model, _) = with_history(&store, &organisation("zebra")?, 2)?;
    add_pair(&store, &organisation("zebra")?, &model, 1)?;
    purge(&store, event(2)?)?;
    let store = store.reopen(&*place)?;
    ensure_eq!(store.handle().verify()?, Vec::<String>::new(), "what is found");
    Ok(())
}
