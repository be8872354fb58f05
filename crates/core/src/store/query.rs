//! The query for a list of models, and its result.

use crate::model::{CustomModel, ModelId};
use crate::request::{Filter, ListModels, ModelPage, Start};

/// A query for a part of an organisation's models.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The conditions that the models must meet.
    pub filter: Filter,
    /// Only models with larger ids than this one.
    pub after: Option<ModelId>,
    /// The number of matching models to skip.
    pub skip: u64,
    /// The most models to list.
    pub limit: u32,
}

/// A part of an organisation's models.
///
/// Not `#[non_exhaustive]`: an adapter takes it apart or makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The selected models, in ascending order of their ids.
    pub models: Vec<CustomModel>,
    /// The number of the organisation's models that match the filter, listed or not. Without a filter it is
    /// read from a counter, and no rows are counted (READ-2).
    pub total: u64,
}

impl From<&ListModels> for Selection {
    fn from(request: &ListModels) -> Self {
        let limit = request.per_page.get();
        let (after, skip) = match request.start {
            Start::Page(page) => (None, (page.get() - 1).saturating_mul(limit.into())),
            Start::After(id) => (Some(id), 0),
        };
        Selection { filter: request.filter, after, skip, limit }
    }
}

impl From<Listing> for ModelPage {
    fn from(Listing { models, total }: Listing) -> Self {
        ModelPage { count: models.len() as u64, total_results: total, result: models }
    }
}
