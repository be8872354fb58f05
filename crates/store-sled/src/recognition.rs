//! What a database is found to be when it is opened: ours, an older layout, a new one, or none of ours.

use custom_models_core::{StoreError, StoreErrorKind};
use sled::{Batch, Db};

use crate::database::make;
use crate::fault::{damaged, guarded};
use crate::folder::Folder;
use crate::journal;
use crate::medium::{Medium, Opened};
use crate::recount;
use crate::schema::{FORMAT, IDENTITY, LAYOUT, Layout, TOTALS};
use crate::totals::Totals;

/// Makes sure that a database is ours and of this layout, or makes an empty one ours if its creation is
/// under way. Half a group that it was left with is taken back.
pub(crate) fn recognise(
    medium: &dyn Medium,
    opened: &Opened,
    folder: &mut Folder,
) -> Result<(), StoreError> {
    let db = &opened.db;
    match guarded(|| db.get(FORMAT))? {
        Some(layout) => match Layout::of(&layout) {
            Layout::Ours => take_back(medium, opened)?,
            Layout::Second => {
                take_back(medium, opened)?;
                make(medium, opened, to_this_layout(db)?)?;
            }
            Layout::First => {
                if folder.was_left_open()
                    && let Some(corrections) = recount::corrections(db)?
                {
                    make(medium, opened, vec![corrections])?;
                }
                make(medium, opened, to_this_layout(db)?)?;
            }
            Layout::Newer => return Err(StoreErrorKind::Newer.into()),
            Layout::Unknown => return Err(damaged("an unknown layout")),
        },
        None if !is_empty(db)? => {
            let cause = "a database of something else";
            return Err(StoreError::new(StoreErrorKind::NotOurs, cause));
        }
        None if !folder.is_unfinished() => return Err(damaged("the database is empty")),
        None => make(medium, opened, to_this_layout(db)?)?,
    }
    // The marker says this last, so that a step that was cut short is made again.
    if folder.is_to_be_marked() { folder.mark() } else { Ok(()) }
}

/// Takes back half a group that the database was left with.
fn take_back(medium: &dyn Medium, opened: &Opened) -> Result<(), StoreError> {
    match journal::taking_back(&opened.db)? {
        Some(batches) => make(medium, opened, batches),
        None => Ok(()),
    }
}

/// True if nothing is there but what a creation that was cut short may have left.
fn is_empty(db: &Db) -> Result<bool, StoreError> {
    let mut rows = db.iter();
    while let Some((key, _)) = guarded(|| rows.next().transpose())? {
        if key != IDENTITY && key != TOTALS {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The batches that give a database the rows which this layout has and those before had not. The name of
/// the layout comes last, so that a step that was cut short is made again.
fn to_this_layout(db: &Db) -> Result<Vec<Batch>, StoreError> {
    let mut identity = [0; 16];
    getrandom::fill(&mut identity).map_err(|cause| {
        StoreError::new(StoreErrorKind::Failed, format!("no random bytes: {cause}"))
    })?;
    let (mut rows, mut layout) = (Batch::default(), Batch::default());
    rows.insert(IDENTITY, &identity);
    rows.insert(TOTALS, Totals::count(db)?.to_bytes());
    layout.insert(FORMAT, LAYOUT);
    Ok(vec![rows, layout])
}
