//! Faults below a store: records that cannot be read, and a disk that takes no write.

use custom_models_core::field::Name;
use custom_models_core::model::{CustomModel, NewModel};
use custom_models_core::store::{Outcome, StoreErrorKind, Write};
use custom_models_core::{ModelId, Organisation};

use crate::Builder;
use crate::Place;
use crate::cases::openings::kind_of;
use crate::client::{ALL, Client, create, delete, fresh, write};
use crate::life::{create_answer, edit, like};
use crate::sample::{model, models, name, organisation};
use crate::verdict::{Checked, Stop, ensure, ensure_eq};

/// The name of the model that is damaged. No other stored text has it.
const DAMAGED: &str = "DamagedRecordOfTheConformanceSuite";

/// An opening fails, or the reads that need the record do, and so they do the next time.
pub(crate) fn a_record_that_cannot_be_read_is_told_and_not_dropped(
    builder: &dyn Builder,
) -> Checked {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    store.create_all(&acme, &models(3)?)?;
    let damaged = store.create(&acme, &NewModel { name: name(DAMAGED)?, ..model(3)? })?;
    // Not the last record: what a log has at its end may be a write that was never acknowledged.
    store.create_all(&acme, &models(3)?)?;
    store.close()?;
    drop(store);
    place.damage(DAMAGED)?;
    for opening in 1..=2 {
        let store = match place.open() {
            Ok(store) => Client::from(store),
            Err(error) => {
                let kind = kind_of(&error);
                ensure_eq!(kind, Some(StoreErrorKind::Damaged), "opening {opening}: {error}");
                continue;
            }
        };
        let handle = store.handle();
        let found = [
            handle.get(&acme, damaged.id).map(|model| format!("{model:?}")),
            handle.list(&acme, &ALL).map(|listing| format!("{} models", listing.models.len())),
        ];
        for found in found {
            let found = found.map_err(|error| error.kind());
            ensure_eq!(found, Err(StoreErrorKind::Damaged), "a read after opening {opening}");
        }
        // A store may complain of its damage at the end too.
        let _ = store.close();
    }
    Ok(())
}

/// The writes to a disk that fails, by what they were told.
struct Told {
    acme: Organisation,
    /// The models that were acknowledged, in the order of their ids.
    made: Vec<CustomModel>,
    /// The names that must not be found.
    failed: Vec<Name<'static>>,
    /// The number of writes that may have been made.
    unknown: u64,
    /// The number of acknowledged changes.
    changes: u64,
}

/// The number of models before the disk fails.
const BEFORE: u64 = 3;

/// The numbers of the models that are created while the disk fails.
const DURING: std::ops::Range<u64> = 10..16;

fn key_of(number: u64) -> String {
    format!("key-{number}")
}

/// Writes to a failing disk, closes the store, and opens it with a disk that works.
fn with_failing_disk(builder: &dyn Builder) -> Checked<(Box<dyn Place>, Client, Told)> {
    let (place, store) = fresh(builder)?;
    let acme = organisation("acme")?;
    let made = store.create_all(&acme, &models(BEFORE)?)?;
    let mut told = Told { acme, made, failed: Vec::new(), unknown: 0, changes: BEFORE };
    place.fail_disk()?;
    for number in DURING {
        let new = model(number)?;
        let idempotency = Some(create_answer(&key_of(number))?);
        let write = Write { idempotency, ..write(&told.acme, create(&new, None)) };
        match store.submit_whole(write).wait()? {
            Ok(Outcome::Created(model)) => {
                told.made.push(model);
                told.changes += 1;
            }
            Ok(other) => return Err(Stop::failed(format!("a create was answered by {other:?}"))),
            Err(error) if error.kind() == StoreErrorKind::OutcomeUnknown => told.unknown += 1,
            Err(_) => told.failed.push(new.name),
        }
    }
    told.edits(&store)?;
    told.failed_is_not_shown(&store)?;
    // The close of a store whose disk fails may fail.
    let _ = store.close();
    drop(store);
    let store = Client::open(&*place)?;
    Ok((place, store, told))
}

