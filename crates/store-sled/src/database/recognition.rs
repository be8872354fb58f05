//! The recognition of a database when it is opened, its rollback and its migration.

use custom_models_core::store::{StoreError, StoreErrorKind};
use sled::{Batch, Db};

use crate::database::backend::{Backend, Opened, write_durably};
use crate::database::folder::Folder;
use crate::database::journal::PartialGroup;
use crate::database::repair_v1;
use crate::database::watermark::Mark;
use crate::error::{call_sled, damaged};
use crate::rows::admissions::migration as admissions;
use crate::rows::identity::identity_from_row;
use crate::rows::keys::{FORMAT, IDENTITY, LAST_ID, TOTALS, number};
use crate::rows::totals::Totals;
use crate::schema::{LAYOUT, Layout};

/// Checks that a database is ours, rolls a partial group back, and migrates an older layout.
/// Initialises an empty database if its creation is under way. Returns the mark of the database.
///
/// Refuses a database that is behind `expected` before writing anything.
pub(crate) fn recognise(
    backend: &dyn Backend,
    opened: &Opened,
    folder: &mut Folder,
    expected: Option<&Mark>,
) -> Result<Mark, StoreError> {
    let db = &opened.db;
    let layout = call_sled(|| db.get(FORMAT))?.map(|layout| Layout::of(&layout));
    match layout {
        Some(Layout::Ours | Layout::Older(3..)) => {}
        Some(Layout::Newer) => return Err(StoreErrorKind::Newer.into()),
        Some(Layout::Unknown) => return Err(damaged("an unknown layout")),
        None if !is_empty(db)? => {
            let cause = "a database of something else";
            return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
        }
        // A watermark is created after the rows of layout 3.
        _ if let Some(expected) = expected => {
            expected.check(&Mark { totals: Totals::default(), last_id: 0, ..*expected })?;
        }
        None if !folder.is_unfinished() => return Err(damaged("the database is empty")),
        _ => {}
    }
    let partial = match layout {
        Some(Layout::Older(1)) | None => None,
        _ => PartialGroup::find(db)?,
    };
    if let (Some(expected), Some(Layout::Ours | Layout::Older(3..))) = (expected, layout) {
        expected.check(&mark(db, partial.as_ref())?)?;
    }
    if let Some(partial) = partial {
        write_durably(backend, opened, partial.batches())?;
    }
    if layout == Some(Layout::Older(1))
        && folder.was_left_open()
        && let Some(corrections) = repair_v1::corrections(db)?
    {
        write_durably(backend, opened, vec![corrections])?;
    }
    if layout != Some(Layout::Ours) {
        write_durably(backend, opened, migration(db, layout)?)?;
    }
    if let Some(batch) = admissions::removal(db)? {
        write_durably(backend, opened, vec![batch])?;
    }
    mark(db, None)
}

/// The mark of a database as it is after the rollback of a partial group.
fn mark(db: &Db, partial: Option<&PartialGroup>) -> Result<Mark, StoreError> {
    let row = |key: &[u8]| -> Result<Option<Vec<u8>>, StoreError> {
        match partial.and_then(|partial| partial.row(key)) {
            Some(before) => Ok(before.map(<[u8]>::to_vec)),
            None => Ok(call_sled(|| db.get(key))?.map(|row| row.to_vec())),
        }
    };
    let last_id = match row(LAST_ID)? {
        Some(row) => number(&row).ok_or_else(|| damaged("an invalid last id"))?,
        None => 0,
    };
    Ok(Mark {
        identity: identity_from_row(row(IDENTITY)?.as_deref())?,
        totals: Totals::from_row(row(TOTALS)?.as_deref())?,
        last_id,
        log_end: 0,
    })
}

/// Returns true if the database has no rows but those that an interrupted creation may have left.
fn is_empty(db: &Db) -> Result<bool, StoreError> {
    let mut rows = db.iter();
    while let Some((key, _)) = call_sled(|| rows.next().transpose())? {
        if key != IDENTITY && key != TOTALS {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A new identity and the totals, which layouts 1 and 2 lack.
fn initial_rows(db: &Db) -> Result<Batch, StoreError> {
    let mut identity = [0; 16];
    getrandom::fill(&mut identity).map_err(|cause| {
        StoreError::new(StoreErrorKind::Failed, format!("no random bytes: {cause}"))
    })?;
    let mut rows = Batch::default();
    rows.insert(IDENTITY, &identity);
    rows.insert(TOTALS, Totals::count(db)?.to_bytes());
    Ok(rows)
}

/// The batches that migrate a database to this layout. The layout's name comes last, so that an
/// interrupted migration is repeated.
fn migration(db: &Db, before: Option<Layout>) -> Result<Vec<Batch>, StoreError> {
    let mut batches = Vec::new();
    if !matches!(before, Some(Layout::Older(3..))) {
        batches.push(initial_rows(db)?);
    }
    batches.extend(admissions::batches(db, before == Some(Layout::Older(4)))?);
    let mut layout = Batch::default();
    layout.insert(FORMAT, LAYOUT);
    batches.push(layout);
    Ok(batches)
}
