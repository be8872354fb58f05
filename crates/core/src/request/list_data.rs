use crate::field::{Field, Violation, ViolationKind};
use crate::model::{DataId, Fence};
use crate::request::list::{PerPage, Start, page, per_page};
use crate::request::parameters::{NamedValues, number};
use crate::request::violations::Violations;

/// A valid request for a page of a model's data (DATA-6).
///
/// Not `#[non_exhaustive]`: a caller writes it as a literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListData {
    /// The start of the page.
    pub start: Start<DataId>,
    /// The most pairs on the page.
    pub per_page: PerPage,
}

impl ListData {
    /// Parses percent-decoded query parameters, or returns every violation. An unknown parameter is a
    /// violation.
    ///
    /// ```
    /// use custom_models_core::field::Field;
    /// use custom_models_core::request::ListData;
    ///
    /// let violations = ListData::from_pairs([("page", "2"), ("per_page", "101")]).unwrap_err();
    /// assert_eq!(
    ///     violations.get(Field::PerPage).unwrap().to_string(),
    ///     "Per page must be an integer from 1 to 100"
    /// );
    /// ```
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Violations> {
        let mut given = NamedValues::of_query(pairs, &[Field::Page, Field::PerPage]);
        let list = ListData::of(&mut given);
        given.finish(Some(list))
    }

    fn of(given: &mut NamedValues<'_>) -> Self {
        ListData {
            start: given.parse(Field::Page, page).map(Start::Page).unwrap_or_default(),
            per_page: given.parse(Field::PerPage, per_page).unwrap_or_default(),
        }
    }
}

/// A worker's valid request for a page of the data of its training (TRAIN-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTrainingData {
    /// The worker's claim.
    pub fence: Fence,
    /// The page.
    pub list: ListData,
}

impl ListTrainingData {
    /// Parses percent-decoded query parameters: those of [`ListData`], and `fence`, which is required.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Violations> {
        let fields = [Field::Page, Field::PerPage, Field::Fence];
        let mut given = NamedValues::of_query(pairs, &fields);
        let list = ListData::of(&mut given);
        let fence = match given.value(Field::Fence).map(number) {
            None => Err(ViolationKind::Missing),
            Some(None) => Err(ViolationKind::Unsupported),
            Some(Some(fence)) => Ok(Fence::new(fence)),
        };
        let fence = fence.map_err(|kind| given.note(Violation::new(Field::Fence, kind))).ok();
        given.finish(fence.map(|fence| ListTrainingData { fence, list }))
    }
}

#[cfg(test)]
mod tests;
