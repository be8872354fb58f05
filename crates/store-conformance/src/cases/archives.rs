//! Exports, imports and erasures of everything in a store.

use std::sync::atomic::{AtomicBool, Ordering};

use custom_models_core::model::{DataFile, Edit, NewPair};
use custom_models_core::store::{
    AccessChange, ArchiveChange, Audit, Finding, Outcome, Purge, Record, Store, StoreErrorKind,
    Write,
};
use custom_models_core::{MemoryStore, Organisation};

use crate::Builder;
use crate::cases::durability::killed;
use crate::cases::events::with_history;
use crate::cases::trainings::every_course;
use crate::client::{Client, create, fresh, write};
use crate::fixture::Fixture;
use crate::history::add_pair;
use crate::life::{at, create_answer, edit, event, new_pair, upload_answer};
use crate::sample::{key, model, organisation, registration};
use crate::threads::in_threads;
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// Returns everything in a store as sorted lines, since the order differs between stores.
fn lines(store: &dyn Store) -> Checked<Vec<String>> {
    let mut lines = Vec::new();
    store.export(&mut |record| {
        // Every record serialises.
        lines.push(serde_json::to_string(&record).unwrap_or_default());
        Ok(())
    })?;
    lines.sort();
    Ok(lines)
}

pub(crate) fn records(store: &dyn Store) -> Checked<Vec<Record>> {
    let mut records = Vec::new();
    store.export(&mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

fn import(store: &Client, records: &[Record], batch: usize) -> Checked {
    for batch in records.chunks(batch) {
        let count = store.handle().archive(ArchiveChange::Import(batch.to_vec()))?;
        ensure_eq!(count, batch.len() as u64, "imported");
    }
    Ok(())
}

/// Fills a store with records of every kind, the same for two organisations.
pub(crate) fn filled(store: &Client) -> Checked<[Organisation; 2]> {
    let organisations = [organisation("acme")?, organisation("zebra")?];
    for (number, of) in (0..).zip(&organisations) {
        let registration = registration(of.as_str(), "a plan of é語😀, 'quoted' \"twice\"")?;
        store.done(AccessChange::Register(registration))?;
        for other in [2 * number, 2 * number + 1] {
            store.done(AccessChange::AddKey(key(other, of.as_str())?))?;
        }
        every_course(&Fixture::new(store, of))?;
        let (model, _) = with_history(store, of, 4)?;
        let model = add_pair(store, of, &model, 1)?;
        let new = new_pair(2)?;
        let filename = "\u{1}".repeat(255);
        let new = NewPair { transcript: DataFile { filename, ..new.transcript }, ..new };
        let answer = Some(upload_answer(model.id, "an-upload")?);
        let upload = write(of, edit(model.id, Edit::AddData(new)));
        store.edited(&model, Write { idempotency: answer, ..upload })?;
        let created = store.write_whole(keyed(of)?)?;
        ensure!(matches!(created, Outcome::Created(_)), "a create was answered by {created:?}");
        let gone = store.create(of, &crate::sample::model(10)?)?;
        store.delete(of, &gone)?;
    }
    // Purges the first events of both.
    let events_before = Some(event(3)?.created_at);
    let idempotency_until = at(i64::MIN);
    store.handle().purge(Purge { events_before, idempotency_until, limit: 2 })?;
    Ok(organisations)
}

/// Returns a create with an idempotency record.
fn keyed(of: &Organisation) -> Checked<Write> {
    let answer = Some(create_answer("a-key")?);
    Ok(Write { idempotency: answer, ..write(of, create(&model(9)?, None)) })
}

pub(crate) fn everything_is_brought_to_another_store_and_goes_on_there(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let [acme, zebra] = filled(&store)?;
    let (all, shown) = (records(&*store.handle())?, lines(&*store.handle())?);
    let memory = MemoryStore::new();
    custom_models_core::store::ArchiveStore::archive(&memory, ArchiveChange::Import(all.clone()))?;
    ensure_eq!(lines(&memory)?, shown, "what memory was told");
    for line in &shown {
        let record: Record = serde_json::from_str(line).map_err(crate::sample::unfit)?;
        ensure!(all.contains(&record), "another record came of {line}");
    }
    for batch in [1, 7, usize::MAX] {
        let (place, other) = fresh(builder)?;
        import(&other, &all, batch)?;
        ensure_eq!(lines(&*other.handle())?, shown, "in steps of {batch}");
        // Imports half of them again, as after a kill in the middle.
        import(&other, all.get(..all.len() / 2).unwrap_or_default(), 5)?;
        let other = other.reopen(&*place)?;
        ensure_eq!(lines(&*other.handle())?, shown, "after a close");
        goes_on(&store, &other, &acme)?;
        goes_on(&store, &other, &zebra)?;
    }
    Ok(())
}

pub(crate) fn an_import_begins_in_an_empty_store_and_once(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    filled(&store)?;
    let (all, shown) = (records(&*store.handle())?, lines(&*store.handle())?);
    let begin = |store: &Client| store.handle().archive(ArchiveChange::Begin(all.clone()));
    ensure_eq!(begin(&store)?, 0, "into a store that is full");
    ensure_eq!(lines(&*store.handle())?, shown, "what the full store shows");
    // Any record makes a store non-empty, even the last id alone.
    let of = organisation("acme")?;
    for number in 0..3 {
        let (_place, store) = fresh(builder)?;
        match number {
            0 => drop(store.done(AccessChange::Register(registration("acme", "a plan")?))?),
            1 => drop(store.create(&of, &model(1)?)?),
            _ => drop(import(&store, &[Record::Start { last_id: 7 }], 1)?),
        }
        let before = lines(&*store.handle())?;
        ensure_eq!(begin(&store)?, 0, "into a store with something of kind {number}");
        ensure_eq!(lines(&*store.handle())?, before, "what it shows then");
    }
    let (_place, empty) = fresh(builder)?;
    let put = in_threads(4, |_| Ok(begin(&empty)?))?;
    let (begun, refused): (Vec<u64>, Vec<u64>) = put.into_iter().partition(|put| *put > 0);
    ensure_eq!(begun, [all.len() as u64], "of four at once one has begun");
    ensure_eq!(refused, [0; 3], "the others");
    ensure_eq!(lines(&*empty.handle())?, shown, "what the one has put");
    Ok(())
}

pub(crate) fn an_imported_record_replaces_the_one_with_its_key(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    filled(&store)?;
    let mut all = records(&*store.handle())?;
    for record in &mut all {
        match record {
            Record::Registration { plan, .. } => *plan = registration("acme", "Other")?.plan,
            Record::Model(line) => line.model.name = crate::sample::name("replaced")?,
            Record::Data { pair, .. } => "replaced".clone_into(&mut pair.audio.filename),
            _ => {}
        }
    }
    import(&store, &all, 9)?;
    let store = store.reopen(&*place)?;
    ensure_eq!(records(&*store.handle())?.len(), all.len(), "the number of records");
    let mut right = Vec::new();
    for record in &all {
        right.push(serde_json::to_string(record).unwrap_or_default());
    }
    right.sort();
    ensure_eq!(lines(&*store.handle())?, right, "what the store shows");
    Ok(())
}

/// Checks that a copy has what its original has, and that writes to it follow the imported records.
fn goes_on(store: &Client, copy: &Client, of: &Organisation) -> Checked {
    let (before, copied) = (store.handle().events(of, 0, u32::MAX)?, copy.handle());
    ensure_eq!(copied.events(of, 0, u32::MAX)?, before, "the history of {of}");
    ensure_eq!(copied.keys(of)?, store.handle().keys(of)?, "the keys of {of}");
    ensure_eq!(
        copied.claimable(None, at(i64::MAX), 99)?,
        store.handle().claimable(None, at(i64::MAX), 99)?,
        "waiting"
    );
    let listing = store.list(of, &crate::client::ALL)?;
    copy.expect(of, &listing.models)?;
    let refused = copy.try_create(of, &model(1)?, Some(listing.total))?;
    ensure_eq!(refused, Outcome::LimitReached { current: listing.total }, "the quota of {of}");
    let repeated = copy.write_whole(keyed(of)?)?;
    ensure!(matches!(repeated, Outcome::Repeated(_)), "a repeat was answered by {repeated:?}");
    let newest = records(&*store.handle())?.into_iter().find_map(|record| match record {
        Record::Start { last_id } => Some(last_id),
        _ => None,
    });
    let created = copy.create(of, &model(1)?)?;
    ensure!(Some(created.id.get()) > newest, "{} was given before", created.id);
    copy.delete(of, &created)
}

pub(crate) fn an_organisation_is_erased_and_others_stay(builder: &dyn Builder) -> Checked {
    let (place, store) = fresh(builder)?;
    let [acme, zebra] = filled(&store)?;
    let is_of_acme = |line: &&String| line.contains("\"organisation\":\"acme\"");
    let right: Vec<_> =
        lines(&*store.handle())?.into_iter().filter(|line| !is_of_acme(&line)).collect();
    let erase = |store: &Client, limit| {
        let organisation = acme.clone();
        store.handle().archive(ArchiveChange::Erase { organisation, limit })
    };
    // The store is consistent after every step.
    let mut store = store;
    while erase(&store, 3)? > 0 {
        counted(&store)?;
        store = store.reopen(&*place)?;
    }
    ensure_eq!(lines(&*store.handle())?, right, "what others have");
    ensure_eq!(erase(&store, 1)?, 0, "erased again");
    ensure_eq!(erase(&store, u32::MAX)?, 0, "erased again");
    ensure_eq!(store.handle().key(&key(0, "acme")?.digest)?, None, "a key of acme");
    ensure!(store.handle().key(&key(2, "zebra")?.digest)?.is_some(), "a key of zebra is gone");
    store.expect(&acme, &[])?;
    // The organisation may be registered again, and has no old records.
    store.done(AccessChange::Register(registration("acme", "Gold")?))?;
    let (again, history) = with_history(&store, &acme, 2)?;
    let page = store.handle().events(&acme, 0, 9)?;
    ensure_eq!((page.first, &page.events), (1, &history), "a new history");
    let largest = store.list(&zebra, &crate::client::ALL)?.models.last().map(|model| model.id);
    ensure!(Some(again.id) > largest, "{} was given before", again.id);
    store.expect(&acme, &[again])?;
    counted(&store)
}

/// Checks that counters match their rows, histories have no gaps, and every record has an owner. Does not
/// check models, since an erasure goes kind by kind.
fn counted(store: &Client) -> Checked {
    let mut audit = Audit::default();
    records(&*store.handle())?.iter().for_each(|record| audit.look(record));
    let mut found = audit.findings();
    found.retain(|finding| {
        use Finding::{
            DataOfNobody, HistoryWithAGap, IdBeyondTheLast, IdOfTwo, KeyLikeAnother, KeyOfNobody,
            ModelsMiscounted, NotCounted, Repeated,
        };
        matches!(
            finding,
            DataOfNobody(..)
                | HistoryWithAGap { .. }
                | IdBeyondTheLast(..)
                | IdOfTwo(..)
                | KeyLikeAnother(..)
                | KeyOfNobody(..)
                | ModelsMiscounted { .. }
                | NotCounted(..)
                | Repeated(..)
        )
    });
    ensure_eq!(found, [], "what an audit finds");
    Ok(())
}

pub(crate) fn an_export_is_of_one_moment(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    // Once without other organisations, so that a store that mixes two states fails whatever its threads do.
    with_history(&store, &acme, 2)?;
    counted(&store)?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let (model, _) = with_history(&store, &acme, 1)?;
                add_pair(&store, &acme, &model, 1)?;
            }
            Ok(())
        });
        let mut seen = Ok(());
        let mut largest = 0;
        while largest < 30 && seen.is_ok() {
            seen = counted(&store);
            largest = store.list(&acme, &crate::client::ALL)?.total;
        }
        is_over.store(true, Ordering::SeqCst);
        crate::threads::joined(writing)?;
        seen
    })
}

