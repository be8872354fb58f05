use crate::field::{Field, Violation, ViolationKind};
use crate::model::{DataId, Fence};
use crate::request::list::{PerPage, Start, page, per_page};
use crate::request::parameters::{number, parse};
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
        let given = ParameterSet::from_pairs(pairs, false);
        let (list, violations) = given.list();
        if violations.is_empty() { Ok(list) } else { Err(violations) }
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
        let given = ParameterSet::from_pairs(pairs, true);
        let fence = match given.fence.map(number) {
            None => Err(ViolationKind::Missing),
            Some(None) => Err(ViolationKind::Unsupported),
            Some(Some(fence)) => Ok(Fence::new(fence)),
        };
        let (list, mut violations) = given.list();
        match fence {
            Ok(fence) if violations.is_empty() => Ok(ListTrainingData { fence, list }),
            Ok(_) => Err(violations),
            Err(kind) => {
                violations.note(Violation::new(Field::Fence, kind));
                Err(violations)
            }
        }
    }
}

struct ParameterSet<'a> {
    page: Option<&'a str>,
    per_page: Option<&'a str>,
    fence: Option<&'a str>,
    violations: Violations,
}

impl<'a> ParameterSet<'a> {
    fn from_pairs(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        takes_fence: bool,
    ) -> ParameterSet<'a> {
        let violations = Violations::none();
        let mut given = ParameterSet { page: None, per_page: None, fence: None, violations };
        for (key, value) in pairs {
            let (field, place) = match key {
                "page" => (Field::Page, &mut given.page),
                "per_page" => (Field::PerPage, &mut given.per_page),
                "fence" if takes_fence => (Field::Fence, &mut given.fence),
                _ => {
                    given.violations.note_unknown(key);
                    continue;
                }
            };
            if place.replace(value).is_some() {
                given.violations.note(Violation::new(field, ViolationKind::Repeated));
            }
        }
        given
    }

    fn list(self) -> (ListData, Violations) {
        let mut violations = self.violations;
        let mut keep = |violation| violations.note(violation);
        let list = ListData {
            start: parse(self.page, page, &mut keep).map(Start::Page).unwrap_or_default(),
            per_page: parse(self.per_page, per_page, &mut keep).unwrap_or_default(),
        };
        (list, violations)
    }
}

#[cfg(test)]
mod tests;