impl Told {
    /// Changes a model and deletes another one.
    fn edits(&mut self, store: &Client) -> Checked {
        let ids: Vec<ModelId> = self.made.iter().map(|model| model.id).collect();
        let [first, second, ..] = *ids.as_slice() else { return Ok(()) };
        for change in [edit(first, like(20)?), delete(second)] {
            match store.submit(&self.acme, change).wait()? {
                Ok(Outcome::Changed { model, .. }) => {
                    self.made.retain(|known| known.id != model.id);
                    self.made.insert(0, *model);
                }
                Ok(Outcome::Deleted) => self.made.retain(|known| known.id != second),
                Ok(other) => return Err(Stop::failed(format!("an edit heard {other:?}"))),
                Err(error) if error.kind() == StoreErrorKind::OutcomeUnknown => {
                    self.unknown += 1;
                    continue;
                }
                Err(_) => continue,
            }
            self.changes += 1;
        }
        Ok(())
    }

    /// Checks that no read shows a change that has failed. The reads may fail as well.
    fn failed_is_not_shown(&self, store: &Client) -> Checked {
        let Ok(listing) = store.handle().list(&self.acme, &ALL) else { return Ok(()) };
        let shown = listing.models.iter().find(|model| self.failed.contains(&model.name));
        ensure_eq!(shown, None, "a model whose create has failed");
        Ok(())
    }
}

pub(crate) fn model_6_what_a_failing_disk_did_not_take_is_not_acknowledged(
    builder: &dyn Builder,
) -> Checked {
    let (place, store, told) = with_failing_disk(builder)?;
    told.failed_is_not_shown(&store)?;
    let Told { acme, mut made, unknown, .. } = told;
    if unknown == 0 {
        store.expect(&acme, &made)?;
        made.push(store.create(&acme, &model(30)?)?);
        store.reopen(&*place)?.expect(&acme, &made)
    } else {
        let found = store.list(&acme, &ALL)?;
        for made in made {
            let is_there = found.models.iter().any(|model| model.id == made.id);
            ensure!(is_there, "model {} was acknowledged and is lost", made.id);
        }
        store.expect(&acme, &found.models)
    }
}

pub(crate) fn log_1_a_write_that_failed_leaves_no_gap(builder: &dyn Builder) -> Checked {
    let (_place, store, told) = with_failing_disk(builder)?;
    let before = store.events(&told.acme, 0, u32::MAX)?.last;
    let right = told.changes..=told.changes + told.unknown;
    ensure!(right.contains(&before), "{before} events for {right:?} changes");
    store.create(&told.acme, &model(30)?)?;
    let page = store.events(&told.acme, 0, u32::MAX)?;
    let positions: Vec<_> = page.events.iter().map(|event| event.position).collect();
    ensure_eq!(positions, (1..=before + 1).collect::<Vec<_>>(), "the positions");
    ensure_eq!((page.first, page.last), (1, before + 1), "the ends of the history");
    Ok(())
}

pub(crate) fn idem_1_a_write_that_failed_keeps_no_answer(builder: &dyn Builder) -> Checked {
    let (_place, store, told) = with_failing_disk(builder)?;
    let found = store.list(&told.acme, &ALL)?.models;
    for number in DURING {
        let new = model(number)?;
        let is_there = found.iter().any(|model| model.name == new.name);
        let answer = create_answer(&key_of(number))?;
        let kept = store.idempotency_record(&told.acme, &answer.key)?;
        ensure_eq!(kept.is_some(), is_there, "the answer of create {number} is kept");
        let write = Write { idempotency: Some(answer), ..write(&told.acme, create(&new, None)) };
        let repeated = store.write_whole(write)?;
        let is_repeat = matches!(repeated, Outcome::Repeated(_));
        ensure_eq!(is_repeat, is_there, "create {number} is repeated, and heard {repeated:?}");
    }
    Ok(())
}