pub(crate) fn what_is_imported_and_what_is_erased_survives_a_kill(
    builder: &dyn Builder,
) -> Checked {
    let (_place, store) = fresh(builder)?;
    let [acme, _] = filled(&store)?;
    let all = records(&*store.handle())?;
    let (place, other) = fresh(builder)?;
    import(&other, &all, 50)?;
    let (_left, found) = killed(&*place)?;
    ensure_eq!(lines(&*found.handle())?, lines(&*store.handle())?, "what a kill left");
    other.handle().archive(ArchiveChange::Erase { organisation: acme, limit: 5 })?;
    let (_left, found) = killed(&*place)?;
    ensure_eq!(lines(&*found.handle())?, lines(&*other.handle())?, "what a kill left");
    Ok(())
}

pub(crate) fn a_closed_store_shows_and_takes_nothing(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    store.close()?;
    let handle = store.handle();
    for answer in [
        handle.export(&mut |_| Ok(())).map(|()| 0),
        handle.archive(ArchiveChange::Import(vec![Record::Start { last_id: 5 }])),
    ] {
        match answer {
            Err(error) if error.kind() == StoreErrorKind::Closed => {}
            other => return Err(Stop::failed(format!("a closed store answered {other:?}"))),
        }
    }
    Ok(())
}

pub(crate) fn an_export_ends_with_the_error_of_whoever_takes_it(builder: &dyn Builder) -> Checked {
    let (_place, store) = fresh(builder)?;
    filled(&store)?;
    let mut left = 3;
    let ended = store.handle().export(&mut |_| {
        left -= 1;
        if left > 0 { Ok(()) } else { Err(StoreErrorKind::Full.into()) }
    });
    ensure_eq!(ended.map_err(|error| error.kind()), Err(StoreErrorKind::Full), "an export");
    ensure_eq!(left, 0, "records after an error");
    // The store is still intact.
    counted(&store)
}
