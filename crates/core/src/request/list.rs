use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::field::{BaseModel, Field, Language, Violation, ViolationKind};
use crate::model::{CustomModel, ModelId, TrainingStatus};
use crate::request::filter::Filter;
use crate::request::parameters::{NamedValues, number, saturating_number};
use crate::request::violations::Violations;

/// The number of models, or of data pairs, on a page: 1 to 100, 25 by default (READ-1, DATA-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerPage(u32);

impl PerPage {
    /// The most on a page.
    pub const MAX: u32 = 100;

    /// Accepts a number from 1 to [`PerPage::MAX`].
    pub const fn new(number: u32) -> Result<Self, Violation<'static>> {
        if number >= 1 && number <= Self::MAX {
            Ok(PerPage(number))
        } else {
            Err(Violation::new(Field::PerPage, ViolationKind::Unsupported))
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for PerPage {
    fn default() -> Self {
        PerPage(25)
    }
}

/// The start of a page in a list.
///
/// Not `#[non_exhaustive]`: a caller writes it as a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start<I = ModelId> {
    /// The page with this number, counted from 1. The cost grows with the number.
    Page(NonZeroU64),
    /// After the model, or the data pair, with this id, even if it no longer exists. Without a filter the
    /// cost is the same everywhere (READ-2).
    After(I),
}

impl<I> Default for Start<I> {
    fn default() -> Self {
        Start::Page(NonZeroU64::MIN)
    }
}

/// A valid request for a page of models (READ-1).
///
/// Not `#[non_exhaustive]`: a caller writes it as a literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListModels {
    /// The conditions that the models must meet.
    pub filter: Filter,
    /// The start of the page.
    pub start: Start,
    /// The most models on the page.
    pub per_page: PerPage,
}

impl ListModels {
    /// Parses percent-decoded query parameters, or returns every violation. A parameter that READ-1 does not
    /// name is a violation.
    ///
    /// ```
    /// use custom_models_core::field::Field;
    /// use custom_models_core::ListModels;
    ///
    /// let violations = ListModels::from_pairs([("page", "0"), ("per_page", "25")]).unwrap_err();
    /// assert_eq!(
    ///     violations.get(Field::Page).unwrap().to_string(),
    ///     "Page must be an integer of at least 1"
    /// );
    /// ```
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Violations> {
        let fields =
            [Field::Page, Field::PerPage, Field::Status, Field::Language, Field::BaseModel];
        let mut given = NamedValues::of_query(pairs, &fields);
        let request = ListModels {
            filter: Filter {
                status: given.parse(Field::Status, status),
                language: given.parse(Field::Language, |code| Language::validate(code.into())),
                base_model: given.parse(Field::BaseModel, |name| BaseModel::validate(name.into())),
            },
            start: given.parse(Field::Page, page).map(Start::Page).unwrap_or_default(),
            per_page: given.parse(Field::PerPage, per_page).unwrap_or_default(),
        };
        given.finish(Some(request))
    }
}

/// Parses a page number. A number that overflows becomes the largest one, which is past the end of every
/// list.
pub(crate) fn page(text: &str) -> Result<NonZeroU64, Violation<'_>> {
    NonZeroU64::new(saturating_number(text).unwrap_or_default())
        .ok_or(Violation::new(Field::Page, ViolationKind::Unsupported))
}

pub(crate) fn per_page(text: &str) -> Result<PerPage, Violation<'_>> {
    PerPage::new(number(text).unwrap_or_default())
}

fn status(text: &str) -> Result<TrainingStatus, Violation<'_>> {
    number(text)
        .and_then(TrainingStatus::from_number)
        .ok_or(Violation::new(Field::Status, ViolationKind::Unsupported))
}

/// A page of models, as the API returns it (READ-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelPage {
    /// The number of models on this page.
    pub count: u64,
    /// The number of the organisation's models that match, on all pages.
    pub total_results: u64,
    /// The models, in ascending order of their ids.
    pub result: Vec<CustomModel>,
}
