//! Rows of models.
//!
//! The row of a model, numbers big-endian: form 2, training status, revision (8 bytes), beats (4),
//! `created_at` and `updated_at` (8 each), language (2), base model after its length (1), name
//! after its length (2), the record of the training after its length (2; 0 for none), and then 0, or
//! 1 and the description up to the end. Texts are UTF-8. Form 1, of layout 1, has no heartbeats and no
//! training.

use custom_models_core::model::{InvalidModelRow, ModelRow};
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::{CustomModel, ModelId};

use crate::error::damaged;

/// The number of the current form of a row. Older forms can still be read.
const FORM: u8 = 2;

/// The form of layout 1.
const FIRST_FORM: u8 = 1;

/// Encodes a model.
pub(crate) fn to_bytes(model: &CustomModel) -> Result<Vec<u8>, StoreError> {
    let (name, base_model) = (model.name.as_str(), model.base_model.as_str());
    let training = model.training.to_record();
    let training = training.map_err(|error| StoreError::new(StoreErrorKind::Damaged, error))?;
    let training = training.unwrap_or_default();
    // Never in practice: names and trainings are bounded.
    let too_long = |_| damaged("a text that is too long to be stored");
    let mut row = vec![FORM, model.training_status().number()];
    row.extend(model.version.revision.get().to_be_bytes());
    row.extend(model.version.heartbeats.to_be_bytes());
    row.extend(model.created_at.unix_seconds().to_be_bytes());
    row.extend(model.updated_at.unix_seconds().to_be_bytes());
    row.extend(model.language.as_str().as_bytes());
    row.push(u8::try_from(base_model.len()).map_err(too_long)?);
    row.extend(base_model.as_bytes());
    row.extend(u16::try_from(name.len()).map_err(too_long)?.to_be_bytes());
    row.extend(name.as_bytes());
    row.extend(u16::try_from(training.len()).map_err(too_long)?.to_be_bytes());
    row.extend(training.as_bytes());
    row.push(u8::from(model.description.is_some()));
    if let Some(description) = &model.description {
        row.extend(description.as_str().as_bytes());
    }
    Ok(row)
}

/// Decodes a model.
pub(crate) fn from_bytes(id: ModelId, row: &[u8]) -> Result<CustomModel, StoreError> {
    let mut row = Cursor(row);
    let form = row.byte()?;
    if ![FIRST_FORM, FORM].contains(&form) {
        return Err(damaged("an unknown form of a row"));
    }
    let training_status = row.byte()?;
    let revision = u64::from_be_bytes(row.array()?);
    let heartbeats = if form == FIRST_FORM { 0 } else { u32::from_be_bytes(row.array()?) };
    let created_at = i64::from_be_bytes(row.array()?);
    let updated_at = i64::from_be_bytes(row.array()?);
    let language = row.text(2)?;
    let length = row.byte()?;
    let base_model = row.text(length.into())?;
    let name = row.counted_text()?;
    let training = if form == FIRST_FORM { "" } else { row.counted_text()? };
    let model = ModelRow {
        id: id.get(),
        revision,
        heartbeats,
        name,
        description: row.description()?,
        language,
        base_model,
        training_status,
        training: Some(training).filter(|training| !training.is_empty()),
        claimable_at: None,
        created_at,
        updated_at,
    };
    model.try_into().map_err(|InvalidModelRow(what)| damaged(what))
}

/// The rest of a row that is being decoded.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Result<u8, StoreError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(cut_short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, StoreError> {
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(cut_short)?;
        self.0 = rest;
        str::from_utf8(text).map_err(|_| damaged("a text that is not UTF-8"))
    }

    /// A text after its length.
    fn counted_text(&mut self) -> Result<&'a str, StoreError> {
        let length = u16::from_be_bytes(self.array()?);
        self.text(length.into())
    }

    /// The description at the end of a row.
    fn description(&mut self) -> Result<Option<&'a str>, StoreError> {
        match (self.byte()?, self.0.len()) {
            (0, 0) => Ok(None),
            (1, length) => self.text(length).map(Some),
            _ => Err(damaged("a row with excess bytes")),
        }
    }
}

fn cut_short() -> StoreError {
    damaged("a row that is cut short")
}
